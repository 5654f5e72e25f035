"""Layouts: what the released code of other systems calls the tensors of a network, and in which order it has inputs.

trianflow      Zhao et al., CVPR 2020: flow and depth in one file
monodepth2     Godard et al., ICCV 2019: encoder.pth and depth.pth, pose_encoder.pth and pose.pth
sc-sfmlearner  Bian et al., IJCV 2021: DispResNet and PoseResNet
sfmlearner     Zhou et al., CVPR 2017, in Pinard's PyTorch version: DispNetS and PoseExpNet
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

import torch
from torch import Tensor, nn

from vode.errors import InputError
from vode.networks.backbone import misfits
from vode.networks.depth import DepthNet
from vode.networks.dispnet import DispNet
from vode.networks.encoders import OWN, ResNet18, TimmEncoder
from vode.networks.flow import PYRAMID, FlowNet
from vode.networks.pose import PoseCNN, PoseNet

System = Literal["trianflow", "monodepth2", "sc-sfmlearner", "sfmlearner"]
SYSTEMS: tuple[System, ...] = ("trianflow", "monodepth2", "sc-sfmlearner", "sfmlearner")
CLASSIFIER = "encoder.encoder.fc."
"""prefix of the unused classifier of ResNets, in the names of the systems that keep the encoder in a module"""
CLASSIFIERS = (CLASSIFIER, CLASSIFIER.removeprefix("encoder."))
"""the same in the names of all systems"""
COLOURS = (0.45, 0.225)
"""mean and deviation by which these systems normalise images, the same for all three channels"""
REVERSED = [2, 1, 0]
"""order of the channels of images read by OpenCV"""


@dataclass(frozen=True)
class Layout:
    """Names and orders of a network's tensors in the files of another system."""

    names: Mapping[str, str]
    """their name by ours"""
    orders: Mapping[str, list[int]] = field(default_factory=dict)
    """by our name: our i-th input channel is their ``order[i]``-th"""
    rows: Mapping[str, list[int]] = field(default_factory=dict)
    """by our name: our i-th output is their ``rows[i]``-th; they may have as many again"""
    unused: tuple[str, ...] = ()
    """prefixes of their names that the network has no use for"""

    def fill(self, network: nn.Module, given: Mapping[str, Tensor], where: str) -> None:
        """Load their tensors into the network; InputError names those that are missing, unknown or of other shapes."""
        state = network.state_dict()
        kept = {name: value for name, value in given.items() if not name.startswith(self.unused or ("\0",))}
        for ours, rows in self.rows.items():
            theirs = self.names[ours]
            if theirs in kept and kept[theirs].shape[:1] in ((len(rows),), (2 * len(rows),)):
                kept[theirs] = kept[theirs][rows]
        problems = misfits({self.names[ours]: state[ours] for ours in self.names}, kept)
        if problems:
            raise InputError(f"{where}: weights of another network; {problems}")
        for ours, theirs in self.names.items():
            if theirs in kept:
                value, order = kept[theirs], self.orders.get(ours)
                state[ours].copy_(value if order is None else value[:, order])

    def tensors(self, network: nn.Module) -> dict[str, Tensor]:
        """The network's tensors as they have them."""
        found = {}
        for ours, value in network.state_dict().items():
            if ours in self.names:
                order = self.orders.get(ours)
                value = value if order is None else value[:, torch.tensor(order).argsort()]
                found[self.names[ours]] = value.detach().cpu().contiguous()
        return found


def depth_layout(system: System, network: DepthNet) -> Layout:
    """The layout of a depth network."""
    if isinstance(network, DispNet):
        return _dispnet()
    names = _encoder_names(network)
    for level in range(5):
        for part, ours in enumerate(("reduce", "merge")):
            stem = f"decoder.upconvs.{level}.{part}" if system == "trianflow" else f"decoder.{2 * level + part}"
            names |= _both(f"{ours}.{level}", _nested(system, f"{stem}.conv.conv"))
    for scale in range(len(network.heads)):
        stem = f"decoder.dispconvs.{scale}" if system == "trianflow" else f"decoder.{10 + scale}"
        names |= _both(f"heads.{scale}", _nested(system, f"{stem}.conv"))
    first = next(ours for ours, theirs in names.items() if theirs == "encoder.encoder.conv1.weight")
    orders = {first: REVERSED} if system == "trianflow" else {}
    if system == "monodepth2":
        names = {ours: theirs.replace("encoder.encoder.", "encoder.", 1) for ours, theirs in names.items()}
    return Layout(names, orders, unused=CLASSIFIERS)


