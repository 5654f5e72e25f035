"""Published weights of other systems, on random numbers."""

from __future__ import annotations

from pathlib import Path

import torch

from tests.networks.checkpoints.conftest import dispnet_shapes, random_weights


def dispnet(path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": random_weights(dispnet_shapes())}, path)
