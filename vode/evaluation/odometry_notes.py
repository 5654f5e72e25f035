"""What a result of odometry must say: which frames count, and why a measure is missing."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vode.geometry.pose import so3_log
from vode.io.association import Matches
from vode.io.trajectory import Trajectory

_NOISE = 0.02
"""radians that rotations which say nothing but noise may lie apart from their mean"""
_CHORDS, _TURN = 16, math.radians(30)
"""parts that a path is divided into, and the angle between two of them from which on it turns"""


def why_no_rotations(trajectory: Trajectory) -> str | None:
    """Why the rotations of a trajectory are none, or None if they can be true.

    Positions alone, as GPS gives them, are written with quaternions 0 0 0 0 or NaN, or with one and the same rotation,
    but for noise, along a path that turns.
    """
    if not trajectory.provenance.oriented:
        return f"all rotations of {trajectory.name} are missing (zeros or NaN)"
    if trajectory.provenance.computed:
        return None
    if len(trajectory) > 2 and _are_one(trajectory.poses[:, :3, :3]) and turns(trajectory.positions):
        return f"all {len(trajectory)} rotations of {trajectory.name} are the same along a path that turns"
    return None


def _are_one(rotations: Tensor) -> bool:
    """Whether rotations (N, 3, 3) are the same, or lie by chance about one: as far from the next as from any."""
    if bool(((rotations - rotations[:1]).abs() < 1e-6).all()):
        return True
    away = so3_log(rotations[0].mT @ rotations)
    away = away - away.mean(dim=0)
    spread, step = away.square().sum(dim=1).mean(), away.diff(dim=0).square().sum(dim=1).mean()
    return bool((away.norm(dim=1) < _NOISE).all()) and bool(step > spread)


def turns(positions: Tensor) -> bool:
    """Whether the path through positions (N, 3) changes its direction, seen over sixteenths of its length."""
    steps = positions.diff(dim=0).norm(dim=-1)
    distances = torch.cat([steps.new_zeros(1), steps.cumsum(0)])
    ends = torch.searchsorted(distances, torch.linspace(0, float(distances[-1]), _CHORDS + 1, dtype=distances.dtype))
    chords = positions[ends.clamp(max=len(positions) - 1).unique()].diff(dim=0)
    lengths = chords.norm(dim=-1, keepdim=True)
    directions = (chords / lengths)[lengths[:, 0] > 0]
    return len(directions) > 1 and float((directions @ directions.mT).min()) < math.cos(_TURN)


def notes_of(matches: Matches, estimate: Trajectory, ground_truth: Trajectory) -> list[str]:
    """How the poses were read and matched, and which of them count."""
    notes = [*estimate.provenance.notes, *ground_truth.provenance.notes, *matches.notes]
    if len(matches.estimate) < len(estimate) or len(matches.ground_truth) < len(ground_truth):
        notes.append(
            f"{len(matches.ground_truth)} frames matched by {matches.by}: of {len(estimate)} estimated, "
            f"{len(ground_truth)} in the ground truth"
        )
    for name, trajectory in (("estimate", estimate), ("ground truth", ground_truth)):
        if trajectory.dropped:
            notes.append(f"{trajectory.dropped} poses of the {name} have no usable numbers (NaN) and are left out")
    return notes
