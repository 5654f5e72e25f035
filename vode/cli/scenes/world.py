"""``vode world``: sequences of the built-in world as files, and pictures of many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from vode.world.options import WorldOptions


def world(
    out: Path,
    seeds: tuple[int, ...] = (0,),
    options: Annotated[WorldOptions, tyro.conf.arg(name="")] = WorldOptions(size=(256, 832), frames=100),
    camera: int = 2,
    sheet: bool = False,
    device: str = "auto",
) -> None:
    """Write sequences of the built-in world in the KITTI odometry layout, with depth and flow.

    Args:
        out: folder to write; for a sheet, the file (.png).
        seeds: one sequence each, named by its seed in two digits.
        options: what the sequences look like.
        camera: number of the camera in the layout.
        sheet: write one picture instead, with an image of each seed.
        device: cpu, cuda, ...
    """
    from vode.pipelines.world import write_sheet, write_world

    if sheet:
        print(write_sheet(out, seeds, options, device=device))
        return
    for seed in seeds:
        print(f"{write_world(out, seed, options, camera=camera, device=device)}: {options.frames} frames")
