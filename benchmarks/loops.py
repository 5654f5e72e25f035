"""Loops closed on courses of the rendered world that come back to where they began, with drift added to exact motions.

Depth is exact but for the drift of its scale. A keyframe revisits where the camera was within 3 m and 20 degrees of it
before; a loop is false where it is off by more than 1 m or 5 degrees. With weights the courses are tracked by their
depth and flow in place of that, without and with loops.

python benchmarks/loops.py [vode-small] [--seeds 5] [--first 500] [--scenes town] [--scale 0.5] [--turn 0.2 1.0]
python benchmarks/loops.py --laps 60 --turn 0.3

The second goes over the first course again and again, where every keyframe could bring a loop.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from report import machine, table
from torch import Tensor

from vode.evaluation.odometry import evaluate_odometry
from vode.geometry import similarity
from vode.geometry.pose import inverse, relative, rotation_angle, se3_exp
from vode.io.trajectory import Trajectory
from vode.model import Model, load
from vode.odometry.frames import Frame
from vode.odometry.loop_closure.closure import LoopCloser
from vode.odometry.loop_closure.verification import Loop
from vode.odometry.options import LoopOptions
from vode.odometry.visual_odometry import VisualOdometry
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

FIRST_SEED = 500
EVERY = 1.0
"""metres between frames that are offered as keyframes"""
NEAR, TURNED = 3.0, math.radians(20)
OFF, ASKEW = 1.0, math.radians(5)
HEADINGS = (
    *("scene", "seed", "turn deg", "metres", "keyframes", "revisits", "found", "false", "ATE m before", "after"),
    *("t_err % before", "after", "scale off % before", "after", "ms a keyframe", "kB a keyframe"),
)


LAPS_HEADINGS = ("laps", "keyframes", "loops", "ms a keyframe", "longest s", "ATE m before", "after")
REPORTED = 4
"""laps between rows"""


class Drift(NamedTuple):
    """Random walks added to motions."""

    scale: float
    """of the logarithm of the scale, a square root of a metre"""
    turn: float
    """radians, a square root of a metre"""


def drifted(true: Tensor, drift: Drift, seed: int) -> tuple[Tensor, Tensor]:
    """Poses (N, 4, 4) chained from motions with drift, and the scale (N,) that each frame's depth then has."""
    generator = torch.Generator().manual_seed(seed)
    motions = inverse(true[:-1]) @ true[1:]
    root = motions[:, :3, 3].norm(dim=-1).sqrt()
    noise = torch.randn(len(motions), 4, generator=generator, dtype=torch.float64) * root[:, None]
    scales = torch.cat([root.new_zeros(1), (drift.scale * noise[:, 0]).cumsum(0)]).exp()
    motions = motions.clone()
    motions[:, :3, 3] *= scales[:-1, None]
    turns = se3_exp(torch.cat([torch.zeros_like(noise[:, 1:]), drift.turn * noise[:, 1:]], -1))
    poses = [true[0]]
    for motion in motions @ turns:
        poses.append(poses[-1] @ motion)
    return torch.stack(poses), scales


def close(sequence: WorldSequence, poses: Tensor, scales: Tensor, options: LoopOptions) -> tuple[LoopCloser, float]:
    """The loop closer after the sequence, and the milliseconds that a keyframe took it."""
    camera, took, last = sequence.intrinsics[None], 0.0, None
    closer = LoopCloser(sequence.intrinsics, options)
    listed = list(poses.unbind())
    for i in range(len(sequence)):
        if last is not None and (sequence.poses[i] - sequence.poses[last])[:3, 3].norm() < EVERY:
            continue
        last = i
        frame = Frame(i, sequence.frame(i)[None], camera)
        depth = sequence.depth(i)[None] * float(scales[i])
        started = time.perf_counter()
        closer.add(frame, depth, listed[: i + 1])
        took += time.perf_counter() - started
    closer.finish(listed)
    return closer, 1e3 * took / len(closer.keyframes)


def revisits(true: Tensor, gap: int) -> set[int]:
    """Numbers of keyframes, by their true poses (K, 4, 4), that come back to where one was before."""
    away = torch.cdist(true[:, :3, 3], true[:, :3, 3])
    turned = rotation_angle(true[:, None, :3, :3].mT @ true[None, :, :3, :3])
    back = (away < NEAR) & (turned < TURNED) & torch.ones_like(away, dtype=torch.bool).tril(-gap)
    return set(back.any(1).nonzero()[:, 0].tolist())


def is_false(loop: Loop, true: Tensor, scales: Tensor) -> bool:
    """Whether a loop between keyframes of these true poses and scales of depth is off."""
    found, exact = similarity.rigid(loop.S_first_second), relative(true[loop.second], true[loop.first])
    away = found[:3, 3] / scales[loop.first] - exact[:3, 3]
    return bool(away.norm() > OFF) or bool(rotation_angle(found[:3, :3].mT @ exact[:3, :3]) > ASKEW)


def course(kind: str, seed: int, size: tuple[int, int]) -> WorldSequence:
    """A way through the world that ends where it began."""
    return WorldSequence(seed, WorldOptions(size=size, frames=580, scenes=(kind,), closed=True))


