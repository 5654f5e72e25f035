"""``export_model``: the networks of a model written as files, each compared with the network that it came from."""

from __future__ import annotations

import copy
import io
import json
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

import vode
from vode.errors import InputError
from vode.io.atomic import make_folder, write_bytes
from vode.model import Model, load
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.pipelines.export.graphs import Graph, graph_of, traced
from vode.pipelines.export.images import rendered
from vode.pipelines.export.options import ExportOptions, Kind, Target
from vode.run_folder import find_run

SUFFIXES: dict[Target, str] = {"onnx": ".onnx", "torch-export": ".pt2"}
METADATA = "vode.json"
"""the file of an exported program that says what its numbers mean"""
TOLERANCE = 1e-4
"""largest difference of depth, relative, and of flow, relative to its length or one pixel, in 32 bits"""


@dataclass(frozen=True)
class Exported:
    """A file that was written, and how far its results are from the network's."""

    file: Path
    metadata: dict[str, str]

    def __str__(self) -> str:
        return f"{self.file}: {self.file.stat().st_size / 1e6:.1f} MB, {self.metadata['difference']}"


def export_model(
    source: Path | str, to: Target, out: Path | None = None, options: ExportOptions = ExportOptions()
) -> list[Exported]:
    """Write the networks of a run, or of shipped weights, into the folder ``out``, by default ``export`` in the run's.

    Results are compared with the network's on two rendered images. InputError for options that contradict one another,
    and if a file in 32 bits gives anything else than the network; nothing is left of it then.
    """
    options.check(to)
    model = load(source, device="cpu")
    folder = (find_run(source).output("export") if out is None else out).absolute()
    written = []
    for kind in options.networks:
        data, metadata = _content(model, kind, to, options)
        file = make_folder(folder) / f"{kind}{SUFFIXES[to]}"
        write_bytes(file, data)
        written.append(Exported(file, metadata))
    return written


@dataclass(frozen=True)
class _Made:
    """A graph as its target has it: the content of an ONNX file, or a program."""

    graph: Graph
    content: bytes | torch.export.ExportedProgram

    def __call__(self, *arguments: Tensor) -> Tensor:
        """Its results, one above the other."""
        if isinstance(self.content, bytes):
            from vode.pipelines.export.onnx_file import Session

            return torch.stack(Session(self.content)(*arguments))
        results = self.content.module()(*arguments)
        return torch.stack(results) if isinstance(results, tuple) else results[None]


def _make(network: DepthNet | FlowNet, to: Target, size: tuple[int, int], options: ExportOptions) -> _Made:
    """A network's graph for images of ``size``, or of any."""
    graph = graph_of(network, options)
    program = traced(graph, size, dynamic=options.dynamic)
    if to == "torch-export":
        return _Made(graph, program)
    from vode.pipelines.export.onnx_file import onnx_bytes

    return _Made(graph, onnx_bytes(program, graph))


def _content(model: Model, kind: Kind, to: Target, options: ExportOptions) -> tuple[bytes, dict[str, str]]:
    """The content of a network's file, and what it says of itself."""
    network, size = model.depth if kind == "depth" else model.flow, options.size or model.size
    compared = made = _make(network, to, size, options)
    edges = isinstance(network, DepthNet) and network.options.edge_ratio > 0
    if isinstance(network, DepthNet) and edges:
        # where edges are made steps, a last digit may decide between near and far
        network = copy.copy(network)
        network.options = replace(network.options, edge_ratio=0.0)
        compared = _make(network, to, size, options)
    difference = _difference(compared, network, size)
    if options.precision != "float16" and not difference <= TOLERANCE:
        raise InputError(f"{kind}: the exported graph's results differ by {difference:.2g}; try another torch", "to")
    words = "of the flow, or pixels below 1" if kind == "flow" else "of the depth"
    told = f"largest difference {difference:.2g} {words}" + (", before its edges are made steps" if edges else "")
    metadata = describe(model, kind, options) | {"difference": told}
    if isinstance(made.content, bytes):
        from vode.pipelines.export.onnx_file import with_metadata

        content = made.content
        if options.precision == "int8":
            from vode.pipelines.export.eight_bits import quantised

            content, metadata["difference"] = quantised(content, made.graph, size)
        return with_metadata(content, metadata), metadata
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # "No complete tensor found" is said of some layouts of weights, which are the same when read again
        warnings.simplefilter("ignore", UserWarning)
        torch.export.save(made.content, buffer, extra_files={METADATA: json.dumps(metadata, indent=1)})
    return buffer.getvalue(), metadata


def describe(model: Model, kind: Kind, options: ExportOptions) -> dict[str, str]:
    """What a file says of itself, by name."""
    depth, (height, width) = model.depth.options, options.size or model.size
    images = "float32 RGB (N, 3, H, W) in 0..1" if options.image == "float" else "uint8 RGB (N, H, W, 3) in 0..255"
    told = {
        "vode": vode.__version__,
        "model": model.source,
        "licence": find_run(model.source).licence(),
        "network": kind,
        "precision": options.precision,
        "size": "any of 64 pixels and more" if options.dynamic else f"height {height}, width {width}",
        "trained_size": f"height {model.size[0]}, width {model.size[1]}",
        "images": images,
        "preprocessing": "normalisation and padding are in the graph; resize images before, bilinear, antialiased, "
        + ("without changing their aspect" if model.metric else "whatever their aspect"),
    }
    if kind == "flow":
        return told | {"output": "flow_ab, flow_ba (N, 2, H, W): pixels of the images given, x then y"}
    if not model.metric:
        return told | {"output": "depth (N, 1, H, W) up to one scale", "unit": "unknown"}
    focal = "focal (N,) float32: vertical focal length in pixels of the images as they are given"
    return told | {
        "output": "depth (N, 1, H, W) along the optical axis, metres",
        "unit": "metres",
        "canonical_focal": f"{depth.canonical_focal:g}",
        "focal": f"{focal}; where it is unknown, the canonical one",
    }


@torch.no_grad()
def _difference(made: _Made, network: DepthNet | FlowNet, size: tuple[int, int]) -> float:
    """The largest difference from the network in 32 bits, relative, on two rendered images."""
    sequence = rendered(size)
    image_a, image_b = (sequence.frame(i)[None] for i in (0, 1))
    focal = float(sequence.intrinsics[1, 1])
    found = made(*made.graph.arguments(image_a, image_b, focal))
    if isinstance(network, DepthNet):
        scale = expected = network.depth(image_a, focal)[None]
    else:
        expected = torch.stack([flows[0] for flows in network(image_a, image_b)])
        scale = expected.norm(dim=2, keepdim=True).clamp(min=1.0)
    return float(((found - expected).abs() / scale).max())
