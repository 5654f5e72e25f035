"""Networks as checkpoints of other systems, which their released code opens."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from vode.errors import InputError
from vode.networks.checkpoints.layouts import CLASSIFIER, COLOURS, System, depth_layout, flow_layout
from vode.networks.checkpoints.reading import DISPARITIES
from vode.networks.depth import DepthNet
from vode.networks.encoders import OWN, TimmEncoder
from vode.networks.flow import FlowNet
from vode.networks.options import TRIANFLOW, DepthOptions, FlowOptions

Written = Literal["trianflow", "monodepth2"]
CLASSES = 1000
"""of the classifier that torchvision's ResNets come with; nobody uses it here, but their loaders want it"""
DECODER = (16, 32, 64, 128, 256)
"""channels of these systems' decoders"""


def checkpoint_files(system: Written, depth: DepthNet, flow: FlowNet, size: tuple[int, int]) -> dict[str, bytes]:
    """The files of a checkpoint by their names: last.pth of trianflow, encoder.pth and depth.pth of monodepth2.

    Their classifiers, which are never used, are zeros. ``size``: (height, width) of the images, which monodepth2 keeps.
    InputError names the options of networks that the system cannot have.
    """
    _check_depth(system, depth)
    tensors = depth_layout(system, depth).tensors(depth)
    if system == "monodepth2":
        encoder = {name: value for name, value in tensors.items() if name.startswith("encoder.")}
        decoder = {name: value for name, value in tensors.items() if name.startswith("decoder.")}
        about = {"height": size[0], "width": size[1], "use_stereo": False}
        classifier = _classifier(CLASSIFIER.removeprefix("encoder."), depth)
        return {"encoder.pth": _saved(encoder | classifier | about), "depth.pth": _saved(decoder)}
    _check_flow(flow.options)
    tensors = {f"depth_net.{name}": value for name, value in (tensors | _classifier(CLASSIFIER, depth)).items()}
    tensors |= {f"model_pose.model_flow.{name}": value for name, value in flow_layout(flow).tensors(flow).items()}
    return {"last.pth": _saved({"iteration": 0, "model_state_dict": tensors, "optimizer_state_dict": {}})}


def _check_depth(system: System, depth: DepthNet) -> None:
    options = depth.options
    plain = DepthOptions(encoder=options.encoder, decoder=DECODER, scales=options.scales)
    wanted: dict[str, tuple[Any, ...]] = {
        "encoder": (OWN,) if system == "trianflow" else (OWN, "resnet34", "resnet50", "resnet101"),
        "scales": (1, 4) if system == "trianflow" else (4,),
        "upsampling": ("bilinear",) if system == "trianflow" else ("nearest",),
        "decoder": (plain.decoder,),
        "padding": (plain.padding,),
        "disparity": tuple({plain.disparity, DISPARITIES[system]}),
        "canonical_focal": (0.0,),
        "both_views": (False,),
    }
    _refuse(system, "depth", options, wanted)
    encoder = depth.encoder
    if isinstance(encoder, TimmEncoder) and not all(
        bool((buffer == value).all()) for buffer, value in zip((encoder.mean, encoder.deviation), COLOURS, strict=True)
    ):
        raise InputError(f"{system}: its images are normalised to {COLOURS}; this encoder's have other colours")


def _check_flow(options: FlowOptions) -> None:
    names = ("search", "normalise", "image", "cost", "outside", "outputs")
    _refuse("trianflow", "flow", options, {name: (getattr(TRIANFLOW, name),) for name in names})


def _refuse(system: System, kind: str, options: Any, wanted: Mapping[str, tuple[Any, ...]]) -> None:
    """InputError that names the options which are none of those wanted."""
    unlike = [name for name, values in wanted.items() if getattr(options, name) not in values]
    if unlike:
        told = ", ".join(f"{kind}.{name} {getattr(options, name)}" for name in unlike)
        raise InputError(f"{system} has no network with {told}; export what was imported from it, or trained like it")


def _classifier(prefix: str, depth: DepthNet) -> dict[str, Tensor]:
    width = depth.encoder.channels[-1]
    return {f"{prefix}weight": torch.zeros(CLASSES, width), f"{prefix}bias": torch.zeros(CLASSES)}


def _saved(content: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    return buffer.getvalue()
