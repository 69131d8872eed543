"""From trained networks to the ONNX files that the program ships: export, quantisation, comparison, metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from ocr.model_file import FACTS_KEY
from ocr.network_input import LINE_HEIGHT, LINE_PADDING, SYMBOL_SIDE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from ocr.model_file import ModelFacts

OPSET = 18
_AGREEMENT = 1e-3


def export_network(
    network: nn.Module, sample: torch.Tensor, path: Path, free_axes: Mapping[int, str]
) -> None:
    """A network as ONNX, compared with its original on the sample.

    Args:
        network: gives two tensors, scores and embedding.
        sample: an input, float32.
        path: to write.
        free_axes: of the input, by number, with their names.

    Raises:
        ValueError: ONNX gives something else than PyTorch.
    """
    network = network.float().eval().to(memory_format=torch.contiguous_format)
    with torch.inference_mode():
        expected = [part.numpy() for part in network(sample)]
    torch.onnx.export(
        network,
        (sample,),
        str(path),
        input_names=["ink"],
        output_names=["scores", "embedding"],
        dynamic_shapes=(dict.fromkeys(free_axes, torch.export.Dim.AUTO),),
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
    )
    found = _session(path).run(None, {"ink": sample.numpy()})
    worst = max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True))
    if worst > _AGREEMENT:
        message = f"{path.name} differs from PyTorch by {worst:.5f}"
        raise ValueError(message)
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, differs from PyTorch by {worst:.1e}")


class _Samples(CalibrationDataReader):
    def __init__(self, batches: Sequence[NDArray[np.float32]]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"ink": batch}


def quantise(
    path: Path, target: Path, batches: Sequence[NDArray[np.float32]], keep: Sequence[str] = ()
) -> None:
    """An ONNX file with 8-bit weights and activations in its convolutions and products.

    Args:
        path: of the exact model.
        target: to write.
        batches: inputs from which the ranges of activations are taken.
        keep: names of nodes that stay exact.
    """
    prepared = path.with_suffix(".prepared.onnx")
    quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared),
        str(target),
        _Samples(batches),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=list(keep),
        extra_options={"ActivationSymmetric": False},
    )
    prepared.unlink()


def write_facts(path: Path, facts: ModelFacts) -> None:
    """Put into a model file what its reader must know, in place of what stood there."""
    model = onnx.load(path)
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = FACTS_KEY, facts.model_dump_json()
    _forget_origins(model.graph)
    onnx.save(model, path)


def _forget_origins(graph: onnx.GraphProto) -> None:
    """Drop what the exporter notes of where each node comes from: lines and folders of the machine it ran on."""
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]


def symbol_sample() -> torch.Tensor:
    """An input of the symbol network."""
    return torch.rand(3, 1, SYMBOL_SIDE, SYMBOL_SIDE, generator=torch.Generator().manual_seed(1))


def line_sample() -> torch.Tensor:
    """An input of the line network."""
    width = 4 * 50 + 2 * LINE_PADDING
    return torch.rand(2, 1, LINE_HEIGHT, width, generator=torch.Generator().manual_seed(1))


def _session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
