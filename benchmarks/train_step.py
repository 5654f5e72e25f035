"""What a training step costs, part by part, beside the same step computed the way of the released reference code.

    python benchmarks/train_step.py [--sizes 256 832] [--batches 1 2 4 8] [--stages flow depth joint]

Networks' forward and backward passes are told from the rest by cutting the graph at their outputs. The reference's
way is built here alone: features of each image computed anew for each direction, directions and images in passes of
their own, a cost volume of 81 slices, a robust solver on the host, one sample after the other, and tensors laid out
channel by channel, as there was no other way when it was written. Both take turns.
"""

from __future__ import annotations

import functools
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal
from unittest import mock

import torch
import torch.nn.functional as F
import tyro
from report import machine, table
from torch import Tensor, nn

from vode.datasets.sample import collate
from vode.geometry import two_view, warp
from vode.memory import keep_freed_memory
from vode.networks.flow import SLOPE, FlowNet, normalise_features
from vode.recipes import recipe
from vode.training import loop
from vode.training.clip_dataset import ClipDataset
from vode.training.config import VideoConfig
from vode.training.distributed import Group, device_name
from vode.training.step import Stepper
from vode.training.tasks import depth, flow, joint
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

PARTS = ("network forward", "geometry", "losses", "losses backward", "network backward", "rest")


@dataclass(frozen=True)
class Options:
    """What is measured."""

    size: tuple[int, int] = (256, 832)
    batches: tuple[int, ...] = (1, 2, 4)
    stages: tuple[str, ...] = ("flow", "depth", "joint")
    turns: int = 3
    precision: str = "float32"
    device: str = "auto"
    reference: bool = True
    """measure the reference's way too, on the joint stage"""
    reference_batch: int = 2
    way: Literal["ours", "reference"] | None = None
    """time a whole joint step of one way alone"""


def main(options: Options) -> None:
    device = torch.device(device_name(options.device))
    config = replace(recipe("kitti-odom"), size=options.size, precision=options.precision, device=str(device))
    if options.way is not None:
        print(whole_step(config, options.way, options.batches[0], options.turns, device))
        return
    print(machine())
    keep_freed_memory(device)
    rows = []
    for name in options.stages:
        for batch in options.batches:
            rows.append([name, batch, *measured(config, name, batch, options.turns, device)])
    head = ["stage", "batch", "ms", *PARTS, "not networks", "GiB"]
    print(table(head, rows))
    if options.reference:
        ours, theirs = beside_reference(options)
        print(
            f"\njoint, batch {options.reference_batch}: {ours:.0f} ms; reference {theirs:.0f} ms; {ours / theirs:.2f}"
        )


def measured(config: VideoConfig, name: str, batch: int, turns: int, device: torch.device) -> list[str]:
    """Time of a step, shares of its parts, and the memory that it takes."""
    step, sample = prepared(config, name, batch, device)
    times: dict[str, list[float]] = defaultdict(list)
    for turn in range(turns + 1):
        split = Split(device)
        with split.of(step):
            start = split.now()
            step(iter([sample]), 0)
            split.spent["total"] = split.now() - start
        if turn:
            for part in (*PARTS[:-1], "total"):
                times[part].append(split.spent[part])
    total = statistics.median(times["total"])
    shares = {part: statistics.median(times[part]) / total for part in PARTS[:-1]}
    shares["rest"] = 1 - sum(shares.values())
    networks = shares["network forward"] + shares["network backward"]
    shown = [f"{100 * shares[part]:.1f} %" for part in PARTS]
    return [f"{1000 * total:.0f}", *shown, f"{100 * (1 - networks):.1f} %", f"{memory(device):.2f}"]


def prepared(config: VideoConfig, name: str, batch: int, device: torch.device) -> tuple[Stepper, dict[str, Tensor]]:
    """A step of a stage, and a raw batch of the built-in world."""
    torch.manual_seed(0)
    networks = loop.build_networks(config, device)
    stage_options = dict(config.plan())[name]
    task = loop.build_task(name, config, networks)
    for network in networks.values():
        network.requires_grad_(network in task.trained()).train(network in task.trained())
    step = Stepper(task, config, stage_options, Group(0, 1, device), None)
    pairs = ClipDataset([WorldSequence(0, WorldOptions(size=config.size, frames=batch + 1))], raw=True)
    return step, collate([pairs[i] for i in range(batch)])


