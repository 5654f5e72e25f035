"""What several verbs share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vode.datasets.base import Sequence, noted
from vode.datasets.kitti import leakage
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.io.atomic import write_bytes
from vode.run_folder import RunFolder
from vode.world import sequence as built_in
from vode.world.options import WorldOptions


@dataclass(frozen=True)
class EvaluationData(DataOptions):
    """What a run is evaluated on; without ``data`` a held-out sequence of the built-in world."""

    device: str = "auto"
    """cpu, cuda, ...; auto takes the GPU if there is one"""

    def open(self, size: tuple[int, int], *, run: Path | None = None) -> list[Sequence]:
        """The sequences: those that are named, or the data set's test sequences.

        InputError if the ``run`` was trained on a published test set among them.
        """
        if self.data is None:
            return [built_in.held_out_sequence(size)]
        dataset = open_dataset(self, world=WorldOptions(size=size))
        if len(self.camera) > 1:
            raise InputError(f"cameras {', '.join(map(str, self.camera))}; choose one with --camera")
        names = dataset.chosen("test")
        self.refuse_leak(run, names)
        sequences = dataset.open_all(names)
        for line in noted(sequences):
            print(line)
        return sequences

    def refuse_leak(self, run: Path | None, names: tuple[str, ...] = ()) -> None:
        """InputError if a run has seen what it is to be tested on, and that is not insisted on."""
        if run is not None and not self.allow_leak:
            leakage.refuse_testing(RunFolder(run).kitti_drives(), self.dataset, names)


def save_json(path: Path, content: dict[str, Any]) -> None:
    write_bytes(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
