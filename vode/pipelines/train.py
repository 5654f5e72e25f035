"""Training runs by recipe or configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from vode.errors import InputError
from vode.recipes import FAMILIES, recipe
from vode.run_folder import RunFolder
from vode.training import distributed, loop
from vode.training.config import RunConfig

Results = dict[str, float | None]


def train(
    config: RunConfig | str = "world", run: Path | str | None = None, *, name: str | None = None, **changes: Any
) -> tuple[RunFolder, Results]:
    """Train a new run and score it: its folder and its results, which are empty if it was asked to stop.

    ``config`` is a recipe's name or a configuration, of which ``changes`` replace fields. ``run`` is the folder, by
    default runs/NAME with a number behind if that is taken, where NAME is the recipe's. InputError for a folder that
    holds a run.
    """
    name = name or (config if isinstance(config, str) else config.dataset)
    config = recipe(config) if isinstance(config, str) else config
    try:
        config = replace(config, **changes)
    except TypeError as error:
        raise InputError(f"{error}; the options of a run are the fields of {type(config).__name__}") from None
    with distributed.joined(config.device):
        folder = Path(run) if run is not None else distributed.broadcast(free_folder(Path("runs") / name))
        return RunFolder(folder), loop.train(config, folder)


def resume(run: Path | str) -> tuple[RunFolder, Results]:
    """Resume the run in a folder where its newest whole checkpoint stands; returns what ``train`` does."""
    folder = RunFolder(run)
    kind = FAMILIES[folder.family()]
    with distributed.joined(folder.read_config(kind).device):
        return folder, loop.resume(folder.path, kind)


def free_folder(folder: Path) -> Path:
    """The folder, or the first of folder-2, folder-3, ... that does not exist."""
    number, free = 1, folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free
