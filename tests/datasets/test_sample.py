"""Collating samples."""

import pytest
import torch

from vode.datasets.sample import collate


def sample(height: int = 4, **extra):
    return {"images": torch.rand(2, 3, height, 6), "intrinsics": torch.eye(3), **extra}


def test_batch_has_a_leading_dimension():
    samples = [sample(poses=torch.eye(4).repeat(2, 1, 1)) for _ in range(3)]
    batch = collate(samples)
    assert {key: tuple(value.shape) for key, value in batch.items()} == {
        "images": (3, 2, 3, 4, 6),
        "intrinsics": (3, 3, 3),
        "poses": (3, 2, 4, 4),
    }
    assert torch.equal(batch["images"][1], samples[1]["images"])


def test_different_samples_are_named():
    with pytest.raises(ValueError, match=r"sample 1 has .*depth"):
        collate([sample(), sample(depth=torch.zeros(2, 1, 4, 6))])
    with pytest.raises(ValueError, match=r"images of sample 2 is \(2, 3, 5, 6\)"):
        collate([sample(), sample(), sample(5)])
    with pytest.raises(ValueError, match="no samples"):
        collate([])


def test_works_in_a_loader():
    loader = torch.utils.data.DataLoader([sample() for _ in range(4)], batch_size=2, collate_fn=collate)
    assert [batch["images"].shape[0] for batch in loader] == [2, 2]
