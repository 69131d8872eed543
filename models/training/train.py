"""Training of the two networks from shards, in bfloat16 on a CPU, from the last checkpoint where there is one."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from models.training.characters import SYMBOL_CLASSES
from models.training.lines_on_disk import LineBatch, Lines, batches_of_lines
from models.training.networks import LineNetwork, SymbolNetwork
from models.training.shards import load_symbols

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

Network = TypeVar("Network", bound=nn.Module)
_REPORT_S = 30.0
_CHECKPOINT_S = 120.0
_AVERAGED = 0.998
"""Share of the old weights in the running average that is kept as the result."""
_SMOOTHING = 0.01
_WRITTEN_OUT = 0.6
"""After this share of the first cycle the line network leaves the known places of characters and aligns by itself (CTC)."""
_SHIFT = 2
_RISING = 0.08
"""Share of a cycle in which the learning rate rises."""
_BLANK_FRAMES = 0.3


@dataclass(frozen=True, slots=True)
class Course:
    """How long and how fast to train.

    Attributes:
        cycles: optimiser steps of each cycle; in each the learning rate rises shortly and falls to nothing.
        batch: samples a step.
        rates: highest learning rate of each cycle.
        seed: of chance.
    """

    cycles: tuple[int, ...]
    batch: int
    rates: tuple[float, ...] = (3e-3, 1.5e-3, 2e-3)
    seed: int = 1

    @property
    def steps(self) -> int:
        """Of all cycles."""
        return sum(self.cycles)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        for steps, rate in zip(self.cycles, self.rates, strict=False):
            if step < steps:
                place = (step + 1) / steps
                rising = (
                    place / _RISING
                    if place < _RISING
                    else (1 + math.cos(math.pi * (place - _RISING) / (1 - _RISING))) / 2
                )
                return rate * rising
            step -= steps
        return 0.0


def train_symbols(shards: Sequence[Path], course: Course, checkpoint: Path) -> SymbolNetwork:
    """The symbol network after its course.

    Args:
        shards: samples of the training part.
        course: how long and how fast.
        checkpoint: where progress is kept and taken up again.
    """
    squares, labels = load_symbols(shards)
    images, targets = torch.from_numpy(squares).unsqueeze(1), torch.from_numpy(labels)
    network = SymbolNetwork(len(SYMBOL_CLASSES))

    def losses(step: int) -> Iterator[Callable[[], Tensor]]:
        random = np.random.default_rng([course.seed, step])
        while True:
            order = random.permutation(len(labels))
            for start in range(0, len(order) - course.batch + 1, course.batch):
                chosen = torch.from_numpy(order[start : start + course.batch])
                shift = random.integers(-_SHIFT, _SHIFT + 1, 2).tolist()
                batch = torch.roll(images[chosen], shift, (2, 3)).float() / 255
                batch = _weakened(batch, random)
                wanted = targets[chosen]
                yield lambda batch=batch, wanted=wanted: nn.functional.cross_entropy(  # type: ignore[misc]
                    network(batch)[0], wanted, label_smoothing=_SMOOTHING
                )

    return _run(network, losses, course, checkpoint)


def train_lines(shards: Sequence[Path], classes: int, course: Course, checkpoint: Path) -> LineNetwork:
    """The line network after its course: first with the places of characters given, then aligning by itself.

    Args:
        shards: samples of the training part.
        classes: how many characters, with the one for none.
        course: how long and how fast; its batch counts lines.
        checkpoint: where progress is kept and taken up again.
    """
    lines = Lines.load(shards)
    network = LineNetwork(classes)

    def losses(step: int) -> Iterator[Callable[[], Tensor]]:
        random = np.random.default_rng([course.seed, step])
        while True:
            for batch in batches_of_lines(lines, course.batch, random):
                placed = step < _WRITTEN_OUT * course.cycles[0]
                loss = _placed_loss if placed else _aligned_loss
                step += 1
                batch.images = _weakened(batch.images, random)
                yield lambda batch=batch, loss=loss: loss(network, batch)  # type: ignore[misc]

    return _run(network, losses, course, checkpoint)


def _weakened(images: Tensor, random: np.random.Generator) -> Tensor:
    """Strokes of other strength: a power of each sample's own."""
    power = torch.from_numpy(np.exp(random.normal(0, 0.25, len(images))).astype(np.float32))
    return images ** power.view(-1, 1, 1, 1)


def _placed_loss(network: LineNetwork, batch: LineBatch) -> Tensor:
    """Cross-entropy where characters stand, and where surely none stands."""
    seen = network.along(batch.images)
    wanted = batch.wanted[:, : seen.shape[1]]
    chance = torch.rand(wanted.shape)
    used = (wanted > 0) | ((wanted == 0) & (chance < _BLANK_FRAMES))
    return nn.functional.cross_entropy(network.classify(seen[used]), wanted[used], label_smoothing=_SMOOTHING)


def _aligned_loss(network: LineNetwork, batch: LineBatch) -> Tensor:
    """CTC (Graves et al., 2006)."""
    scores, _ = network(batch.images)
    steps = torch.clamp(batch.steps, max=scores.shape[1])
    return nn.functional.ctc_loss(
        scores.float().log_softmax(2).transpose(0, 1), batch.texts, steps, batch.lengths, zero_infinity=True
    )


def _run(
    network: Network,
    losses: Callable[[int], Iterator[Callable[[], Tensor]]],
    course: Course,
    checkpoint: Path,
) -> Network:
    torch.manual_seed(course.seed)
    averaged = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(_AVERAGED), use_buffers=True
    )
    network = network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.02)
    step = _take_up(checkpoint, network, averaged, optimiser)
    batches = losses(step)
    report = _Report(course, step)
    kept = time.monotonic()
    network.train()
    while step < course.steps:
        for group in optimiser.param_groups:
            group["lr"] = course.rate_at(step)
        with torch.autocast("cpu", torch.bfloat16):
            loss = next(batches)()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        averaged.update_parameters(network)
        step += 1
        report.note(step, float(loss.detach()))
        if time.monotonic() - kept > _CHECKPOINT_S or step == course.steps:
            _keep(checkpoint, step, network, averaged, optimiser)
            kept = time.monotonic()
    result: Network = averaged.module  # type: ignore[assignment]
    return result.eval()


class _Report:
    """Says now and then how far a course is."""

    def __init__(self, course: Course, step: int) -> None:
        self._course, self._said = course, step
        self._started = self._at = time.monotonic()
        self._losses: list[float] = []

    def note(self, step: int, loss: float) -> None:
        self._losses.append(loss)
        now = time.monotonic()
        if now - self._at > _REPORT_S or step == self._course.steps:
            rate = (step - self._said) * self._course.batch / (now - self._at)
            mean = sum(self._losses) / len(self._losses)
            so_far = f"step {step}/{self._course.steps}  loss {mean:.4f}"
            print(f"{so_far}  {rate:.0f} samples/s  {now - self._started:.0f} s", flush=True)
            self._at, self._said, self._losses = now, step, []


def _keep(checkpoint: Path, step: int, *parts: object) -> None:
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    partial = checkpoint.with_suffix(".part")
    torch.save({"step": step, "parts": [part.state_dict() for part in parts]}, partial)  # type: ignore[attr-defined]
    partial.rename(checkpoint)


def _take_up(checkpoint: Path, *parts: object) -> int:
    if not checkpoint.exists():
        return 0
    kept = torch.load(checkpoint, weights_only=True)
    for part, state in zip(parts, kept["parts"], strict=True):
        part.load_state_dict(state)  # type: ignore[attr-defined]
    return int(kept["step"])
