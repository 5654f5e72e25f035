"""``vode import`` and ``vode export-checkpoint``: weights of other systems as runs, and runs as their weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from vode.pipelines.options import ImportOptions


def import_weights(
    files: tyro.conf.Positional[tuple[Path, ...]],
    out: Path,
    system: Annotated[
        Literal["trianflow", "monodepth2", "sc-sfmlearner", "sfmlearner"] | None, tyro.conf.arg(name="as")
    ] = None,
    options: Annotated[ImportOptions, tyro.conf.arg(name="")] = ImportOptions(),
) -> None:
    """Make a run of the published weights of another system, to be evaluated, tracked with and trained from.

    Only plain tensors are read: a file with code in it is refused.

    Args:
        files: the checkpoint's files, or its folder.
        out: folder of the run.
        system: whose weights they are; by default the names of their tensors tell.
    """
    from vode.pipelines.checkpoints import import_checkpoint

    for line in import_checkpoint(files, out, system, options):
        print(line)
    print(f"run folder: {out}")


def export_weights(
    run: tyro.conf.Positional[Path],
    out: Path,
    system: Annotated[Literal["trianflow", "monodepth2"], tyro.conf.arg(name="as")],
) -> None:
    """Write a run's networks as a checkpoint that the released code of another system opens.

    Args:
        run: folder of a run, or name of shipped weights.
        out: folder for last.pth (trianflow), or encoder.pth and depth.pth (monodepth2).
        system: whose layout; networks that it cannot have are refused.
    """
    from vode.pipelines.checkpoints import export_checkpoint

    for file in export_checkpoint(run, system, out):
        print(file)
