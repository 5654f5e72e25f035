"""``vode world``: sequences of the built-in world as files."""

from __future__ import annotations

from pathlib import Path

from vode.world.options import WorldOptions


def world(
    out: Path,
    seeds: tuple[int, ...] = (0,),
    size: tuple[int, int] = (256, 832),
    frames: int = 100,
    camera: int = 2,
    exposure: float = 0.0,
    device: str = "auto",
) -> None:
    """Write sequences of the built-in world in the KITTI odometry layout, with depth and flow.

    Args:
        out: folder to write.
        seeds: one sequence each, named by its seed in two digits.
        size: height and width of the images.
        frames: length of each sequence, at 10 frames a second.
        camera: number of the camera in the layout.
        exposure: strength of brightness changes.
        device: cpu, cuda, ...
    """
    from vode.pipelines.world import write_world

    options = WorldOptions(size=size, frames=frames, exposure=exposure)
    for seed in seeds:
        print(f"{write_world(out, seed, options, camera=camera, device=device)}: {frames} frames")
