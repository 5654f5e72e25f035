"""Weights as safetensors files that record their network and its options; nothing is unpickled."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from vode.errors import InputError, one_line
from vode.io.dataclass_json import from_plain
from vode.io.text import parse_json

N = TypeVar("N", bound="Network")
M = TypeVar("M", bound=nn.Module)


class Network(nn.Module):
    """A module that can be written to a weights file."""

    kind: ClassVar[str]
    """name of its kind of file"""
    options_class: ClassVar[type]
    """frozen dataclass that its constructor takes"""
    obsolete_options: ClassVar[frozenset[str]] = frozenset()
    """options that files of older versions have, of no use once weights are loaded"""
    earlier_options: ClassVar[Mapping[str, Any]] = {}
    """what options are in files of older versions, which do not tell them"""
    exact: ClassVar[tuple[str, ...]] = ()
    """beginnings of the names of convolutions that stay in 32 bits where the others are computed in 16"""
    options: Any

    @classmethod
    def build(cls: type[N], options: Any) -> N:
        """The network that the options describe, a new one of this class."""
        return cls(options)


def weights_bytes(network: Network, *, half: bool = False) -> bytes:
    """The content of the weights file for a network.

    ``half``: matrices and kernels in 16 bits, which load as 32; biases, norms and statistics stay exact.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if half:
        learned = {name for name, parameter in network.named_parameters() if parameter.dim() > 1}
        tensors = {name: x.half() if name in learned else x for name, x in tensors.items()}
    options = dataclasses.asdict(network.options)
    return save(tensors, {"vode": json.dumps({"kind": network.kind, "options": options}, default=str)})


def load_weights(path: Path | str, network_class: type[N], device: torch.device | str = "cpu") -> N:
    """The network in a weights file, in evaluation mode.

    Raises InputError for a file that is missing, damaged or of another kind than ``network_class``.
    """
    path, kind = Path(path), network_class.kind
    if not path.is_file():
        raise InputError(f"{path}: no such weights; train first, or name the folder of a finished run")
    try:
        with safe_open(path, framework="pt") as file:
            about = parse_json((file.metadata() or {}).get("vode", "{}"))
            about = about if isinstance(about, dict) else {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: damaged weights ({one_line(error)}); copy or train them again") from error
    if about.get("kind") != kind:
        found = f"weights of kind {about['kind']!r}" if "kind" in about else "not weights of this library"
        raise InputError(f"{path}: {found}; a file of kind {kind!r} is needed here")
    try:
        values = {k: v for k, v in about["options"].items() if k not in network_class.obsolete_options}
        options: Any = from_plain(network_class.options_class, {**network_class.earlier_options, **values})
        network = network_class.build(without_download(options))
        network.load_state_dict(tensors)
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, InputError) as error:
        raise InputError(f"{path}: weights of another network ({one_line(error)}); train them again") from error
    return prepare(network, device).eval()


def without_download(options: Any) -> Any:
    """The same options without pretrained weights, for a network whose weights are about to be loaded."""
    none = {"encoder_weights": "none", "imagenet": False, "backbone_weights": None}
    has = {field.name for field in dataclasses.fields(options)}
    return dataclasses.replace(options, **{name: value for name, value in none.items() if name in has})


def without_start(options: Any) -> Any:
    """The same options without what they say of the weights that training starts from, for comparing networks."""
    begins = {field.name: field.default for field in dataclasses.fields(options) if field.name == "start"}
    return dataclasses.replace(without_download(options), **begins)


def prepare(network: M, device: torch.device | str, *, channels_last: bool = True) -> M:
    """Move a network to a device, by default in the channels-last layout, in which most convolutions are fastest."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return network.to(device).to(memory_format=layout)
