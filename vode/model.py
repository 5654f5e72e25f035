"""Model: trained networks with their options, ready to predict; and where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from vode.adaptation.config import AdaptationConfig
from vode.cameras.lens import Camera, CameraLike, vertical_focal
from vode.devices import device_name
from vode.errors import InputError
from vode.geometry.resize import image_size, magnified
from vode.io.array import float_image, like
from vode.networks.checkpoints.reading import Checkpoint, is_checkpoint, read_checkpoint
from vode.networks.depth import DepthNet
from vode.networks.edges import magnify_depth
from vode.networks.flow import FlowNet
from vode.networks.pose import PoseNet
from vode.networks.weights import prepare
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import Perception, network_perception
from vode.odometry.sources.pose_network import WithPoseNetwork
from vode.prediction import predict_depth, predict_flow
from vode.run_folder import BESIDE, RunFolder, find_run
from vode.training.config import SupervisedConfig, VideoConfig
from vode.view_synthesis.config import ViewSynthesisConfig

Array = TypeVar("Array", np.ndarray, Tensor)
FAMILIES = {kind.family: kind for kind in (VideoConfig, SupervisedConfig, ViewSynthesisConfig, AdaptationConfig)}
"""configurations of runs of depth and odometry; they have a ``size`` and a ``tracker``"""
CARD = """---
library_name: vode
pipeline_tag: depth-estimation
tags: [depth-estimation, optical-flow, visual-odometry]
---
# Depth and optical flow

```python
import vode

model = vode.Model.from_pretrained("THIS FOLDER")
depth = model.predict_depth(image)
flow = model.predict_flow(image_a, image_b)
```

Depth: {depth}; {unit}. Flow: {flow}; pixels. Images are resized to {width}x{height}, or to that area.
"""
"""what a folder that a model is saved in says of it"""


class Model:
    """A depth and a flow network, maybe a pose network, the image size they work at, and how they are tracked with.

    Images are resized to ``size`` (height, width), or, by a model of metric depth, to one of its area: see
    ``size_for``.
    """

    def __init__(
        self,
        depth: DepthNet,
        flow: FlowNet,
        *,
        size: tuple[int, int],
        pose: PoseNet | None = None,
        tracker: TrackerOptions = TrackerOptions(),
        source: str = "",
    ) -> None:
        self.depth, self.flow, self.pose = depth, flow, pose
        self.size, self.tracker, self.source = size, tracker, source

    def __repr__(self) -> str:
        return f"Model({self.source!r}, size={self.size[0]}x{self.size[1]}, device={self.device})"

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.depth.parameters()).device

    @property
    def metric(self) -> bool:
        """Whether depth is in metres for cameras whose focal length is known; else it is up to scale."""
        return self.depth.is_metric

    def size_for(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """The (height, width) that images of ``image_size`` are resized to: ``size``, or its area in their aspect."""
        return self.depth.input_size(self.size, image_size)

    def tracking_size(self, image_size: tuple[int, int], tracker: TrackerOptions | None = None) -> tuple[int, int]:
        """The (height, width) at which images of ``image_size`` are tracked: ``size_for``, by the tracker's options."""
        return magnified(self.size_for(image_size), (tracker or self.tracker).magnify)

    def _summary(self) -> str:
        """What the model's card says of it."""
        counts = (sum(p.numel() for p in network.parameters()) / 1e6 for network in (self.depth, self.flow))
        depth, flow = (f"{count:.1f} million weights" for count in counts)
        unit = "metres, for cameras whose focal length is known" if self.metric else "up to one scale for a video"
        return CARD.format(depth=depth, flow=flow, unit=unit, height=self.size[0], width=self.size[1])

    def to(self, device: torch.device | str) -> Model:
        """Move all networks; returns the model itself."""
        for network in self._networks().values():
            network.to(device)
        return self

    def predict_depth(self, image: Array, *, camera: CameraLike | None = None, flip: bool = False) -> Array:
        """Depth (H, W) float32 of an image: in metres if the model is ``metric``, else up to one scale for the video.

        ``camera`` is the image's: a Camera, intrinsics (3, 3), or the vertical focal length in pixels. Metric depth is
        proportional to it; without one it is ``Camera.assumed``. Depth up to scale does not depend on it.

        ``image``: numpy or torch, (H, W, 3), (3, H, W) or grey (H, W), uint8, uint16 or floats in 0..1; the result is
        of the same kind. ``flip`` averages with the prediction of the mirrored image. The inverse depth is computed at
        ``size_for`` the image and resized bilinearly (align_corners=False), with steps where the network has them
        (``DepthOptions.edge_ratio``). InputError for another image or camera.
        """
        pixels = float_image(image)
        full = image_size(pixels)
        focal = vertical_focal(Camera.assumed(full) if camera is None else camera, full)
        depth = predict_depth(self.depth, pixels, self.size_for(full), focal=focal, flip=flip)
        return like(magnify_depth(depth[None], full, self.depth.options.edge_ratio)[0, 0], image)

    def predict_flow(self, image_a: Array, image_b: Array, *, refine: bool = True) -> Array:
        """Optical flow (H, W, 2) float32 from image a to image b in pixels, x then y; images as ``predict_depth``.

        It is computed at ``size_for`` the images. ``refine`` it on images that are larger than that, by OpenCV's dense
        inverse search where both directions agree (``geometry.inverse_search``). InputError for images of different
        sizes.
        """
        a, b = float_image(image_a), float_image(image_b)
        if a.shape != b.shape:
            shapes = " and ".join(f"{x.shape[-1]}x{x.shape[-2]}" for x in (a, b))
            raise InputError(f"images of {shapes} pixels; flow is between images of one size")
        flow = predict_flow(self.flow, a, b, self.size_for(image_size(a)), refine=refine)
        return like(flow.movedim(0, -1).contiguous(), image_a)

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, device: str = "auto") -> Model:
        """The model in a local folder with a config.json and safetensors, left by ``save_pretrained`` or a run.

        Nothing is downloaded. InputError as ``load``.
        """
        return load(folder, device=device)

    def save_pretrained(self, folder: str | Path, *, half: bool = False) -> None:
        """Write a run folder: config.json, depth.safetensors, flow.safetensors, and a README.md, the model's card.

        What came with the weights, notices of their licences and the record of their training data, is copied.
        ``half``: in 16 bits, which load as 32. InputError if the folder holds a run already.
        """
        target = RunFolder(folder)
        if target.holds_run or target.is_shipped:
            raise InputError(f"{folder}: holds a run already; choose another folder", "folder")
        target.write_weights(self._networks(), half=half)
        depth, flow = self.depth.options, self.flow.options
        target.write_card(self._summary(), self.source)
        target.write_config(VideoConfig(size=self.size, tracker=self.tracker, depth=depth, flow=flow))

    def perception(self, tracker: TrackerOptions | None = None) -> Perception:
        """Flow, depth and, for a ``tracker`` by them, motions as odometry takes them; its options, or the model's own.

        InputError if they ask for a pose network and the model has none.
        """
        options = tracker or self.tracker
        seen = network_perception(self.flow, self.depth, options, self.size_for)
        if options.tracker != "pose-network":
            return seen
        if self.pose is None:
            raise InputError(f"{self.source}: has no pose network; track by geometry (vode)", "tracker")
        return WithPoseNetwork(seen, self.pose, self.size_for)

    def _networks(self) -> dict[str, nn.Module]:
        networks: dict[str, nn.Module] = {"depth": self.depth, "flow": self.flow}
        return networks if self.pose is None else networks | {"pose": self.pose}


