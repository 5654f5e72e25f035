"""Evaluation of camera poses of single images, and two baselines that any regressor should beat."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.sample import collate
from vode.evaluation.result import Number, Result
from vode.geometry.pose import (
    from_rotation_translation,
    geodesic_distance,
    matrix_to_quaternion,
    quaternion_distance,
    quaternion_to_matrix,
)
from vode.relocalization.network import PoseNet
from vode.relocalization.posed_images import PosedImages
from vode.relocalization.views import cut_view

THRESHOLDS = ((0.25, 2.0), (0.5, 5.0), (5.0, 10.0))
"""thresholds in metres and degrees within which images are counted (Sattler et al., CVPR 2018)"""
THUMB = (24, 32)
"""(height, width) of the thumbnails that are compared to find the most similar image"""
BATCH = 16
"""images that are evaluated at a time"""


class PoseErrors(NamedTuple):
    """Pose errors of N images."""

    position: Tensor
    """(N,) metres"""
    rotation: Tensor
    """(N,) radians"""


def relocalize(
    network: PoseNet, tested: PosedImages, trained: PosedImages | None = None, *, half: bool = False
) -> Result:
    """Errors of a network on test images and, given its training images, those of the two baselines."""
    return against(locate(network, tested, half=half), tested, trained)


def against(estimate: Tensor, tested: PosedImages, trained: PosedImages | None = None) -> Result:
    """Errors of estimated poses T_scene_cam (N, 4, 4) of test images, compared with those of the two baselines."""
    ground_truth, others = tested.poses().double(), {}
    if trained is not None:
        known = trained.poses().double()
        others["constant"] = median_pose(known).expand_as(ground_truth)
        others["nearest_image"] = known[most_similar(thumbs(tested), thumbs(trained))]
    return summary(
        pose_errors(estimate, ground_truth), {name: pose_errors(poses, ground_truth) for name, poses in others.items()}
    )


@torch.no_grad()
def locate(network: PoseNet, images: PosedImages, *, half: bool = False) -> Tensor:
    """Estimated T_scene_cam (N, 4, 4) float64 of every image, from its central view, at half the size if ``half``."""
    network.eval()
    device = next(network.parameters()).device
    found = []
    for batch in _batches(images):
        estimate = network(cut_view(batch, images.window, half=half)["images"].to(device))[0]
        rotation = quaternion_to_matrix(estimate.quaternion.double())
        found.append(from_rotation_translation(rotation, estimate.position.double()).cpu())
    return torch.cat(found)


def pose_errors(estimate: Tensor, ground_truth: Tensor) -> PoseErrors:
    """Errors of poses T_scene_cam (N, 4, 4)."""
    position = (estimate[:, :3, 3] - ground_truth[:, :3, 3]).norm(dim=-1)
    return PoseErrors(position, geodesic_distance(estimate[:, :3, :3], ground_truth[:, :3, :3]))


def summary(errors: PoseErrors, others: dict[str, PoseErrors] | None = None) -> Result:
    """Medians, fractions of images within the three thresholds, and medians of ``others`` under their names."""
    position, rotation = errors.position, errors.rotation.rad2deg()
    numbers = [
        Number("images", len(position)),
        Number("median_position_m", float(position.quantile(0.5)), "m"),
        Number("median_rotation_deg", float(rotation.quantile(0.5)), "deg"),
    ]
    for metres, degrees in THRESHOLDS:
        fraction = ((position <= metres) & (rotation <= degrees)).double().mean()
        numbers.append(Number(f"within_{metres:g}m_{degrees:g}deg", 100 * float(fraction), "%"))
    for name, other in (others or {}).items():
        numbers.append(Number(f"{name}_position_m", float(other.position.quantile(0.5)), "m"))
        numbers.append(Number(f"{name}_rotation_deg", float(other.rotation.rad2deg().quantile(0.5)), "deg"))
    protocol = {"measure": "medians over images; rotation is the angle between"}
    if others:
        protocol["constant"] = "median position and rotation of the training images"
        protocol["nearest_image"] = f"pose of the training image that is most alike at {THUMB[1]}x{THUMB[0]} pixels"
    return Result("Relocalization", tuple(numbers), protocol)


def median_pose(poses: Tensor) -> Tensor:
    """The median position of poses (N, 4, 4) and the one of their rotations nearest to all others: (4, 4)."""
    rotation = poses[:, :3, :3]
    # row by row: all distances between thousands of images would not fit into memory
    total = torch.stack([geodesic_distance(one, rotation).sum() for one in rotation])
    return from_rotation_translation(rotation[total.argmin()], poses[:, :3, 3].quantile(0.5, dim=0))


def thumbs(images: PosedImages) -> Tensor:
    """Thumbnails (N, C) of all whole images, normalised for brightness and contrast."""
    small = torch.cat(
        [F.interpolate(batch["images"][:, 0], THUMB, mode="area").flatten(1) for batch in _batches(images)]
    )
    return F.normalize(small - small.mean(1, keepdim=True), dim=1)


def most_similar(queries: Tensor, known: Tensor) -> Tensor:
    """The row of ``known`` (M, C) that correlates best with each of ``queries`` (N, C): (N,)."""
    return (queries @ known.mT).argmax(1)


@torch.no_grad()
def milliseconds(network: PoseNet, size: tuple[int, int], *, runs: int = 20) -> float:
    """Median inference time of the network for one image of ``size``, on its device."""
    network.eval()
    device = next(network.parameters()).device
    image = torch.rand(1, 3, *size, device=device)
    times = []
    for _ in range(runs + 3):
        start = time.perf_counter()
        network(image)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return 1000 * sorted(times[3:])[runs // 2]


def saliency(network: PoseNet, view: Tensor, T_scene_cam: Tensor) -> Tensor:
    """Influence of each pixel of views (B, 3, h, w) on the error of their poses (B, 4, 4): (B, 1, h, w), >= 0.

    Magnitude of the gradient of the position error, in units of the scene's spread, plus the rotation error, in
    radians (Simonyan et al., ICLR 2014; for poses Kendall, Grimes and Cipolla, ICCV 2015, figure 8).
    """
    network.eval()
    view = view.detach().requires_grad_(True)
    estimate = network(view)[0]
    moved = (estimate.position - T_scene_cam[:, :3, 3]).norm(dim=-1) / network.spread
    turned = quaternion_distance(estimate.quaternion, matrix_to_quaternion(T_scene_cam[:, :3, :3]))
    (gradient,) = torch.autograd.grad((moved + turned).sum(), view)
    return gradient.norm(dim=1, keepdim=True)


def per_image_csv(names: list[str], estimate: Tensor, ground_truth: Tensor) -> str:
    """A CSV table with a line per image: errors, and both poses as position and quaternion, camera to scene."""
    errors = pose_errors(estimate, ground_truth)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    parts = [
        f"{which}_{part}" for which in ("estimate", "ground_truth") for part in ("x", "y", "z", "qw", "qx", "qy", "qz")
    ]
    writer.writerow(["image", "position_m", "rotation_deg", *parts])
    poses = [torch.cat([p[:, :3, 3], matrix_to_quaternion(p[:, :3, :3])], 1) for p in (estimate, ground_truth)]
    rows = torch.cat([errors.position[:, None], errors.rotation.rad2deg()[:, None], *poses], 1).tolist()
    writer.writerows([name, *(f"{value:.6f}" for value in row)] for name, row in zip(names, rows, strict=True))
    return out.getvalue()


def _batches(images: PosedImages) -> Iterator[dict[str, Tensor]]:
    for start in range(0, len(images), BATCH):
        yield to_float_and_augment(collate([images[i] for i in range(start, min(start + BATCH, len(images)))]))
