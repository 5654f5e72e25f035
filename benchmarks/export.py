"""Frames a second of depth and of flow, both directions, by torch in 32 and 16 bits and by onnxruntime (depth
also with kernels of 8 bits), on the CPU.

    python benchmarks/export.py [--model vode-small] [--threads 1] [--turns 10]

Consecutive rendered frames of the size that the model works at, as a tracker asks for them. Ways take turns; medians.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
import tyro
from report import machine, table

from vode.model import Model, load
from vode.odometry.frames import Frame
from vode.odometry.perception import Networks
from vode.odometry.sources.concurrent_networks import ConcurrentNetworks
from vode.pipelines.export.eight_bits import quantised
from vode.pipelines.export.graphs import graph_of, traced
from vode.pipelines.export.images import rendered
from vode.pipelines.export.onnx_file import Session, onnx_bytes
from vode.pipelines.export.perception import OnnxNetworks


@dataclass(frozen=True)
class Options:
    """What is measured."""

    model: Path = Path("vode-small")
    threads: int = 1
    turns: int = 10


class CoarseNetworks(OnnxNetworks):
    """Depth with kernels of 8 bits; flow in 32."""

    def __init__(self, model: Model) -> None:
        super().__init__(model, model.size)
        graph = graph_of(model.depth)
        content, told = quantised(onnx_bytes(traced(graph, model.size), graph), graph, model.size)
        print(f"int8: {len(content) / 1e6:.1f} MB, {told}")
        self._depth = Session(content, threads=torch.get_num_threads())


@torch.no_grad()
def main(options: Options) -> None:
    """Print the machine and a table."""
    torch.set_num_threads(options.threads)
    model = load(options.model, device="cpu")
    ways = {
        "torch, float32": Networks(model.flow, model.depth),
        "torch, bfloat16": ConcurrentNetworks(model.flow, model.depth),
        "onnxruntime, float32": OnnxNetworks(model, model.size),
        "onnxruntime, depth in int8": CoarseNetworks(model),
    }
    sequence = rendered(model.size)
    intrinsics = sequence.intrinsics[None].float()
    frames = [Frame(i, sequence.frame(i)[None], intrinsics) for i in range(options.turns + 3)]
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for a, b in pairwise(frames):
        for name, way in ways.items():
            times = [time.perf_counter()]
            way.flow(a, b)
            times.append(time.perf_counter())
            way.depth(b)
            times.append(time.perf_counter())
            seconds[name].append((times[1] - times[0], times[2] - times[1]))
    rows = []
    for name, taken in seconds.items():
        # the first two of each are not counted
        flow, depth = (statistics.median(times) for times in zip(*taken[2:], strict=True))
        rows.append([name, f"{1 / depth:.1f}", f"{1 / flow:.1f}", f"{1 / (depth + flow):.1f}"])
    print(machine("onnxruntime"))
    print(f"images of {model.size[1]}x{model.size[0]}, {options.turns} turns")
    print(table(["way", "depth", "flow", "both"], rows))


if __name__ == "__main__":
    main(tyro.cli(Options))
