"""The scene of a run: points of its tracks, the fused cloud, and the models that other programs open."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.cameras.lens import Camera
from vode.geometry.camera import resize_intrinsics
from vode.io.array_files.reading import read_array
from vode.io.image import read_pixels
from vode.pipelines.run.depth_files import DepthMaps
from vode.pipelines.run.folder import OutputFolder
from vode.pipelines.run.recorder import Recorder
from vode.reconstruction.colmap_files import ModelPoints, PosedImage, write_colmap
from vode.reconstruction.fusion import DepthView, Keyframes, fuse
from vode.reconstruction.options import FusionOptions
from vode.reconstruction.ply import write_ply
from vode.reconstruction.points import Observations, Points, triangulate_tracks
from vode.reconstruction.transforms_file import TransformFrame, write_transforms

NEAR = 3
"""frames within which a cut and the beginning of a map are one"""


class Scene(NamedTuple):
    """What the scene is made from: the keyframes of one part of a video, between cuts."""

    frames: Sequence[int]
    """numbers of the keyframes"""
    poses: Tensor
    """(V, 4, 4) float64 world-from-camera of the keyframes"""
    camera: Camera
    """of their images, undistorted"""
    recorder: Recorder
    maps: DepthMaps


def longest_part(keyframes: Sequence[int], cuts: Sequence[int], maps: Mapping[int, bool]) -> list[int]:
    """Those of the frames that are connected with most others.

    ``maps`` are the first frames of the tracker's maps and whether their place is known; known ones belong together.
    ``cuts`` separate, but for those that a map explains.
    """
    starts = sorted(maps)
    unexplained = [cut for cut in cuts if all(abs(cut - start) > NEAR for start in starts)]
    parts: dict[tuple[int, int], list[int]] = {}
    for frame in keyframes:
        own = max((start for start in starts if start <= frame), default=0)
        separated = bisect_right(unexplained, frame)
        parts.setdefault((0 if maps.get(own, True) else own, separated), []).append(frame)
    return max(parts.values(), key=len, default=[])


def triangulated(scene: Scene) -> Points:
    """The points of the tracks; observations are by the rows of keyframes."""
    tables = [torch.from_numpy(read_array(scene.recorder.track_file(frame))) for frame in scene.frames]
    rows = [torch.full((len(table),), row) for row, table in enumerate(tables)]
    every = torch.cat(tables) if tables else torch.zeros(0, 3, dtype=torch.float64)
    view = torch.cat(rows) if rows else torch.zeros(0, dtype=torch.int64)
    seen = Observations(every[:, 0].long(), view, every[:, 1:].double())
    return triangulate_tracks(seen, scene.poses, scene.camera.intrinsics)


def write_model(folder: Path, scene: Scene, points: Points) -> None:
    """Write COLMAP's model of the keyframes and the points."""
    seen = points.observations
    images = [PosedImage(scene.recorder.image(f).name, pose) for f, pose in zip(scene.frames, scene.poses, strict=True)]
    model = ModelPoints(
        points.places.numpy(),
        _colors(scene, points),
        points.errors.numpy(),
        seen.view.numpy(),
        seen.point.numpy(),
        seen.pixels.numpy(),
    )
    write_colmap(folder, scene.camera, images, model)


def write_cloud(path: Path, scene: Scene, unit: str, on_progress: Callable[[int], None]) -> int:
    """Write the fused cloud; the number of its points."""
    first = scene.maps(scene.frames[0]) if scene.frames else None
    if first is None:
        return 0
    size = (first.shape[0], first.shape[1])
    intrinsics = resize_intrinsics(scene.camera.intrinsics, scene.camera.size, size)

    def load(row: int) -> DepthView:
        frame = scene.frames[row]
        depth = scene.maps(frame)
        assert depth is not None
        return DepthView(depth, read_pixels(scene.recorder.small(frame)))

    places, colors, voxel = fuse(Keyframes(load, scene.poses, intrinsics, FusionOptions()), on_progress)
    about = (f"unit {unit}; world = first camera, x right, y down, z forward", f"cells of {voxel:.4g}")
    write_ply(path, places, colors, about)
    return len(places)


def write_posed_images(path: Path, scene: Scene, folder: OutputFolder) -> None:
    """Write transforms.json of the keyframes."""
    frames = []
    for frame, pose in zip(scene.frames, scene.poses, strict=True):
        image, depth = scene.recorder.image(frame), folder.file("depth") / f"{frame:06d}.png"
        names = [str(p.relative_to(folder.path)) if p.is_file() else None for p in (image, depth)]
        frames.append(TransformFrame(names[0] or image.name, names[1], pose))
    cloud = folder.file("cloud")
    extra = {"ply_file_path": cloud.name, "depth_unit_scale_factor": 0.001} if cloud.is_file() else None
    write_transforms(path, scene.camera, frames, extra)


def _colors(scene: Scene, points: Points) -> np.ndarray:
    """RGB (P, 3) uint8 of points in the first keyframe that sees each."""
    colors = np.zeros((len(points.places), 3), np.uint8)
    done = np.zeros(len(colors), bool)
    view, point = points.observations.view.numpy(), points.observations.point.numpy()
    for row, frame in enumerate(scene.frames):
        own = (view == row) & ~done[point]
        if not own.any():
            continue
        image = read_pixels(scene.recorder.image(frame))
        x, y = points.observations.pixels.numpy()[own].round().astype(int).T
        colors[point[own]] = image[y.clip(0, image.shape[0] - 1), x.clip(0, image.shape[1] - 1)]
        done[point[own]] = True
    return colors
