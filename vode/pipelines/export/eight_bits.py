"""Depth in 8 bits: an encoder that computes in them by static quantisation, and kernels of 8 bits everywhere."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from torch import Tensor

from vode.evaluation.depth import evaluate_depth
from vode.pipelines.export.graphs import Graph
from vode.pipelines.export.images import Sample, everywhere
from vode.pipelines.export.onnx_file import Session

CALIBRATION, HELD_OUT = 50_000, 60_000
"""first seeds of the rendered images that ranges are found on, and of those that tell the loss"""
ENCODER = "network.encoder."
OUTPUTS = {"Conv": 0, "ConvTranspose": 1}
"""the axis of a kernel's outputs"""


@torch.no_grad()
def quantised(content: bytes, graph: Graph, size: tuple[int, int]) -> tuple[bytes, str]:
    """The ONNX file ``content`` of a depth graph with kernels of 8 bits, a scale for each output, and what it loses.

    The encoder's convolutions, all but the first, also compute in 8 bits, with ranges from rendered images of ``size``
    (height, width). The decoder's do not: what its ELUs give reaches from -1 to thousands, and 8 bits would lose all
    that lies near -1.
    """
    inputs = [graph.arguments(image, image, focal) for image, focal, _ in everywhere(size, CALIBRATION)]
    coarse = _with_coarse_kernels(_computing_in_8_bits(content, graph.inputs, inputs))
    held_out = everywhere(size, HELD_OUT)
    exact, ours = (_abs_rel(Session(each), graph, held_out) for each in (content, coarse))
    return coarse, f"AbsRel {ours:.3f} on {len(held_out)} rendered images, {exact:.3f} in 32 bits"


class _Reader(CalibrationDataReader):
    """The inputs of a graph, one after the other."""

    def __init__(self, names: Sequence[str], inputs: Sequence[tuple[Tensor, ...]]) -> None:
        self._left = ({name: x.numpy() for name, x in zip(names, each, strict=True)} for each in inputs)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._left, None)


def _computing_in_8_bits(content: bytes, names: Sequence[str], inputs: Sequence[tuple[Tensor, ...]]) -> bytes:
    """The file with its encoder computing in 8 bits, as far as there is one."""
    proto = onnx.load_from_string(content)
    convolutions = [node for node in proto.graph.node if node.op_type == "Conv"]
    chosen = [node.name for node in convolutions if node.input[1].startswith(ENCODER)][1:]
    if not chosen:
        return content
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "depth.onnx"
        quantize_static(
            proto,
            str(file),
            _Reader(names, inputs),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            # kernels of 7 bits, as sums of two products overflow on processors without VNNI otherwise
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=chosen,
        )
        return file.read_bytes()


def _with_coarse_kernels(content: bytes) -> bytes:
    """The file with 8 bits in place of 32 for the kernels of all other convolutions, which compute as before."""
    proto = onnx.load_from_string(content)
    values = {each.name: each for each in proto.graph.initializer}
    for node in list(proto.graph.node):
        kernel = values.get(node.input[1]) if node.op_type in OUTPUTS else None
        if kernel is None or kernel.data_type != onnx.TensorProto.FLOAT:
            continue
        name, axis = kernel.name, OUTPUTS[node.op_type]
        weights = numpy_helper.to_array(kernel)
        others = tuple(i for i in range(weights.ndim) if i != axis)
        scale = np.maximum(np.abs(weights).max(others, keepdims=True), 1e-12) / 127
        levels = np.round(weights / scale).astype(np.int8)
        parts = {f"{name}_levels": levels, f"{name}_scale": scale.ravel().astype(np.float32)}
        proto.graph.initializer.remove(kernel)
        proto.graph.initializer.extend(numpy_helper.from_array(value, part) for part, value in parts.items())
        exact = helper.make_node("DequantizeLinear", list(parts), [name], f"{name}_exact", axis=axis)
        proto.graph.node.insert(0, exact)
    return proto.SerializeToString()


def _abs_rel(session: Session, graph: Graph, samples: Sequence[Sample]) -> float:
    """Mean absolute relative error of a file's depth, median scaling, up to 80 m."""
    depths = [session(*graph.arguments(image, image, focal))[0][0] for image, focal, _ in samples]
    found = evaluate_depth(depths, [depth[0] for _, _, depth in samples])["abs_rel"]
    assert isinstance(found, float)
    return found
