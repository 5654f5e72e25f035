"""What the tracker sees of a video: flow between two frames and depth of each, by networks or by classical means."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vode.datasets.base import Sequence
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.odometry.frames import Frame


class Perception(Protocol):
    """Flow and depth of frames, all of one size."""

    device: torch.device

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        """Flows a to b and b to a, (1, 2, H, W) pixels."""
        ...

    def depth(self, frame: Frame) -> Tensor:
        """Depth (1, 1, H, W) in one unit for the whole video, 0 = unknown."""
        ...


class Networks:
    """Flow and depth of a run's networks."""

    def __init__(self, flow: FlowNet, depth: DepthNet) -> None:
        self._flow, self._depth = flow, depth
        self.device = next(flow.parameters()).device

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        ab, ba = self._flow(a.image, b.image)
        return ab[0].float(), ba[0].float()

    def depth(self, frame: Frame) -> Tensor:
        return self._depth.depth(frame.image).float()


class Classical:
    """OpenCV's dense inverse search flow (Kroeger et al., ECCV 2016) and the depth that the sequence itself has."""

    def __init__(self, sequence: Sequence) -> None:
        self.device = torch.device("cpu")
        self._sequence = sequence
        self._search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        grey_a, grey_b = (_grey(frame.image) for frame in (a, b))
        flows = (self._search.calc(one, two, None) for one, two in ((grey_a, grey_b), (grey_b, grey_a)))
        ab, ba = (torch.from_numpy(flow).movedim(-1, 0)[None] for flow in flows)
        return ab, ba

    def depth(self, frame: Frame) -> Tensor:
        depth = self._sequence.depth(frame.index)
        if depth is None:
            return torch.zeros_like(frame.image[:, :1])
        return F.interpolate(depth[None], frame.image.shape[-2:], mode="nearest-exact")


def _grey(image: Tensor) -> np.ndarray:
    return (image[0].mean(0) * 255).round().to(torch.uint8).cpu().numpy()