def flow_layout(network: FlowNet) -> Layout:
    """The layout of TrianFlow's flow network."""
    names: dict[str, str] = {}
    for level in range(len(PYRAMID)):
        for part in range(2):
            names |= _both(f"pyramid.{level}.{part}.0", f"fpyramid.conv{2 * level + part + 1}.0")
    for level in range(2, 7):
        for part in range(5):
            names |= _both(f"decoders.{level}.convs.{part}.0", f"pwc_model.conv{level}_{part}.0")
        names |= _both(f"decoders.{level}.predict", f"pwc_model.predict_flow{level}")
    last = len(network.context) - 1
    for part in range(last):
        names |= _both(f"context.{part}.0", f"pwc_model.dc_conv{part + 1}.0")
    names |= _both(f"context.{last}", f"pwc_model.dc_conv{last + 1}")
    width = cast(nn.Conv2d, cast(nn.Sequential, network.context[0])[0]).in_channels
    # the flow comes before the features
    orders = {"pyramid.0.0.0.weight": REVERSED, "context.0.0.weight": [*range(2, width), 0, 1]}
    return Layout(names, orders)


def pose_layout(system: System, network: PoseNet) -> Layout:
    """The layout of a pose network of images."""
    encoder, names = network.encoder, cast(dict[str, str], {})
    if isinstance(encoder, PoseCNN):
        for i in range(len(encoder.convs)):
            names |= _both(f"encoder.convs.{i}", f"conv{i + 1}.0")
        if network.explainability is not None:
            for level in range(len(network.explainability.up)):
                names |= _both(f"explainability.up.{level}", f"upconv{level + 1}.0")
            for level in range(len(network.explainability.heads)):
                names |= _both(f"explainability.heads.{level}", f"predict_mask{level + 1}")
        return Layout(names | _both("encoder.pose", "pose_pred"))
    resnet = "encoder." if system == "monodepth2" else "encoder.encoder."
    names |= {f"encoder.resnet.{name}": f"{resnet}{name}" for name in encoder.resnet.state_dict()}
    for i, ours in enumerate(("squeeze", "convs.0", "convs.1", "pose")):
        names |= _both(f"encoder.{ours}", _nested(system, f"net.{i}"))
    # Monodepth2 tells the rotation first, and a second motion that it does not use
    rows = [3, 4, 5, 0, 1, 2] if system == "monodepth2" else list(range(6))
    return Layout(names, rows=dict.fromkeys(_both("encoder.pose", ""), rows), unused=CLASSIFIERS)


def encoder_name(state: Mapping[str, Tensor], prefix: str, where: str) -> str:
    """Which ResNet the tensors that begin with ``prefix`` belong to; InputError for another network."""
    blocks = tuple(
        len({name.removeprefix(f"{prefix}layer{i}.").split(".")[0] for name in state if f"{prefix}layer{i}." in name})
        for i in range(1, 5)
    )
    kind = "bottleneck" if f"{prefix}layer1.0.conv3.weight" in state else "basic"
    known: dict[tuple[str, tuple[int, ...]], str] = {
        ("basic", (2, 2, 2, 2)): OWN,
        ("basic", (3, 4, 6, 3)): "resnet34",
        ("bottleneck", (3, 4, 6, 3)): "resnet50",
        ("bottleneck", (3, 4, 23, 3)): "resnet101",
    }
    if (kind, blocks) not in known:
        raise InputError(f"{where}: an encoder of {blocks} {kind} blocks; known are {', '.join(known.values())}")
    return known[kind, blocks]


def _encoder_names(network: DepthNet) -> dict[str, str]:
    encoder, prefix = network.encoder, "encoder."
    if isinstance(encoder, TimmEncoder):
        encoder, prefix = encoder.extractor, "encoder.extractor."
    elif not isinstance(encoder, ResNet18):
        raise InputError(f"{network.options.encoder}: an encoder that no other system has", "depth.encoder")
    return {f"{prefix}{name}": f"encoder.encoder.{name}" for name in encoder.state_dict()}


def _dispnet() -> Layout:
    names: dict[str, str] = {}
    for level in range(7):
        for part in (0, 2):
            names |= _both(f"down.{level}.{part}", f"conv{level + 1}.{part}")
        names |= _both(f"up.{level}", f"upconv{level + 1}.0")
        names |= _both(f"merge.{level}", f"iconv{level + 1}.0")
    for level in range(4):
        names |= _both(f"heads.{level}", f"predict_disp{level + 1}.0")
    return Layout(names)


def _nested(system: System, name: str) -> str:
    return f"decoder.{name}" if system == "sc-sfmlearner" else name


def _both(ours: str, theirs: str) -> dict[str, str]:
    return {f"{ours}.{kind}": f"{theirs}.{kind}" for kind in ("weight", "bias")}