class Split:
    """Times the parts of a step, whose graph is cut at the networks' outputs: each part has its own backward."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.spent = device, defaultdict(float)
        self._cut: list[tuple[Tensor, Tensor]] = []

    @contextmanager
    def of(self, step: Stepper) -> Iterator[None]:
        """The steps taken in this context are split."""
        run, motion = flow.run_network, joint.motion_from_flow
        forward, backward = step._model.forward, Tensor.backward

        def timed_run(network: nn.Module, *images: Tensor, mixed: torch.dtype | None) -> object:
            with self.clock("network forward"):
                return self._leaves(run(network, *images, mixed=mixed))

        def timed_motion(*arguments: object) -> object:
            with self.clock("geometry"):
                return motion(*arguments)

        def timed_forward(batch: dict[str, Tensor]) -> object:
            start = self.now()
            found = forward(batch)
            self.spent["losses"] = self.now() - start - self.spent["network forward"] - self.spent["geometry"]
            return found

        def split_backward(loss: Tensor) -> None:
            with self.clock("losses backward"):
                backward(loss)
            with self.clock("network backward"):
                used = [(found, leaf.grad) for found, leaf in self._cut if leaf.grad is not None]
                torch.autograd.backward([found for found, _ in used], [grad for _, grad in used])

        with (
            patched("run_network", timed_run),
            patched("motion_from_flow", timed_motion),
            mock.patch.object(step._model, "forward", timed_forward),
            mock.patch.object(Tensor, "backward", split_backward),
        ):
            yield

    @contextmanager
    def clock(self, part: str) -> Iterator[None]:
        start = self.now()
        yield
        self.spent[part] += self.now() - start

    def now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def _leaves(self, found: object) -> object:
        """The same nest of lists of tensors that are leaves, each noted beside the one that it stands for."""
        if not isinstance(found, Tensor):
            return type(found)(map(self._leaves, found))
        leaf = found.detach().requires_grad_(found.requires_grad)
        if found.requires_grad:
            self._cut.append((found, leaf))
        return leaf


@contextmanager
def patched(name: str, replacement: object) -> Iterator[None]:
    """The tasks call ``replacement`` in place of what they import as ``name``."""
    with ExitStack() as stack:
        for module in (flow, depth, joint):
            if hasattr(module, name):
                stack.enter_context(mock.patch.object(module, name, replacement))
        yield


def memory(device: torch.device) -> float:
    """GiB at the peak: of the GPU, or of the whole process so far."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def beside_reference(options: Options) -> tuple[float, float]:
    """Milliseconds of a whole joint step, ours and the reference's way, each in processes of its own, in turns."""
    times: dict[str, list[float]] = {"ours": [], "reference": []}
    for _ in range(options.turns):
        for way, found in times.items():
            command = [
                sys.executable,
                __file__,
                "--way",
                way,
                "--turns",
                "2",
                "--batches",
                str(options.reference_batch),
            ]
            command += ["--size", *map(str, options.size), "--device", options.device, "--precision", options.precision]
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found.append(float(told.split()[-1]))
    return statistics.median(times["ours"]), statistics.median(times["reference"])


def whole_step(config: VideoConfig, way: str, batch: int, turns: int, device: torch.device) -> float:
    """Milliseconds of the fastest of some joint steps, ours or the reference's way."""
    if way == "ours":
        keep_freed_memory(device)
    step, sample = prepared(replace(config, channels_last=way == "ours"), "joint", batch, device)
    clock, times = Split(device), []
    with nullcontext() if way == "ours" else reference():
        for _ in range(turns + 1):
            start = clock.now()
            step(iter([sample]), 0)
            times.append(clock.now() - start)
    return 1000 * min(times[1:])


@contextmanager
def reference() -> Iterator[None]:
    """The reference's way of computing a step."""
    run = flow.run_network

    def run_apart(network: nn.Module, *images: Tensor, mixed: torch.dtype | None) -> object:
        if isinstance(network, FlowNet):
            return tuple(flow_one_way(network, *pair) for pair in (images, images[::-1]))
        found = [run(network, part, mixed=mixed) for part in images[0].chunk(2)]
        return [torch.cat(scales) for scales in zip(*found, strict=True)]

    solve = functools.partial(two_view.relative_pose, options=two_view.TwoViewOptions(backend="opencv"))
    with (
        patched("run_network", run_apart),
        mock.patch.object(two_view, "relative_pose", solve),
    ):
        yield


def flow_one_way(network: FlowNet, image_a: Tensor, image_b: Tensor) -> list[Tensor]:
    """Flow at 4 scales, from features that are computed for this direction alone."""
    features_a, features_b = (network._features(image) for image in (image_a, image_b))
    estimate, found = None, {}
    for level in range(6, 1, -1):
        a, b = features_a[level - 1], features_b[level - 1]
        matched_a, matched_b = normalise_features(a), normalise_features(b)
        if estimate is not None:
            estimate = warp.resize_flow(estimate, a.shape[-2:])
            matched_b = warp.backward_warp(matched_b, estimate)
        cost = F.leaky_relu(sliced_cost_volume(matched_a, matched_b, network.options.search), SLOPE)
        features, residual = network.decoders[str(level)](
            cost if estimate is None else torch.cat([cost, a, estimate], 1)
        )
        estimate = residual if estimate is None else estimate + residual
        if level == 2:
            estimate = estimate + network.context(torch.cat([features, estimate], 1))
        found[level] = estimate
    height, width = image_a.shape[-2:]
    return [warp.resize_flow(found[min(max(k, 2), 3)], (height >> k, width >> k)) for k in range(4)]


def sliced_cost_volume(features_a: Tensor, features_b: Tensor, search: int) -> Tensor:
    """The cost volume a displacement at a time."""
    height, width = features_a.shape[-2:]
    padded = F.pad(features_b, [search] * 4)
    size = 2 * search + 1
    return torch.stack(
        [
            (features_a * padded[..., dy : dy + height, dx : dx + width]).sum(1)
            for dy in range(size)
            for dx in range(size)
        ],
        1,
    )


if __name__ == "__main__":
    main(tyro.cli(Options))
