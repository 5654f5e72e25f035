"""What several verbs share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vode.atomic import write_bytes
from vode.data import DATASETS
from vode.data import world as built_in
from vode.data.sequence import Sequence
from vode.errors import InputError
from vode.networks.weights import load_weights
from vode.training import loop


@dataclass(frozen=True)
class EvaluationData:
    """What a run is evaluated on; without ``data`` a held-out drive of the built-in world."""

    data: Path | None = None
    """folder of the data set"""
    dataset: str = "kitti-odom"
    """its layout"""
    sequences: tuple[str, ...] = ("09", "10")
    camera: int = 2
    """camera of KITTI odometry, 0..3: 0 and 1 are grey, 2 and 3 colour"""
    device: str = "auto"
    """cpu, cuda, ...; auto takes the GPU if there is one"""

    def open(self, size: tuple[int, int], *, also: tuple[str, ...] = ()) -> list[Sequence]:
        """The sequences; ``also`` are names of data sets that the message about an unknown one adds."""
        if self.data is None:
            return [built_in.held_out_sequence(size)]
        if self.dataset not in DATASETS:
            raise InputError(f"no data set is called {self.dataset!r}; choose one of {', '.join([*DATASETS, *also])}")
        return [DATASETS[self.dataset](self.data, name, camera=self.camera) for name in self.sequences]


def load_run(run: Path, kind: str, device: str) -> torch.nn.Module:
    return load_weights(run / f"{kind}.safetensors", kind, loop.device_name(device))


def save_json(path: Path, content: dict[str, Any]) -> None:
    write_bytes(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