def row(kind: str, seed: int, drift: Drift, size: tuple[int, int]) -> list[str]:
    """One course, with and without its loops."""
    options = LoopOptions()
    sequence = course(kind, seed, size)
    true = Trajectory(sequence.poses, sequence.timestamps)
    poses, scales = drifted(sequence.poses, drift, seed)
    closer, took = close(sequence, poses, scales, options)
    frames = torch.tensor([x.frame for x in closer.keyframes])
    due = revisits(sequence.poses[frames], options.gap)
    found = {x.second for x in closer.loops}
    false = sum(is_false(x, sequence.poses[frames], scales[frames]) for x in closer.loops)
    cells = [
        kind,
        str(seed),
        f"{math.degrees(10 * drift.turn):.1f}",
        f"{float(true.distances()[-1]):.0f}",
        str(len(frames)),
    ]
    cells += [str(len(due)), str(len(due & found)), str(false)]
    both = [
        evaluate_odometry(Trajectory(x, sequence.timestamps), true, "7dof") for x in (poses, closer.corrected(poses))
    ]
    cells += [f"{x['ate_m']:.2f}" for x in both] + [f"{x['t_err_percent']:.2f}" for x in both]
    before = scales[frames].log()
    after = before + torch.tensor(list(closer.scales.values()), dtype=torch.float64).log()
    # only their spread counts: a trajectory is aligned with its own scale
    cells += [f"{100 * float(x.std()):.1f}" for x in (before, after)]
    return [*cells, f"{took:.0f}", f"{np.mean([x.nbytes for x in closer.keyframes]) / 1e3:.0f}"]


def learned_row(kind: str, seed: int, model: Model, size: tuple[int, int]) -> list[str]:
    """One course, tracked by the depth and flow of a model without and with loops."""
    sequence = course(kind, seed, size)
    true, scores, took = Trajectory(sequence.poses, sequence.timestamps), [], []
    for loops in (False, True):
        odometry = VisualOdometry(model, sequence.intrinsics, replace(model.tracker, loops=loops))
        started = time.perf_counter()
        for i in range(len(sequence)):
            odometry.register_frame(sequence.frame(i), i / sequence.options.rate)
        odometry.finish()
        took.append(len(sequence) / (time.perf_counter() - started))
        scores.append(evaluate_odometry(odometry.trajectory, true, "7dof"))
    frames = torch.tensor(list(odometry.depth_scales))
    due = revisits(sequence.poses[frames], LoopOptions().gap)
    found = {x.second for x in odometry.loops}
    scales = torch.full((len(frames),), 1 / (scores[0]["scale"] or 1.0), dtype=torch.float64)
    false = sum(is_false(x, sequence.poses[frames], scales) for x in odometry.loops)
    cells = [kind, str(seed), "-", f"{float(true.distances()[-1]):.0f}", str(len(frames))]
    cells += [str(len(due)), str(len(due & found)), str(false)]
    cells += [f"{x[name]:.2f}" for name in ("ate_m", "t_err_percent") for x in scores]
    return [*cells, "-", "-", f"{took[0]:.1f} and {took[1]:.1f} frames/s", "-"]


def laps_rows(kind: str, seed: int, drift: Drift, size: tuple[int, int], laps: int) -> list[list[str]]:
    """Time of the loop closer, and errors, every few laps of a course."""
    sequence, cells, took, last = course(kind, seed, size), [], [0.0], 0
    half = len(sequence) // 2
    lap = half + int((sequence.poses[half:, :3, 3] - sequence.poses[0, :3, 3]).norm(dim=-1).argmin())
    true = sequence.poses[torch.arange(laps * lap) % lap]
    poses, scales = drifted(true, drift, 0)
    closer, listed = LoopCloser(sequence.intrinsics, LoopOptions()), list(poses.unbind())
    seen = cache(lambda k: (sequence.frame(k)[None].half(), sequence.depth(k)[None].half()))
    for i in range(len(true)):
        if not i or (true[i] - true[last])[:3, 3].norm() >= EVERY:
            image, depth = seen(i % lap)
            started, last = time.perf_counter(), i
            frame = Frame(i, image.float(), sequence.intrinsics[None])
            closer.add(frame, depth.float() * float(scales[i]), listed[: i + 1])
            took.append(time.perf_counter() - started)
        if (i + 1) % (REPORTED * lap) == 0:
            known, before = Trajectory(true[: i + 1]), poses[: i + 1]
            errors = [evaluate_odometry(Trajectory(x), known, "7dof") for x in (before, closer.corrected(before))]
            counts = [str((i + 1) // lap), str(len(closer.keyframes)), str(len(closer.loops))]
            times = [f"{1e3 * np.mean(took):.0f}", f"{max(took):.1f}"]
            cells.append([*counts, *times, *(f"{x['ate_m']:.2f}" for x in errors)])
            print(*cells[-1], flush=True)
            took = [0.0]
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="?", help="name of weights, or folder of a run; default: exact depth, drifted")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="the first of the seeds")
    parser.add_argument("--scenes", nargs="+", default=["town"], help="kinds of scenes, each with every seed")
    parser.add_argument("--scale", type=float, default=0.5, help="percent, a square root of a metre")
    parser.add_argument("--turn", type=float, nargs="+", default=(0.2, 1.0), help="degrees, a square root of 100 m")
    parser.add_argument("--size", type=int, nargs=2, default=(128, 416), help="height and width")
    parser.add_argument("--laps", type=int, help="go over the first course so often")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(machine("opencv-python-headless"))
    size, seeds = tuple(options.size), range(options.first, options.first + options.seeds)
    if options.weights:
        model = load(options.weights)
        print(table(HEADINGS, [learned_row(kind, k, model, size) for kind in options.scenes for k in seeds]))
        return
    drifts = [Drift(options.scale / 100, math.radians(turn) / 10) for turn in options.turn]
    if options.laps:
        print(table(LAPS_HEADINGS, laps_rows(options.scenes[0], options.first, drifts[0], size, options.laps)))
        return
    # the same course with another drift is rendered once
    rows = [row(kind, k, drift, size) for kind in options.scenes for k in seeds for drift in drifts]
    print(table(HEADINGS, rows))


if __name__ == "__main__":
    main()
