"""Training runs by recipe or configuration."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

from vode.errors import InputError
from vode.recipes import FAMILIES, recipe
from vode.run_folder import RunFolder
from vode.training import distributed, loop
from vode.training.config import RunConfig

Results = dict[str, float | None]


def train(
    config: RunConfig | str = "world",
    run: Path | str | None = None,
    *,
    name: str | None = None,
    existing: Literal["refuse", "resume"] = "refuse",
    **changes: Any,
) -> tuple[RunFolder, Results]:
    """Train a new run and score it: its folder and its results, which are empty if it was asked to stop.

    ``config`` is a recipe's name or a configuration, of which ``changes`` replace fields. ``run`` is the folder, by
    default runs/NAME with a number behind if that is taken, where NAME is the recipe's. ``existing``: a folder that
    holds a run is refused by an InputError, or that run resumed, if it was begun with the same configuration.
    """
    if existing == "resume" and run is None:
        raise InputError("only a run whose folder is named can be taken up again; name it", "run")
    name = name or (config if isinstance(config, str) else config.dataset)
    config = recipe(config) if isinstance(config, str) else config
    try:
        config = replace(config, **changes)
    except TypeError as error:
        raise InputError(f"{error}; the options of a run are the fields of {type(config).__name__}") from None
    with distributed.joined(config.device):
        folder = Path(run) if run is not None else distributed.broadcast(free_folder(Path("runs") / name))
        if existing == "resume" and distributed.broadcast(RunFolder(folder).holds_run):
            _refuse_others(RunFolder(folder), config)
            return RunFolder(folder), loop.resume(folder, type(config))
        return RunFolder(folder), loop.train(config, folder)


def resume(run: Path | str) -> tuple[RunFolder, Results]:
    """Resume the run in a folder where its newest whole checkpoint stands; returns what ``train`` does."""
    folder = RunFolder(run)
    kind = FAMILIES[folder.family()]
    with distributed.joined(folder.read_config(kind).device):
        return folder, loop.resume(folder.path, kind)


def _refuse_others(folder: RunFolder, config: RunConfig) -> None:
    """InputError if the run in a folder was begun with another configuration."""
    begun = folder.read_config(type(config))
    asked = [field.name for field in fields(config) if field.name not in config.determined]
    changed = [name for name in asked if getattr(begun, name) != getattr(config, name)]
    if changed:
        others = f"{', '.join(changed)} of its run differ from what is asked for"
        raise InputError(f"{folder}: {others}; name another folder, or resume the run as it is", "run")


def free_folder(folder: Path) -> Path:
    """The folder, or the first of folder-2, folder-3, ... that does not exist."""
    number, free = 1, folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free
