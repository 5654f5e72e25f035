"""The verdict without ground truth: whether adapted networks are better than their start on frames held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vode.adaptation.tasks import AdaptDepthTask, AdaptFlowTask, fundamental_of, round_trip
from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.sample import collate
from vode.geometry import warp
from vode.geometry.epipolar import epipolar_distance
from vode.losses.masked import masked_mean
from vode.training.clip_dataset import ClipDataset
from vode.training.tasks.base import run_network

LEAST_CLIPS = 5
"""clips held out, from which on a verdict is possible"""
MOST_CLIPS = 40
"""of them that are looked at, evenly spread"""
SURE = 2.0
"""standard errors that the mean improvement must exceed"""


class Verdict(NamedTuple):
    """Residuals on the clips held out, and what follows."""

    before: float
    after: float
    """mean residual of the start and of the adapted network"""
    deviation: float
    """standard error of the mean difference"""
    clips: int

    @property
    def better(self) -> bool:
        """Whether the adapted network is to be kept."""
        return self.clips >= LEAST_CLIPS and self.before - self.after > SURE * self.deviation

    def describe(self, what: str) -> str:
        """The verdict in a line."""
        if self.clips < LEAST_CLIPS:
            return f"{what}: the start is kept; {self.clips} clips held out show a moving camera, too few to judge"
        numbers = f"{self.before:.4f} before, {self.after:.4f} after on {self.clips} clips held out"
        return f"{what}: {'adapted' if self.better else 'the start is kept'}; {numbers}"


def judge(residuals: Callable[[dict[str, Tensor]], tuple[float, float]], clips: ClipDataset | None) -> Verdict:
    """The verdict by the residuals of a batch of one clip, before and after. ``clips`` None: there are none."""
    count = 0 if clips is None else len(clips)
    if clips is None or count < LEAST_CLIPS:
        return Verdict(float("nan"), float("nan"), float("nan"), count)
    chosen = torch.linspace(0, count - 1, min(count, MOST_CLIPS)).round().long().unique().tolist()
    found = torch.tensor([residuals(to_float_and_augment(collate([clips[i]]))) for i in chosen], dtype=torch.float64)
    difference = found[:, 0] - found[:, 1]
    deviation = difference.std() / len(chosen) ** 0.5
    before, after = found.mean(0).tolist()
    return Verdict(before, after, float(deviation), len(chosen))


@torch.no_grad()
def depth_residual(task: AdaptDepthTask, batch: dict[str, Tensor]) -> float:
    """Difference of depth from triangulated depth, and between frames, of a clip."""
    losses = task(batch).losses
    return float(losses["triangulated"] + losses["consistency"])


@torch.no_grad()
def flow_residual(task: AdaptFlowTask, batch: dict[str, Tensor]) -> float:
    """Pixels by which flow misses its start on the way back, and the epipolar lines of the trajectory, of a pair."""
    image_a, image_b = batch["images"][:, 0], batch["images"][:, 1]
    flows_ab, flows_ba = run_network(task.flow, image_a, image_b, mixed=task.mixed)
    flow_ab, flow_ba = flows_ab[0].float(), flows_ba[0].float()
    target = warp.flow_target(flow_ab)
    distance = epipolar_distance(fundamental_of(batch), (target - flow_ab).flatten(2).mT, target.flatten(2).mT)
    seen = warp.visible(flow_ba).flatten(1)
    return float((round_trip(flow_ab, flow_ba) + masked_mean(distance.clamp(max=3.0), seen)).mean())
