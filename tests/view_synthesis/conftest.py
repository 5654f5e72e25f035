"""Snippets of the built-in world with ground truth."""

import pytest
import torch

from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (64, 192)
SKY = 1e4
"""metres"""


@pytest.fixture(scope="session")
def sequence():
    """A street without traffic."""
    return WorldSequence(3, WorldOptions(size=SIZE, frames=3, moving=False))


@pytest.fixture(scope="session")
def snippet(sequence):
    """A batch of one snippet with depth, the sky's too, and poses."""
    sample = ClipDataset([sequence], ClipShape(3), ground_truth=True)[0]
    batch = {key: value[None] for key, value in sample.items()}
    depth = batch["depth"]
    return batch | {"depth": torch.where(depth > 0, depth, SKY)}


@pytest.fixture(scope="session")
def T_s_t(snippet):
    """(1, 2, 4, 4), true."""
    poses = snippet["poses"][0]
    return (torch.linalg.inv(poses[[0, 2]]) @ poses[1])[None]
