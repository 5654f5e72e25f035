"""The verdict without ground truth: whether adapted networks are better than their start on frames held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vode.adaptation.tasks import RESIDUAL
from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.sample import collate
from vode.training.clip_dataset import ClipDataset
from vode.training.tasks.base import Task

Residual = Callable[[dict[str, Tensor]], float]
"""of a batch"""
TOGETHER = 3
"""consecutive clips that count as one, because they show about the same"""
LEAST = 3
"""groups of clips, from which on a verdict is possible"""
MOST_CLIPS = 45
"""of them that are looked at, evenly spread"""
CERTAINTY = 0.95
"""probability that chance alone does not make a network look better"""


class Verdict(NamedTuple):
    """Residuals on the clips held out, and what follows."""

    before: float
    after: float
    """mean residual of the start and of the adapted network"""
    deviation: float
    """standard error of the mean difference"""
    clips: int

    @property
    def possible(self) -> bool:
        """Whether there is enough to judge by."""
        return self.clips >= LEAST * TOGETHER

    @property
    def better(self) -> bool:
        """Whether the adapted network is to be kept: it is better for certain, by Student's test."""
        from scipy.stats import t

        if not self.possible:
            return False
        sure = float(t.ppf(CERTAINTY, self.clips // TOGETHER - 1))
        return self.before - self.after > sure * self.deviation

    def describe(self, what: str) -> str:
        """The verdict in a line."""
        if not self.possible:
            return f"{what}: the start is kept; {self.clips} clips held out show a moving camera, too few to judge"
        numbers = f"{self.before:.4f} before, {self.after:.4f} after on {self.clips} clips held out"
        return f"{what}: {'adapted' if self.better else 'the start is kept'}; {numbers}"


@torch.no_grad()
def residual(task: Task, batch: dict[str, Tensor]) -> float:
    """The residual of a batch by the network of a task."""
    device = next(task.parameters()).device
    return float(task({key: value.to(device) for key, value in batch.items()}).metrics[RESIDUAL])


def judge(before: Residual, after: Residual, clips: ClipDataset | None) -> Verdict:
    """The verdict by the residuals of batches of one clip, of the start and of what was adapted; None: no clips."""
    count = 0 if clips is None else len(clips)
    if clips is None or count < LEAST * TOGETHER:
        return Verdict(float("nan"), float("nan"), float("nan"), count)
    chosen = torch.linspace(0, count - 1, min(count, MOST_CLIPS)).round().long().unique().tolist()
    batches = (to_float_and_augment(collate([clips[i]])) for i in chosen)
    found = torch.tensor([(before(batch), after(batch)) for batch in batches], dtype=torch.float64)
    groups = (found[:, 0] - found[:, 1]).tensor_split(len(chosen) // TOGETHER)
    deviation = torch.stack([group.mean() for group in groups]).std() / len(groups) ** 0.5
    start, adapted = found.mean(0).tolist()
    return Verdict(start, adapted, float(deviation), len(chosen))
