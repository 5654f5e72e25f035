"""The tracker: frames of a video, one after another, to a trajectory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.data.sequence import Sequence
from vode.geometry.camera import resize_intrinsics
from vode.geometry.pose import inverse
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.odometry.motion import FrameMotion, TrackerOptions, frame_motion
from vode.trajectory import Trajectory


@dataclass(frozen=True)
class Tracked:
    """A trajectory and how each of its motions was found."""

    trajectory: Trajectory
    motions: list[FrameMotion]

    def summary(self) -> str:
        counts = Counter(motion.how for motion in self.motions)
        return f"{len(self.motions)} motions: " + ", ".join(f"{n} {how}" for how, n in counts.most_common())


@torch.no_grad()
def track(
    sequence: Sequence,
    flow: FlowNet,
    depth: DepthNet,
    *,
    size: tuple[int, int],
    options: TrackerOptions = TrackerOptions(),
    tell: Callable[[int], None] | None = None,
) -> Tracked:
    """Camera poses of a sequence, its frames resized to ``size`` (height, width) for the networks.

    The trajectory starts at identity and is in the unit of the predicted depth. Memory does not grow with
    the length of the video but for the poses. ``tell`` is called with the number of each frame done.
    """
    device = next(flow.parameters()).device
    intrinsics = resize_intrinsics(sequence.intrinsics, tuple(sequence.size), size)[None].to(device)
    image_a = network_image(sequence.frame(0), size, device)
    depth_a = depth.depth(image_a).float()
    poses, motions = [torch.eye(4, dtype=torch.float64)], []
    before = torch.eye(4, dtype=torch.float64)
    for i in range(1, len(sequence)):
        image_b = network_image(sequence.frame(i), size, device)
        depth_b = depth.depth(image_b).float()
        flows_ab, flows_ba = flow(image_a, image_b)
        flow_ab, flow_ba = flows_ab[0].float(), flows_ba[0].float()
        inputs = flow_ab, flow_ba, depth_a, depth_b, intrinsics, before
        motion = frame_motion(*inputs, options, images=(image_a, image_b) if options.subpixel else None)
        motions.append(motion)
        poses.append(poses[-1] @ inverse(motion.T_b_a))
        image_a, depth_a, before = image_b, depth_b, motion.T_b_a
        if tell is not None:
            tell(i)
    trajectory = Trajectory(torch.stack(poses), sequence.stamps, name=f"estimate of {sequence.name}")
    return Tracked(trajectory, motions)


def network_image(image: Tensor, size: tuple[int, int], device: torch.device) -> Tensor:
    """A frame (3, H, W) as the networks take it: (1, 3, height, width) on their device."""
    image = image[None].to(device)
    if image.shape[-2:] != tuple(size):
        image = F.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True).clamp(0, 1)
    return image.contiguous(memory_format=torch.channels_last)
