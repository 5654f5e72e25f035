"""Calibrated cameras with pinhole, radial-tangential and fisheye lenses, and the removal of their distortion.

Brown, "Close-range camera calibration", 1971 (radial-tangential: k1, k2, p1, p2, k3, then the rational k4 ... k6, the
thin prism s1 ... s4 and the tilt of the sensor), and Kannala and Brandt, PAMI 2006 (fisheye: k1 ... k4), with OpenCV's
formulas and order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError

Lens = Literal["pinhole", "radtan", "fisheye"]
COUNTS: dict[Lens, tuple[int, ...]] = {"pinhole": (0,), "radtan": (4, 5, 8, 12, 14), "fisheye": (4,)}
"""permitted numbers of coefficients of a lens"""
ASSUMED_FOCAL = 0.8
"""focal length in longer sides of the image where nothing tells it: 64 degrees, as of many phones and webcams"""
ZOOM = 4.0
"""largest factor by which undistortion may change the focal lengths, up or down"""


@dataclass(frozen=True)
class Camera:
    """A camera with its lens. ``size`` (height, width); lengths in pixels, pixel centres at integers."""

    size: tuple[int, int]
    focal: tuple[float, float]
    """fx, fy"""
    centre: tuple[float, float]
    """cx, cy"""
    lens: Lens = "pinhole"
    distortion: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        numbers = (*self.focal, *self.centre, *self.distortion)
        if not all(map(math.isfinite, numbers)) or min(self.focal) <= 0 or min(self.size) < 1:
            raise InputError(f"not a camera: size {self.size}, focal lengths {self.focal}, centre {self.centre}")
        if self.lens not in COUNTS or len(self.distortion) not in COUNTS[self.lens]:
            known = ", ".join(f"{lens} {' or '.join(map(str, counts))}" for lens, counts in COUNTS.items())
            raise InputError(f"a {self.lens} lens with {len(self.distortion)} coefficients; known are {known}")

    @staticmethod
    def of_focal(size: tuple[int, int], focal: float, pixel_aspect: float = 1.0) -> Camera:
        """A pinhole camera with a horizontal focal length in pixels, and the principal point in the middle.

        ``pixel_aspect`` is a pixel's width over its height.
        """
        return Camera(size, (focal, focal * pixel_aspect), ((size[1] - 1) / 2, (size[0] - 1) / 2))

    @staticmethod
    def of_view(size: tuple[int, int], degrees: float, pixel_aspect: float = 1.0) -> Camera:
        """The same with a horizontal field of view."""
        if not 0 < degrees < 180:
            raise InputError(f"a field of view of {degrees:g} degrees; give one between 0 and 180")
        return Camera.of_focal(size, size[1] / 2 / math.tan(math.radians(degrees) / 2), pixel_aspect)

    @staticmethod
    def assumed(size: tuple[int, int], pixel_aspect: float = 1.0) -> Camera:
        """The pinhole camera that is assumed of images (height, width) where nothing tells it: ``ASSUMED_FOCAL``."""
        return Camera.of_focal(size, ASSUMED_FOCAL * max(size), pixel_aspect)

    @property
    def view(self) -> float:
        """Horizontal field of view in degrees, without the lens."""
        return math.degrees(2 * math.atan(self.size[1] / 2 / self.focal[0]))

    @property
    def distorts(self) -> bool:
        """Whether images have to be undistorted before a pinhole matrix describes them."""
        # A fisheye lens without coefficients still has its own projection.
        return self.lens == "fisheye" or any(self.distortion)

    @property
    def matrix(self) -> np.ndarray:
        """Camera matrix (3, 3) float64 of the original images."""
        (fx, fy), (cx, cy) = self.focal, self.centre
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=np.float64)

    @property
    def intrinsics(self) -> Tensor:
        """Camera matrix (3, 3) float32 of the images after ``undistort``."""
        return torch.from_numpy(self._undistorted_matrix).to(torch.float32)

    def undistort(self, image: np.ndarray, *, nearest: bool = False) -> np.ndarray:
        """The undistorted image of pixels (H, W) or (H, W, C); ``nearest`` for depth, which must not be averaged."""
        if not self.distorts:
            return image
        if image.shape[:2] != tuple(self.size):
            raise ValueError(f"an image of {image.shape[:2]} for a camera of {self.size}")
        if nearest:
            return cv2.remap(image, *self._maps, cv2.INTER_NEAREST)
        return cv2.remap(image, *self._maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    @cached_property
    def _undistorted_matrix(self) -> np.ndarray:
        """The camera matrix with the largest field of view in which every pixel has a source in the image."""
        if not self.distorts:
            return self.matrix
        # A search, because OpenCV's own function inverts the distortion only approximately.
        factors = np.geomspace(ZOOM, 1 / ZOOM, 700)
        pixels = self._distort(self._border()[None] / factors[:, None, None])
        height, width = self.size
        inside = ((pixels >= -0.5) & (pixels <= np.array([width, height]) - 0.5)).all((1, 2))
        radii = np.linalg.norm(pixels - np.array(self.centre), axis=-1)
        outward = np.concatenate([[True], (np.diff(radii, axis=0) >= 0).all(1)])
        usable = int(np.cumprod(inside & outward).sum())
        if not usable:
            raise InputError(f"no part of the image can be undistorted by {self.distortion}; calibrate again")
        matrix = self.matrix
        matrix[[0, 1], [0, 1]] *= factors[usable - 1]
        return matrix

    def _border(self) -> np.ndarray:
        """Normalised coordinates (N, 2) of the image's border pixels."""
        height, width = self.size
        x, y = np.arange(width), np.arange(height)
        sides = [(x, 0 * x), (x, 0 * x + height - 1), (0 * y, y), (0 * y + width - 1, y)]
        pixels = np.concatenate([np.stack(side, -1) for side in sides]).astype(np.float64)
        return (pixels - np.array(self.centre)) / np.array(self.focal)

    def _distort(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) in the original image of normalised coordinates (..., 2)."""
        flat, coefficients = points.reshape(1, -1, 2), np.array(self.distortion, dtype=np.float64)
        if self.lens == "fisheye":
            return cv2.fisheye.distortPoints(flat, self.matrix, coefficients).reshape(points.shape)
        rays = np.concatenate([flat, np.ones_like(flat[..., :1])], -1)
        return cv2.projectPoints(rays, np.zeros(3), np.zeros(3), self.matrix, coefficients)[0].reshape(points.shape)

    @cached_property
    def _maps(self) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates x and y (H, W) in the original image of each pixel of the undistorted one."""
        find = cv2.fisheye.initUndistortRectifyMap if self.lens == "fisheye" else cv2.initUndistortRectifyMap
        rotation, size, coefficients = np.eye(3), self.size[::-1], np.array(self.distortion, dtype=np.float64)
        maps = find(self.matrix, coefficients, rotation, self._undistorted_matrix, size, cv2.CV_32FC1)
        return maps[0], maps[1]


CameraLike = Camera | np.ndarray | Tensor | float
"""a Camera, intrinsics (3, 3), or a focal length, in pixels"""


def vertical_focal(camera: CameraLike, size: tuple[int, int]) -> float:
    """The vertical focal length of images of ``size`` (height, width), pixels; InputError for another camera's."""
    if isinstance(camera, Camera):
        if camera.size != tuple(size):
            (height, width), (rows, columns) = size, camera.size
            raise InputError(
                f"an image of {width}x{height} pixels for a camera of {columns}x{rows}; calibrate that size"
            )
        return camera.focal[1]
    values = torch.as_tensor(camera, dtype=torch.float64)
    if values.shape not in ((), (3, 3)):
        raise InputError(f"intrinsics are (3, 3), not {tuple(values.shape)}; give those, a Camera or a focal length")
    focal = float(values if values.ndim == 0 else values[1, 1])
    if not 0 < focal < math.inf:
        raise InputError(f"a focal length of {focal} pixels; give one above 0")
    return focal
