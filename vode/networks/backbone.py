"""Pretrained weights of torchvision's classifiers for networks that use them as a backbone; nothing is unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from vode.errors import InputError, one_line

SHOWN = 3
"""maximum number of mismatching names that a message lists"""
WRAPPERS = ("state_dict", "extractor")
"""keys that checkpoints nest their weights under: those of Places365, and of DISK"""
CLASSIFIERS = ("fc.", "aux1.fc2.", "aux2.fc2.")
"""classification layers, which a pose network replaces"""


def read_state(path: Path) -> dict[str, Tensor]:
    """The weights in a file: safetensors, or a torch checkpoint such as those of Places365.

    Raises InputError for a file that is missing, damaged, or holds more than plain tensors and numbers.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weights file")
    content: Any
    try:
        if path.suffix == ".safetensors":
            content = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: damaged weights ({one_line(error)}); copy them again") from error
    except Exception as error:
        raise InputError(
            f"{path}: not plain weights, and nothing else is opened ({one_line(error)}); "
            "save its state_dict as safetensors"
        ) from error
    for name in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError(f"{path}: holds no weights by name; save its state_dict")
    # DataParallel, with which Places365 was trained, prefixes every name
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def fetch_state(weights: WeightsEnum) -> dict[str, Tensor]:
    """The weights that torchvision publishes, downloaded once. InputError if they cannot be downloaded."""
    try:
        # the defaults check no hash and unpickle anything
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except Exception as error:
        raise InputError(
            f"{weights.url}: cannot be fetched ({one_line(error)}); give a file as pose.backbone_weights"
        ) from error


def load_backbone(network: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Load weights into a classifier of torchvision, except its classification layers.

    InputError names what is missing, unknown or of another shape. Batch counters, which old checkpoints lack, are
    optional.
    """
    given = {k: v for k, v in state.items() if not k.startswith(CLASSIFIERS)}
    wanted = {k: v for k, v in network.state_dict().items() if not k.startswith(CLASSIFIERS)}
    optional = {name for name in wanted if name.endswith("num_batches_tracked") or name.startswith("aux")}
    problems = {
        "missing": sorted(wanted.keys() - given.keys() - optional),
        "not known": sorted(given.keys() - wanted.keys()),
        "of another shape": sorted(k for k in wanted.keys() & given.keys() if wanted[k].shape != given[k].shape),
    }
    listed = "; ".join(f"{what}: {_few(names)}" for what, names in problems.items() if names)
    if listed:
        raise InputError(f"{where}: weights of another network than {type(network).__name__}; {listed}")
    network.load_state_dict(given, strict=False)


def _few(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
