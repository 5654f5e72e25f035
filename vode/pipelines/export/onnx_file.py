"""ONNX files: made of a program, described, and run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
import onnxruntime
import torch
from torch import Tensor

from vode.pipelines.export.graphs import Graph

SIDES = {"float": ("batch", "", "height", "width"), "uint8": ("batch", "height", "width", "")}


def onnx_bytes(program: torch.export.ExportedProgram, graph: Graph) -> bytes:
    """The content of an ONNX file for a traced graph."""
    names: dict[str, Any] = {"input_names": list(graph.inputs), "output_names": list(graph.outputs)}
    made = torch.onnx.export(program, dynamo=True, verbose=False, **names)
    assert made is not None
    proto = made.model_proto
    # the exporter notes from which lines of which files on this machine each node comes
    for node in proto.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    del proto.graph.value_info[:]
    _name_dimensions(proto, "uint8" if graph._bytes_in else "float")
    return proto.SerializeToString()


def with_metadata(data: bytes, metadata: Mapping[str, str]) -> bytes:
    """The same file with ``metadata`` as its properties."""
    proto = onnx.load_from_string(data)
    onnx.helper.set_model_props(proto, dict(metadata))
    proto.producer_name, proto.producer_version = "vode", metadata["vode"]
    onnx.checker.check_model(proto)
    return proto.SerializeToString()


class Session:
    """An ONNX file run by onnxruntime on the CPU; ``threads``: 0 for one a core."""

    def __init__(self, data: bytes, *, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # 3: errors alone
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self.inputs = tuple(value.name for value in self._session.get_inputs())
        self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)

    def __call__(self, *arguments: Tensor) -> tuple[Tensor, ...]:
        """The outputs for the inputs, in the order of the file."""
        given = {name: x.contiguous().numpy() for name, x in zip(self.inputs, arguments, strict=True)}
        return tuple(torch.from_numpy(x) for x in self._session.run(None, given))


def _name_dimensions(proto: onnx.ModelProto, image: str) -> None:
    """Call dimensions of any length batch, height and width."""
    for values, sides in ((proto.graph.input, SIDES[image]), (proto.graph.output, SIDES["float"])):
        for value in values:
            for dimension, name in zip(value.type.tensor_type.shape.dim, sides, strict=False):
                if name and not dimension.HasField("dim_value"):
                    dimension.dim_param = name