def load(source: str | Path, *, device: str = "auto") -> Model:
    """A trained model: ``source`` is the folder of a run of depth and odometry, or the name of shipped weights.

    It may also be a checkpoint of another system, a file or the folder of its files: see ``from_checkpoint``.

    ``device``: cpu, cuda, ...; auto takes the GPU if there is one. InputError names the file that is missing, damaged
    or of another kind.
    """
    folder, where = find_run(source), device_name(device)
    if not folder.holds_run:
        if is_checkpoint(folder.path):
            return from_checkpoint(read_checkpoint([folder.path]), device=where, source=str(source))
        raise InputError(f"{source}: no run in it (no config.json); give the folder that training left")
    config = folder.read_config(FAMILIES.get(folder.family(), VideoConfig))
    depth = folder.load_network(DepthNet, where)
    # runs by view synthesis may have no flow, others have no pose network
    lacks_flow = isinstance(config, ViewSynthesisConfig) and not folder.has_network(FlowNet)
    flow = (find_run(BESIDE) if lacks_flow else folder).load_network(FlowNet, where)
    pose = folder.load_network(PoseNet, where) if folder.has_network(PoseNet) else None
    return Model(depth, flow, size=config.size, pose=pose, tracker=config.tracker, source=str(source))


def from_checkpoint(
    checkpoint: Checkpoint, *, beside: str | Path = BESIDE, device: str = "auto", source: str = ""
) -> Model:
    """The model of another system's networks; the one that its files lack is that of the run or weights ``beside``."""
    where, depth, flow = device_name(device), checkpoint.depth, checkpoint.flow
    depth = find_run(beside).load_network(DepthNet, where) if depth is None else prepare(depth, where)
    flow = find_run(beside).load_network(FlowNet, where) if flow is None else prepare(flow, where)
    pose = None if checkpoint.pose is None else prepare(checkpoint.pose, where)
    return Model(depth, flow, size=checkpoint.size, pose=pose, source=source)
