"""Pretrained weights of classifiers for networks that use them as a backbone; nothing is unpickled."""

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
"""classification layers, which other networks replace"""
COUNTER = "num_batches_tracked"
"""how the names of batch normalisation's counters end, which old checkpoints lack"""


def read_content(path: Path) -> Any:
    """What a safetensors file or a torch checkpoint holds: tensors by name, which a checkpoint may nest.

    Raises InputError for a file that is missing, damaged, or holds more than plain tensors, numbers and texts.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weights file")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError, EOFError, RuntimeError) as error:
        raise InputError(f"{path}: damaged weights ({one_line(error)}); copy them again") from error
    except Exception as error:
        raise InputError(
            f"{path}: not plain weights, and nothing else is opened ({one_line(error)}); "
            "save its state_dict as safetensors"
        ) from error


def read_state(path: Path) -> dict[str, Tensor]:
    """The weights in a file: safetensors, or a torch checkpoint such as those of Places365; see ``read_content``."""
    content = read_content(path)
    for name in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError(f"{path}: holds no weights by name; save its state_dict")
    # DataParallel, with which Places365 was trained, prefixes every name
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def fetch_state(weights: WeightsEnum, option: str) -> dict[str, Tensor]:
    """The weights that torchvision publishes, downloaded once.

    InputError if they cannot be downloaded; ``option`` is the one that takes a file instead.
    """
    try:
        # the defaults check no hash and unpickle anything
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except Exception as error:
        raise InputError(f"{weights.url}: cannot be fetched ({one_line(error)}); give a file as {option}") from error


def load_backbone(network: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Load weights into a classifier of torchvision, except its classification layers.

    InputError names what is missing, unknown or of another shape. Batch counters, which old checkpoints lack, are
    optional.
    """
    given = {k: v for k, v in state.items() if not k.startswith(CLASSIFIERS)}
    wanted = {k: v for k, v in network.state_dict().items() if not k.startswith(CLASSIFIERS)}
    listed = misfits(wanted, given, optional=("aux",))
    if listed:
        raise InputError(f"{where}: weights of another network than {type(network).__name__}; {listed}")
    network.load_state_dict(given, strict=False)


def fit_state(
    network: nn.Module, state: Mapping[str, Tensor], where: str, *, optional: tuple[str, ...] = ()
) -> tuple[dict[str, Tensor], bool]:
    """Weights by the names of a network, and whether they had others: then their order and shapes must be its own.

    Every tensor is accounted for but batch counters; layers whose names begin with one of ``optional`` need not be
    there. InputError names the first that do not fit.
    """
    wanted, title = _without_counters(network.state_dict()), type(network).__name__
    given = _without_counters(state)
    # a classifier of other classes is no use, but no harm
    kept = {k: v for k, v in given.items() if not k.startswith(optional) or _same_shape(v, wanted.get(k))}
    problems = misfits(wanted, kept, optional=optional)
    if not problems:
        return kept, False
    unlike = [
        f"{theirs} {tuple(b.shape)}, not {ours} {tuple(a.shape)}"
        for (ours, a), (theirs, b) in zip(wanted.items(), given.items(), strict=False)
        if a.shape != b.shape
    ]
    if len(wanted) == len(given) and not unlike:
        return dict(zip(wanted, given.values(), strict=True)), True
    if not wanted.keys() & given.keys():
        count = f"{len(given)} tensors of other names for {len(wanted)}"
        problems = f"{count}; in order: {_few(unlike)}" if unlike else count
    raise InputError(f"{where}: weights of another network than {title}; {problems}")


def misfits(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor], *, optional: tuple[str, ...] = ()) -> str:
    """What is missing, not known or of another shape; layers that begin with ``optional`` may be missing."""
    spare = {name for name in wanted if name.endswith(COUNTER) or name.startswith(optional)}
    problems = {
        "missing": sorted(wanted.keys() - given.keys() - spare),
        "not known": sorted(given.keys() - wanted.keys()),
        "of another shape": sorted(k for k in wanted.keys() & given.keys() if wanted[k].shape != given[k].shape),
    }
    return "; ".join(f"{what}: {_few(names)}" for what, names in problems.items() if names)


def _same_shape(a: Tensor, b: Tensor | None) -> bool:
    return b is not None and a.shape == b.shape


def _without_counters(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if not name.endswith(COUNTER)}


def _few(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
