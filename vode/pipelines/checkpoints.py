"""Checkpoints of other systems: imported as runs, and runs exported as such checkpoints."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vode.errors import InputError
from vode.io.atomic import make_folder, write_bytes
from vode.model import from_checkpoint, load
from vode.networks.checkpoints.layouts import System
from vode.networks.checkpoints.reading import read_checkpoint
from vode.networks.checkpoints.writing import Written, checkpoint_files
from vode.pipelines.options import ImportOptions
from vode.run_folder import RunFolder


def import_checkpoint(
    files: Iterable[Path], out: Path, system: System | None = None, options: ImportOptions = ImportOptions()
) -> list[str]:
    """Write a run folder of the networks in a checkpoint of another system; what was taken and left out, in words.

    The run can be evaluated, tracked with and trained from (``start_from``). InputError if ``out`` holds a run, and for
    files as ``read_checkpoint`` refuses them; nothing is written then.
    """
    files, folder = list(files), RunFolder(out)
    if folder.holds_run or folder.is_shipped:
        raise InputError(f"{out}: holds a run already; choose another folder", "out")
    checkpoint = read_checkpoint(files, system, size=options.size)
    model = from_checkpoint(checkpoint, beside=options.beside, device="cpu")
    lines = [f"weights of {checkpoint.system}, images of {model.size[1]}x{model.size[0]}", *checkpoint.left_out]
    for kind in ("depth", "flow"):
        if getattr(checkpoint, kind) is None:
            lines.append(f"no {kind} network in these files: that of {options.beside} is taken")
    model.save_pretrained(out)
    return lines


def export_checkpoint(run: str | Path, system: Written, out: Path) -> list[Path]:
    """Write the networks of a run in the layout of another system's checkpoints; the files, in the folder ``out``.

    InputError names the options of the networks that the system cannot have; nothing is written then.
    """
    model = load(run, device="cpu")
    content = checkpoint_files(system, model.depth, model.flow, model.size)
    files = [make_folder(out) / name for name in content]
    for file, data in zip(files, content.values(), strict=True):
        write_bytes(file, data)
    return files
