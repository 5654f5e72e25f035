"""Checkpoints: everything needed to resume a run, written atomically and read without executing code."""

from __future__ import annotations

import io
import platform
import re
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vode.errors import InputError, one_line
from vode.io.atomic import make_folder, write_bytes
from vode.run_folder import RunFolder
from vode.training.step import Averages

FORMAT = "vode training checkpoint 2"
COUNTS = ("stage", "step", "done", "seconds", "failed", "best", "stale")


@dataclass
class TrainState:
    """The progress of a run."""

    networks: nn.ModuleDict
    averages: Averages | None = None
    """exponential moving averages of the networks"""
    stage: int = 0
    """index of the current stage"""
    step: int = 0
    """steps completed in the stage"""
    done: int = 0
    """steps completed in the whole run, which determine how many samples were drawn"""
    seconds: float = 0.0
    """duration of the run before this process"""
    begun: float = field(default_factory=time.monotonic)
    """monotonic time at which this process began"""
    failed: float = 0.0
    """sum over steps of the fraction of samples whose geometry failed"""
    best: float | None = None
    """lowest validation loss of the stage"""
    stale: int = 0
    """validations since the best one"""
    optimiser: dict[str, Any] | None = None
    """state of the optimiser and scaler from a checkpoint, until its stage restores it"""

    def elapsed(self) -> float:
        """Total duration of the run in seconds."""
        return self.seconds + time.monotonic() - self.begun

    def scored(self) -> nn.ModuleDict:
        """The networks to score and save: the moving averages, if there are any."""
        return self.networks if self.averages is None else self.averages.module

    def next_stage(self) -> None:
        """Advance to the beginning of the next stage."""
        self.stage, self.step, self.optimiser, self.best, self.stale = self.stage + 1, 0, None, None, 0


def save_state(
    folder: RunFolder, state: TrainState, optimiser: dict[str, Any] | None, keep: int, *, half: bool = False
) -> None:
    """Write a checkpoint and the networks' weights into ``folder``, and keep the newest ``keep`` checkpoints.

    ``half``: the weights, but not the checkpoint, in 16 bits.
    """
    content = {
        "format": FORMAT,
        "networks": state.networks.state_dict(),
        "averages": state.averages.state_dict() if state.averages is not None else None,
        "optimiser": optimiser,
        **{name: getattr(state, name) for name in COUNTS},
        "seconds": state.elapsed(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in ("torch", "torchvision")},
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_bytes(make_folder(folder.checkpoints) / f"{state.done:08d}.pt", buffer.getvalue())
    folder.write_weights(state.scored(), half=half)
    for old in checkpoints(folder)[max(keep, 1) :]:
        old.unlink(missing_ok=True)


def checkpoints(folder: RunFolder) -> list[Path]:
    """The checkpoints of a run, newest first."""
    found = (path for path in folder.checkpoints.glob("*.pt") if re.fullmatch(r"\d{8,}", path.stem))
    return sorted(found, key=lambda path: int(path.stem), reverse=True)


def read_checkpoint(folder: RunFolder) -> tuple[Path, dict[str, Any], list[str]]:
    """The newest readable checkpoint, its content, and a line for each newer one that is not readable.

    InputError if there is none, or all are damaged or of another format.
    """
    problems: list[str] = []
    for path in checkpoints(folder):
        try:
            return path, read_content(path), problems
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError(problems[0])
    raise InputError(f"{folder.checkpoints}: no checkpoint; resume the folder of a run that saved one")


def read_content(path: Path) -> dict[str, Any]:
    """What a checkpoint holds; InputError if it is damaged or of another format."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(f"{path}: damaged checkpoint ({one_line(error)}); start a new run from its weights") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path}: not a checkpoint of this library's training; choose another folder")
    return content


def restore(state: TrainState, content: dict[str, Any], path: Path) -> None:
    """Load a checkpoint into a state with its networks built; the optimiser's state is restored with its stage."""
    try:
        state.networks.load_state_dict(content["networks"])
        if state.averages is not None:
            state.averages.load_state_dict(content["averages"])
        for name in (*COUNTS, "optimiser"):
            setattr(state, name, content[name])
    except (KeyError, RuntimeError, AttributeError) as error:
        raise InputError(
            f"{path}: a checkpoint of other networks ({one_line(error)}); resume with its own options"
        ) from error
