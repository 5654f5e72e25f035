"""Sequences of the built-in world as files, and a sheet of their images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vode.datasets.kitti.writer import GroundTruth, write_kitti_sequence
from vode.devices import device_name
from vode.io.atomic import make_folder
from vode.visualization.panels import save_panel
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence


def write_world(
    out: Path, seed: int, options: WorldOptions = WorldOptions(), *, camera: int = 2, device: str = "auto"
) -> Path:
    """Write one sequence in the KITTI odometry layout, named by its seed in two digits, with depth and flow."""
    sequence, frames = WorldSequence(seed, options, device=device_name(device)), range(options.frames)
    return write_kitti_sequence(
        make_folder(out),
        f"{seed:02d}",
        camera,
        (sequence.frame(i) for i in frames),
        sequence.intrinsics,
        sequence.timestamps,
        GroundTruth(
            sequence.poses,
            (sequence.depth(i) for i in frames),
            (sequence.flow_between(i, i + 1) for i in frames[:-1]),
        ),
    )


def write_sheet(
    out: Path, seeds: Sequence[int], options: WorldOptions = WorldOptions(), *, columns: int = 3, device: str = "auto"
) -> Path:
    """One picture (.png) of the middle frame of each seed, row by row; returns ``out``."""
    sequences = [WorldSequence(seed, options, device=device_name(device)) for seed in seeds]
    images = [(f"{s.kind} {s.seed}", s.frame(len(s) // 2)) for s in sequences]
    save_panel(out, [images[k : k + columns] for k in range(0, len(images), columns)])
    return out
