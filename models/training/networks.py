"""The two networks: one for a single character, one for a line of them in either direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ocr.network_input import LINE_HEIGHT, LINE_PADDING, LINE_STEP

if TYPE_CHECKING:
    from collections.abc import Sequence


def _convolution(before: int, after: int, side: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, side, stride=stride, padding=side // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class SymbolNetwork(nn.Module):
    """Squares of one character to class scores and an embedding.

    Args:
        classes: how many.
        width: channels of the first stage.
    """

    def __init__(self, classes: int, width: int = 24) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _convolution(1, width, 5, stride=2),
            _convolution(width, width + 8),
            nn.MaxPool2d(2),
            _convolution(width + 8, 64),
            _convolution(64, 64),
            _convolution(64, 128, stride=2),
            _convolution(128, 128),
        )
        self.embed = nn.Sequential(nn.Flatten(), nn.Linear(128 * 25, 160, bias=False), nn.BatchNorm1d(160))
        self.classify = nn.Sequential(nn.ReLU(), nn.Dropout(0.2), nn.Linear(160, classes))

    def forward(self, squares: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (n, classes) and embeddings of unit length (n, 160) of squares (n, 1, side, side), 0 to 1."""
        embedding = self.embed(self.features(squares))
        return self.classify(embedding), nn.functional.normalize(embedding)


class LineNetwork(nn.Module):
    """Strips of writing to class scores along the line, class 0 being none (the blank of CTC).

    A window of LINE_HEIGHT by LINE_HEIGHT slides along the strip in steps of LINE_STEP pixels. Nothing in it knows
    which way the line runs: across the line the window fits exactly once, so the same weights read lines that run to
    the right and lines that run downward.

    Args:
        classes: how many.
        width: channels that the window is summed up in.
    """

    def __init__(self, classes: int, width: int = 224) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _convolution(1, 24, 5, stride=2),
            _convolution(24, 48),
            nn.MaxPool2d(2),
            _convolution(48, 96),
            _convolution(96, 96),
        )
        self.window = nn.Sequential(
            nn.Conv2d(96, width, 4, dilation=3, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.context = nn.Sequential(
            nn.Conv1d(width, width, 5, padding=2, groups=width, bias=False),
            nn.Conv1d(width, width, 1, bias=False),
            nn.BatchNorm1d(width),
        )
        self.classify = nn.Linear(width, classes)

    def along(self, strips: Tensor) -> Tensor:
        """What stands at each step: (n, steps, width), for strips (n, 1, height, width) padded by LINE_PADDING."""
        seen = self.window(self.features(strips)).flatten(2)
        return torch.relu(seen + self.context(seen)).transpose(1, 2)

    def forward(self, strips: Tensor) -> tuple[Tensor, Tensor]:
        """Class scores (n, steps, classes) and what they follow from (n, steps, width)."""
        seen = self.along(strips)
        return self.classify(seen), seen


def pad_strips(strips: Sequence[Tensor]) -> Tensor:
    """Strips of one direction as one tensor, as long as the longest, 0 to 1.

    Args:
        strips: uint8 (LINE_HEIGHT, width) or (height, LINE_HEIGHT).
    """
    vertical = strips[0].shape[1] == LINE_HEIGHT and any(strip.shape[0] != LINE_HEIGHT for strip in strips)
    longest = max(strip.shape[0 if vertical else 1] for strip in strips)
    steps = -(-longest // LINE_STEP)
    total = steps * LINE_STEP + 2 * LINE_PADDING
    shape = (len(strips), 1, total, LINE_HEIGHT) if vertical else (len(strips), 1, LINE_HEIGHT, total)
    batch = torch.zeros(shape)
    for row, strip in zip(batch, strips, strict=True):
        place = slice(LINE_PADDING, LINE_PADDING + strip.shape[0 if vertical else 1])
        if vertical:
            row[0, place] = strip.float() / 255
        else:
            row[0, :, place] = strip.float() / 255
    return batch
