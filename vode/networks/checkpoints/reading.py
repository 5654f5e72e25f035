"""Networks out of the checkpoints of other systems, recognised by the names of their tensors; no code is run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vode.errors import InputError
from vode.networks.backbone import read_content
from vode.networks.checkpoints.layouts import (
    COLOURS,
    SYSTEMS,
    System,
    depth_layout,
    encoder_name,
    flow_layout,
    pose_layout,
)
from vode.networks.depth import DISPNET, DepthNet
from vode.networks.encoders import OWN, TimmEncoder
from vode.networks.flow import FlowNet
from vode.networks.options import LONGEST_SNIPPET, TRIANFLOW, DepthOptions, PoseOptions
from vode.networks.pose import PoseNet

SUFFIXES = (".pth", ".pt", ".tar")
"""how the names of checkpoints end"""
WRAPPERS = ("model_state_dict", "state_dict")
"""keys that checkpoints nest their weights under"""
GROUPS = ("model_pose.model_flow.", "model_flow.", "depth_net.", "pose_net.", "")
"""prefixes of the networks in one file; that of DataParallel is removed before"""
SIGNS: dict[str, tuple[System, str]] = {
    "fpyramid.conv1.0.weight": ("trianflow", "flow"),
    "decoder.upconvs.0.0.conv.conv.weight": ("trianflow", "depth"),
    "decoder.decoder.0.conv.conv.weight": ("sc-sfmlearner", "depth"),
    "decoder.net.0.weight": ("sc-sfmlearner", "pose"),
    "decoder.0.conv.conv.weight": ("monodepth2", "depth decoder"),
    "net.0.weight": ("monodepth2", "pose decoder"),
    "encoder.conv1.weight": ("monodepth2", "encoder"),
    "upconv7.0.weight": ("sfmlearner", "depth"),
    "pose_pred.weight": ("sfmlearner", "pose"),
}
"""which network a tensor of that name tells of"""
SIZES: dict[System, tuple[int, int]] = {
    "trianflow": (256, 832),
    "monodepth2": (192, 640),
    "sc-sfmlearner": (256, 832),
    "sfmlearner": (128, 416),
}
"""(height, width) of the images that the published weights were trained on, where the files do not tell"""
DISPARITIES: dict[System, tuple[float, float]] = {
    "trianflow": (1e-4, 1.0),
    "monodepth2": (0.01, 9.99),
    "sc-sfmlearner": (0.01, 10.0),
    "sfmlearner": (0.01, 10.0),
}
"""inverse depth of an output of 0, and its increase up to 1, as the systems are scored"""


class Checkpoint(NamedTuple):
    """The networks of another system."""

    system: System
    depth: DepthNet | None
    flow: FlowNet | None
    pose: PoseNet | None
    size: tuple[int, int]
    """(height, width) of the images that the networks take"""
    left_out: tuple[str, ...]
    """what the files hold besides, in words"""


class Part(NamedTuple):
    """A network, or a half of one, in a file."""

    system: System
    role: str
    tensors: dict[str, Tensor]
    path: Path


def is_checkpoint(path: Path) -> bool:
    """Whether a path is a checkpoint by its name, or a folder that holds one and no run."""
    return bool(_files([path])) if path.is_dir() else path.suffix in SUFFIXES


def read_checkpoint(
    paths: Iterable[Path], system: System | None = None, *, size: tuple[int, int] | None = None
) -> Checkpoint:
    """The networks in files, or in folders of files, of one system, which their tensors' names tell if none is given.

    InputError names the file that is missing, damaged, holds more than plain values, is of another system or does not
    belong to the others.
    """
    paths = [Path(path) for path in paths]
    files = _files(paths)
    if not files:
        raise InputError(f"{', '.join(map(str, paths)) or 'no file'}: no checkpoint there; name files of weights")
    contents = {path: read_content(path) for path in files}
    parts = [part for path, content in contents.items() for part in _parts(content, path)]
    found = _one_system(parts, system)
    roles = _by_role(parts)
    depth, flow = _depth(found, roles), _flow(roles["flow"]) if "flow" in roles else None
    if depth is None and flow is None:
        raise InputError(
            f"{files[0]}: a pose network of {found}, whose motions are in the unit of its depth; give the depth "
            "network's file too"
        )
    pose, left_out = _pose(found, roles)
    return Checkpoint(found, depth, flow, pose, size or _size(contents.values()) or SIZES[found], left_out)


def _files(paths: Iterable[Path]) -> list[Path]:
    """The files, and those in the folders that are checkpoints by their names."""
    found = []
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        # the state of an optimiser is no network
        found += [file for file in inside if file == path or (file.suffix in SUFFIXES and file.stem != "adam")]
    return found


def _parts(content: Any, path: Path) -> list[Part]:
    """The networks in the content of a file."""
    for name in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping):
        raise InputError(f"{path}: holds no weights by name, but {type(content).__name__}; give a saved state_dict")
    groups: dict[str, dict[str, Tensor]] = {}
    for name, value in content.items():
        name = str(name).removeprefix("module.")
        if isinstance(value, Tensor):
            prefix = next(prefix for prefix in GROUPS if name.startswith(prefix))
            groups.setdefault(prefix, {})[name.removeprefix(prefix)] = value
    if not groups:
        raise InputError(f"{path}: holds no weights by name; give a saved state_dict")
    return [_recognised(tensors, path, prefix) for prefix, tensors in groups.items()]


def _recognised(tensors: dict[str, Tensor], path: Path, prefix: str) -> Part:
    for sign, (system, role) in SIGNS.items():
        if sign in tensors:
            if role == "encoder" and tensors[sign].shape[1:2] != (3,):
                role = "pose encoder"
            return Part(system, role, tensors, path)
    if prefix == "pose_net.":
        return Part("trianflow", "pose", tensors, path)
    names = ", ".join([prefix + name for name in tensors][:3])
    raise InputError(f"{path}: weights of no known network ({names}, ...); known are those of {', '.join(SYSTEMS)}")


def _one_system(parts: list[Part], system: System | None) -> System:
    """The system of all parts; InputError if they have several, or not the one that is asked for."""
    first = parts[0]
    for part in parts:
        if part.system != (system or first.system):
            other = f"not of {system}" if system else f"and {first.path} of {first.system}"
            raise InputError(f"{part.path}: weights of {part.system}, {other}; give files of one system")
    return first.system


def _by_role(parts: list[Part]) -> dict[str, Part]:
    roles: dict[str, Part] = {}
    for part in parts:
        if part.role in roles:
            both = f"{roles[part.role].path} and {part.path}"
            raise InputError(f"{both}: each holds a {part.role}; give the files of one checkpoint")
        roles[part.role] = part
    return roles


def _flow(part: Part) -> FlowNet:
    network = FlowNet(TRIANFLOW)
    flow_layout(network).fill(network, part.tensors, str(part.path))
    return network.eval()


def _depth(system: System, roles: Mapping[str, Part]) -> DepthNet | None:
    """The depth network, of which monodepth2 has two halves; None if there is neither."""
    halves = [roles[role] for role in ("encoder", "depth decoder") if role in roles]
    if len(halves) == 1:
        other = "decoder (depth.pth)" if halves[0].role == "encoder" else "encoder (encoder.pth)"
        raise InputError(f"{halves[0].path}: half a depth network; give the file of the {other} too")
    parts = halves or [roles[role] for role in ("depth",) if role in roles]
    if not parts:
        return None
    tensors = {name: value for part in parts for name, value in part.tensors.items()}
    where = " and ".join(str(part.path) for part in parts)
    network = DepthNet.build(_depth_options(system, tensors, where))
    if network.options.encoder != DISPNET and isinstance(network.encoder, TimmEncoder):
        network.encoder.mean.fill_(COLOURS[0])
        network.encoder.deviation.fill_(COLOURS[1])
    depth_layout(system, network).fill(network, tensors, where)
    return network.eval()


def _pose(system: System, roles: Mapping[str, Part]) -> tuple[PoseNet | None, tuple[str, ...]]:
    """The pose network, of which monodepth2 has two halves, None if there is neither; and what is left out."""
    parts = [part for role, part in roles.items() if role.startswith("pose")]
    if not parts or system == "trianflow":
        return None, tuple(
            f"{part.path}: the {part.role} is left out, for there is no such network here" for part in parts
        )
    if system == "monodepth2" and len(parts) == 1:
        other = "decoder (pose.pth)" if parts[0].role == "pose encoder" else "encoder (pose_encoder.pth)"
        raise InputError(f"{parts[0].path}: half a pose network; give the file of the {other} too")
    tensors = {name: value for part in parts for name, value in part.tensors.items()}
    where = " and ".join(str(part.path) for part in parts)
    if system == "sfmlearner":
        options = _posecnn_options(tensors)
    else:
        encoder = encoder_name(tensors, "encoder." if system == "monodepth2" else "encoder.encoder.", where)
        if encoder != OWN:
            return None, (
                f"{where}: the pose network is left out, for it has a {encoder}, and there are those of {OWN} here",
            )
        options = PoseOptions("resnet18", rotation="axis-angle" if system == "monodepth2" else "euler")
    network = PoseNet(options)
    pose_layout(system, network).fill(network, tensors, where)
    return network.eval(), ()


def _posecnn_options(tensors: Mapping[str, Tensor]) -> PoseOptions:
    """Those of SfMLearner's pose network, whose first layer tells how many frames it sees."""
    first = tensors.get("conv1.0.weight")
    frames = first.shape[1] // 3 if first is not None and first.ndim == 4 else 0
    frames = frames if 2 <= frames <= LONGEST_SNIPPET else PoseOptions.frames
    return PoseOptions("posecnn", frames=frames, explainability="predict_mask1.weight" in tensors)


def _depth_options(system: System, tensors: Mapping[str, Tensor], where: str) -> DepthOptions:
    disparity = DISPARITIES[system]
    if system == "sfmlearner":
        return DepthOptions(encoder=DISPNET, scales=4, disparity=disparity)
    prefix = "encoder." if system == "monodepth2" else "encoder.encoder."
    # heads alone have one output channel
    heads = sum(value.shape[:1] == (1,) and value.ndim == 4 for value in tensors.values())
    if heads not in (1, 4):
        raise InputError(f"{where}: depth at {heads} scales; networks of 1 or 4 are known")
    return DepthOptions(
        encoder=encoder_name(tensors, prefix, where),
        scales=1 if heads == 1 else 4,
        upsampling="bilinear" if system == "trianflow" else "nearest",
        disparity=disparity,
    )


def _size(contents: Iterable[Any]) -> tuple[int, int] | None:
    """The size of images that monodepth2 writes beside an encoder."""
    for content in contents:
        size = [content.get(name) for name in ("height", "width")] if isinstance(content, Mapping) else []
        if size and all(isinstance(value, int | Tensor) for value in size):
            height, width = (int(torch.as_tensor(value)) for value in size)
            if height > 0 and width > 0:
                return height, width
    return None
