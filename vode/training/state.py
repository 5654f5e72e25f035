"""Checkpoints: everything needed to go on, written atomically and read without running code."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vode.atomic import write_bytes
from vode.errors import InputError
from vode.networks.weights import one_line, weights_bytes

CHECKPOINT = "checkpoint.pt"
FORMAT = "vode training checkpoint 1"


@dataclass
class TrainState:
    """Where a run stands."""

    networks: nn.ModuleDict
    stage: int = 0
    """index into the run's stages"""
    step: int = 0
    """steps done in the stage"""
    draws: int = 0
    """samples drawn in the whole run: the sampler's position"""
    seconds: float = 0.0
    """time that the run had taken when this process took it up"""
    begun: float = field(default_factory=time.monotonic)
    """when that was"""
    failed: float = 0.0
    """sum over steps of the share of samples whose geometry failed"""
    optimiser: torch.optim.Optimizer | None = None
    optimiser_state: dict[str, Any] | None = None
    """of a checkpoint, until its stage takes it"""

    def elapsed(self) -> float:
        """Seconds that the run has taken in all."""
        return self.seconds + time.monotonic() - self.begun


def save_state(folder: Path, state: TrainState) -> None:
    """Write the checkpoint and the networks' weights into ``folder``."""
    content = {
        "format": FORMAT,
        "networks": state.networks.state_dict(),
        "optimiser": state.optimiser.state_dict() if state.optimiser else None,
        "stage": state.stage,
        "step": state.step,
        "draws": state.draws,
        "seconds": state.elapsed(),
        "failed": state.failed,
        "random": _random_state(),
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_bytes(folder / CHECKPOINT, buffer.getvalue())
    for name, network in state.networks.items():
        write_bytes(folder / f"{name}.safetensors", weights_bytes(network))


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """The content of a folder's checkpoint; InputError if it is missing, damaged or of another kind."""
    path = folder / CHECKPOINT
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint; --resume takes the folder of a run that saved one")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{path}: damaged checkpoint ({one_line(error)}); start from its weights with --start-from"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path}: not a checkpoint of this library's training; choose another folder")
    return content


def restore(state: TrainState, content: dict[str, Any], path: Path) -> None:
    """Put a checkpoint into a state whose networks are built; its stage takes up the optimiser's."""
    try:
        state.networks.load_state_dict(content["networks"])
        for name in ("stage", "step", "draws", "seconds", "failed"):
            setattr(state, name, content[name])
        state.optimiser_state = content["optimiser"]
    except (KeyError, RuntimeError) as error:
        raise InputError(
            f"{path}: a checkpoint of other networks ({one_line(error)}); resume with its own options"
        ) from error
    _set_random_state(content["random"])


def _random_state() -> dict[str, Any]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def _set_random_state(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["cpu"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
