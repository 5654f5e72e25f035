"""A metric scale with its uncertainty and where it comes from, and the trajectory that it makes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vode.geometry.ground import SPREAD
from vode.io.trajectory import Trajectory

MEDIAN = (math.pi / 2) ** 0.5
"""standard deviation of the median of normal values, in that of their mean"""


class ScaleSource(StrEnum):
    """What a scale was measured by."""

    DEPTH = "depth"
    """nothing else: the trajectory is in the unit of the depth"""
    TRACKS = "tracks"
    """nothing else, without depth: the trajectory is in the unit of its first step"""
    CAMERA_HEIGHT = "camera_height"
    SPEED = "speed"
    GPS = "gps"
    DISTANCE = "distance"


@dataclass(frozen=True, eq=False)
class MetricScale:
    """Metres per unit of a trajectory of N poses."""

    source: ScaleSource
    factor: float
    """metres per unit; 1 where the unit stays"""
    deviation: float | None
    """relative standard deviation of the factor; None where nothing tells it"""
    metric: bool = True
    """whether the trajectory is in metres with this factor"""
    samples: int = 0
    """frames, spans or fixes that the factor was measured by"""
    evidence: str = ""
    """what it was measured by, in words"""
    doubts: tuple[str, ...] = ()
    """why it may be wrong"""
    steps: Tensor | None = None
    """(N - 1,) factor of each step, where it follows a drift"""

    def apply(self, trajectory: Trajectory) -> Trajectory:
        """The trajectory in metres: its positions scaled about the first, or step by step where ``steps`` are given.

        ValueError where these are not one fewer than the poses.
        """
        poses = trajectory.poses.clone()
        moved = poses[:, :3, 3].diff(dim=0)
        if self.steps is not None and len(self.steps) != len(moved):
            raise ValueError(f"{len(self.steps)} factors for the {len(moved)} steps of {trajectory.name}")
        factors = torch.full_like(moved[:, :1], self.factor) if self.steps is None else self.steps[:, None]
        if self.steps is not None:
            poses[1:, :3, 3] = poses[:1, :3, 3] * self.factor + (moved * factors.to(moved)).cumsum(0)
            poses[:1, :3, 3] *= self.factor
        else:
            poses[:, :3, 3] *= self.factor
        return trajectory.moved(poses)

    def describe(self) -> str:
        """Where the scale comes from, how sure it is, and what speaks against it, in one line."""
        unit = "metres" if self.metric else "no known unit"
        factor = "" if self.factor == 1 else f", factor {self.factor:.4g}"
        sure = "uncertainty not known" if self.deviation is None else f"+-{100 * self.deviation:.1f} %"
        drift = (
            "" if self.steps is None else f", steps by {float(self.steps.min()):.4g} to {float(self.steps.max()):.4g}"
        )
        evidence = f" ({self.evidence})" if self.evidence else ""
        doubts = "".join(f"; doubtful: {doubt}" for doubt in self.doubts)
        return f"scale from {self.source.replace('_', ' ')}{evidence}: {unit}{factor}{drift}, {sure}{doubts}"

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        content = asdict(self) | {"source": str(self.source), "doubts": list(self.doubts)}
        content["steps"] = None if self.steps is None else self.steps.tolist()
        return content


class Location(NamedTuple):
    """The common value of positive numbers, in the logarithm."""

    value: float
    deviation: float
    """relative standard deviation of the value"""
    spread: float
    """that of one number"""


def location(values: Tensor) -> Location:
    """The median of positive values (N,) in the order of time, N >= 1.

    Its deviation takes neighbours for correlated as in an autoregressive process of the first order, which leaves
    n (1 - r) / (1 + r) independent values (Bayley and Hammersley, JRSS 1946).
    """
    logs = values.double().log()
    middle = logs.quantile(0.5)
    away = logs - middle
    spread = SPREAD * float(away.abs().quantile(0.5))
    clipped = away.clamp(-3 * spread, 3 * spread)
    power = float(clipped.square().sum())
    alike = float((clipped[1:] * clipped[:-1]).sum()) / power if power > 0 else 0.0
    alike = min(max(alike, 0.0), 1 - 1 / len(logs))
    independent = max(len(logs) * (1 - alike) / (1 + alike), 1.0)
    return Location(float(middle.exp()), MEDIAN * spread / independent**0.5, spread)


def running_median(values: Tensor, known: Tensor, window: int) -> Tensor:
    """Medians (N,) of positive values (N,) over the nearest ``window`` places, of those that are ``known`` (N,) bool.

    Where a window holds none, the median is interpolated between the nearest that do; 1 or more must be known.
    """
    half, count = max(window // 2, 0), len(values)
    padded = torch.where(known, values.double().log(), float("nan"))
    wide = torch.full((count + 2 * half,), float("nan"), dtype=torch.float64)
    wide[half : half + count] = padded
    medians = wide.unfold(0, 2 * half + 1, 1).nanquantile(0.5, dim=-1)
    return _bridged(medians).exp()


def _bridged(values: Tensor) -> Tensor:
    """Values (N,) whose NaN are interpolated between their neighbours, and held at the ends."""
    rows = values.isfinite().nonzero()[:, 0]
    places = torch.arange(len(values))
    after = torch.searchsorted(rows, places).clamp(max=len(rows) - 1)
    before = (after - (rows[after] > places).long()).clamp(min=0)
    low, high = rows[before], rows[after]
    fraction = ((places - low) / (high - low).clamp(min=1)).clamp(0, 1)
    return values[low].lerp(values[high], fraction.double())
