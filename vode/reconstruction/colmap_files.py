"""COLMAP's binary models: cameras.bin, images.bin and points3D.bin (https://colmap.github.io/format.html).

Poses in the files are camera-from-world with the quaternion w first, and pixel centres lie at 0.5.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from vode.cameras.lens import Camera
from vode.geometry.pose import inverse, matrix_to_quaternion
from vode.io.atomic import make_folder, write_bytes

PINHOLE = 1
NO_POINT = -1
FEATURE = np.dtype([("x", "<f8"), ("y", "<f8"), ("point", "<i8")])
TRACK = np.dtype([("image", "<i4"), ("feature", "<i4")])


class PosedImage(NamedTuple):
    """An image of a model."""

    name: str
    """of its file"""
    T_world_cam: Tensor
    """(4, 4) float64"""


class ModelPoints(NamedTuple):
    """Points of a model and where images see them, by observations in any order."""

    places: np.ndarray
    """(P, 3) float64"""
    colors: np.ndarray
    """(P, 3) uint8"""
    errors: np.ndarray
    """(P,) mean reprojection error, pixels"""
    image: np.ndarray
    """(M,) of each observation: its image, by its place in the list"""
    point: np.ndarray
    """(M,) its point, 0..P-1"""
    pixels: np.ndarray
    """(M, 2) where it is seen, centres at integers"""


def write_colmap(folder: Path, camera: Camera, images: Sequence[PosedImage], points: ModelPoints) -> None:
    """Write a model of images of one pinhole camera; each of its three files appears whole or not at all."""
    make_folder(folder)
    order = np.lexsort((points.point, points.image))
    points = points._replace(image=points.image[order], point=points.point[order], pixels=points.pixels[order])
    starts = np.searchsorted(points.image, np.arange(len(images) + 1))
    write_bytes(folder / "cameras.bin", _camera(camera))
    rows = [_image(i, image, points, slice(*starts[i : i + 2])) for i, image in enumerate(images)]
    write_bytes(folder / "images.bin", struct.pack("<Q", len(images)) + b"".join(rows))
    write_bytes(folder / "points3D.bin", _points(points, points.image, np.arange(len(order)) - starts[points.image]))


def _camera(camera: Camera) -> bytes:
    (height, width), (fx, fy), (cx, cy) = camera.size, camera.focal, camera.centre
    return struct.pack("<QiiQQ4d", 1, 1, PINHOLE, width, height, fx, fy, cx + 0.5, cy + 0.5)


def _image(number: int, image: PosedImage, points: ModelPoints, own: slice) -> bytes:
    """One image with the features that it sees, which are numbered in this order."""
    T_cam_world = inverse(image.T_world_cam)
    numbers = [*matrix_to_quaternion(T_cam_world[:3, :3]).tolist(), *T_cam_world[:3, 3].tolist()]
    features = np.empty(own.stop - own.start, FEATURE)
    features["x"], features["y"] = (points.pixels[own] + 0.5).T
    features["point"] = points.point[own] + 1
    head = struct.pack("<i7di", number + 1, *numbers, 1) + image.name.encode() + b"\0"
    return head + struct.pack("<Q", len(features)) + features.tobytes()


def _points(points: ModelPoints, image: np.ndarray, feature: np.ndarray) -> bytes:
    """All points with their tracks; ``feature`` (M,) is the number of an observation in its image."""
    order = np.argsort(points.point, kind="stable")
    tracks = np.empty(len(order), TRACK)
    tracks["image"], tracks["feature"] = image[order] + 1, feature[order]
    starts = np.searchsorted(points.point[order], np.arange(len(points.places) + 1))
    rows = [struct.pack("<Q", len(points.places))]
    for k, (place, color, error) in enumerate(zip(points.places, points.colors, points.errors, strict=True)):
        track = tracks[starts[k] : starts[k + 1]]
        rows.append(struct.pack("<Q3d3BdQ", k + 1, *place, *color.tolist(), error, len(track)) + track.tobytes())
    return b"".join(rows)
