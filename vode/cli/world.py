"""``vode world``: drives of the built-in world as files."""

from __future__ import annotations

from pathlib import Path

from vode.datasets.kitti.writer import write_kitti_sequence
from vode.devices import device_name
from vode.io.atomic import make_folder
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence


def world(
    out: Path,
    seeds: tuple[int, ...] = (0,),
    size: tuple[int, int] = (256, 832),
    frames: int = 100,
    camera: int = 2,
    exposure: float = 0.0,
    device: str = "auto",
) -> None:
    """Write drives of the built-in world in the KITTI odometry layout, with depth and flow.

    Args:
        out: folder to write.
        seeds: one sequence each, named by its seed in two digits.
        size: height and width of the images.
        frames: length of each drive, at 10 frames a second.
        camera: number of the camera in the layout.
        exposure: strength of brightness changes.
        device: cpu, cuda, ...
    """
    options = WorldOptions(size=size, frames=frames, exposure=exposure)
    for seed in seeds:
        drive = WorldSequence(seed, options, device=device_name(device))
        folder = write_kitti_sequence(
            make_folder(out),
            f"{seed:02d}",
            camera,
            (drive.frame(i) for i in range(frames)),
            drive.intrinsics,
            drive.poses,
            drive.timestamps,
            (drive.depth(i) for i in range(frames)),
            (drive.flow(i) for i in range(frames - 1)),
        )
        print(f"{folder}: {frames} frames")
