"""``vode export``, ``vode import`` and ``vode export-checkpoint``: networks as files of other programs, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from vode.pipelines.export.options import ExportOptions, Target
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


def export(
    model: tyro.conf.Positional[Path],
    to: Target,
    out: Path | None = None,
    options: Annotated[ExportOptions, tyro.conf.arg(name="")] = ExportOptions(),
) -> None:
    """Write depth and flow networks as ONNX files or torch's exported programs, and compare them with the model.

    Args:
        model: folder of a run, or name of shipped weights.
        to: onnx, for onnxruntime and others (extra onnx), or torch-export, for torch without this library.
        out: folder for depth.onnx and flow.onnx, or depth.pt2 and flow.pt2; default the folder export in the run's.
    """
    options.check(to)
    from vode.pipelines.export.export import export_model

    for exported in export_model(model, to, out, options):
        print(exported)
