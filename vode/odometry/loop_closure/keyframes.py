"""Keyframes: what is kept of a frame so that its place can be recognised, and the motion between two be measured."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.geometry.pose import rotation_angle
from vode.odometry.frame_motion import depth_at
from vode.odometry.frames import Frame
from vode.odometry.options import LoopOptions

CONTRAST = 0.02
"""of SIFT's extrema; below OpenCV's 0.04, for frames of networks are small and smooth"""


class Keyframe(NamedTuple):
    """Features of a frame: 140 bytes each, and nothing of the image."""

    frame: int
    """number of the frame"""
    pixels: np.ndarray
    """(N, 2) float32"""
    descriptors: np.ndarray
    """(N, 128) uint8, SIFT"""
    depth: np.ndarray
    """(N,) float32 at the pixels, 0 = unknown"""
    distance: float
    """median depth of the frame"""
    doubtful: bool = False
    """the motion from the keyframe before was extrapolated, or lacks its translation"""
    lost: bool = False
    """nothing told the way from the keyframe before: a new map begins"""

    @property
    def nbytes(self) -> int:
        """Bytes of the features."""
        return self.pixels.nbytes + self.descriptors.nbytes + self.depth.nbytes


class Features(NamedTuple):
    """The strongest SIFT features of a frame (Lowe, IJCV 2004)."""

    pixels: np.ndarray
    """(N, 2) float32"""
    descriptors: np.ndarray
    """(N, 128) uint8"""


def describe(
    frame: Frame, depth: Tensor, options: LoopOptions = LoopOptions(), *, features: Features | None = None
) -> Keyframe:
    """A keyframe of a frame and its depth (1, 1, H, W), 0 = unknown; its features, where they are not known yet."""
    features = features_of(frame, options) if features is None else features
    at = depth_at(depth, torch.from_numpy(features.pixels)[None].to(depth))[0].float().cpu().numpy()
    return Keyframe(frame.index, *features, at, median_depth(depth))


def features_of(frame: Frame, options: LoopOptions = LoopOptions()) -> Features:
    """The features of a frame."""
    grey = frame.image[0].mean(0).mul(255).round().to(torch.uint8).cpu().numpy()
    detector = cv2.SIFT.create(nfeatures=options.points, contrastThreshold=CONTRAST)
    found, descriptors = detector.detectAndCompute(grey, None)
    # ties can exceed the number that was asked for
    pixels = np.array([point.pt for point in found[: options.points]], np.float32).reshape(-1, 2)
    if not len(pixels):
        descriptors = np.zeros((0, 128), np.float32)
    return Features(pixels, descriptors[: options.points].astype(np.uint8))


def median_depth(depth: Tensor) -> float:
    """Median of known depth; 1 where none is known."""
    known = depth[(depth > 0) & depth.isfinite()]
    return float(known.median()) if len(known) else 1.0


def is_keyframe(T_world_last: Tensor, T_world_cam: Tensor, distance: float, options: LoopOptions) -> bool:
    """Whether a frame with this pose (4, 4) and median depth shows much that the last keyframe does not."""
    moved = float((T_world_cam[:3, 3] - T_world_last[:3, 3]).norm())
    turned = float(rotation_angle(T_world_last[:3, :3].mT @ T_world_cam[:3, :3]))
    return moved > options.spacing * distance or turned > options.turn


def root_sift(descriptors: np.ndarray) -> np.ndarray:
    """Unit vectors (N, 128) float32 whose products compare SIFT's histograms (Arandjelovic, Zisserman, CVPR 2012)."""
    values = descriptors.astype(np.float32)
    return np.sqrt(values / np.maximum(values.sum(1, keepdims=True), 1e-6))
