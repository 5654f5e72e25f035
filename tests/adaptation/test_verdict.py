"""The verdict: kept only where residuals fall for certain."""

import pytest
import torch

from vode.adaptation.verdict import LEAST, TOGETHER, judge


class Clips(list):
    """Clips numbered from 0."""

    def __init__(self, count):
        super().__init__({"images": torch.full((1, 3, 2, 2), float(i))} for i in range(count))


def before(batch):
    return 1.0


def after(change, spread):
    return lambda batch: 1.0 + change + spread * (-1) ** float(batch["images"].mean())


@pytest.mark.parametrize(
    ("change", "spread", "better"),
    [(-0.1, 0.01, True), (-0.1, 0.5, False), (0.1, 0.01, False), (0.0, 0.0, False), (float("nan"), 0.0, False)],
)
def test_better_is_lower_by_more_than_chance(change, spread, better):
    verdict = judge(before, after(change, spread), Clips(20))
    assert verdict.better is better
    assert ("adapted" in verdict.describe("depth")) is better
    assert verdict.clips == 20


@pytest.mark.parametrize("clips", [None, Clips(LEAST * TOGETHER - 1)])
def test_too_few_clips_are_no_evidence(clips):
    verdict = judge(before, after(-0.5, 0.0), clips)
    assert not verdict.better
    assert "too few" in verdict.describe("depth")


def test_few_clips_must_agree():
    assert judge(before, after(-0.1, 0.01), Clips(LEAST * TOGETHER)).better
    # three groups, two of them far better and one about the same
    uneven = {i: (-0.3 if i < 6 else 0.01) for i in range(9)}
    assert not judge(before, lambda batch: 1 + uneven[int(batch["images"].mean())], Clips(9)).better
