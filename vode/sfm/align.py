"""Alignment of a map, or a set of posed images, to the axes and scale of another one.

Two maps of the same place, from two tools or two recordings, differ by a similarity transform. It is estimated from
the positions and orientations of their shared images, found by their names without suffix (and without a leading
``images/``).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import torch
from torch import Tensor

from vode.datasets.mapped.base import MappedSequence
from vode.datasets.mapped.cambridge import LISTS, CambridgeSequence
from vode.datasets.mapped.colmap import image_folder
from vode.datasets.mapped.colmap_model import find_model, read_model
from vode.datasets.mapped.transforms_json import TransformsSequence, names_in, write_transforms
from vode.errors import InputError
from vode.geometry.alignment import robust_similarity
from vode.geometry.pose import from_rotation_translation, is_rigid, rotation_angle
from vode.io.atomic import atomic_folder, make_folder
from vode.io.files import inside
from vode.sfm.build import import_pycolmap
from vode.sfm.options import Layout

FEWEST = 3
"""smallest number of shared images"""


class Scene(NamedTuple):
    """The images of a scene and their poses."""

    root: Path
    layout: Layout
    poses: Mapping[str, Tensor]
    """world-from-camera (4, 4) float64 by image name, relative to the folder of images"""
    parts: Mapping[str, MappedSequence]
    """sequences by the name of their transforms file; empty for a COLMAP model"""


@dataclass(frozen=True)
class Residuals:
    """Differences between shared images after the alignment: positions in A's units, rotations in radians."""

    images: int
    position_median: float
    position_max: float
    rotation_median: float
    rotation_max: float


@dataclass(frozen=True)
class Alignment:
    """x_a = scale rotation x_b + translation, and its residuals."""

    scale: float
    rotation: tuple[tuple[float, ...], ...]
    """3x3"""
    translation: tuple[float, ...]
    extent: float
    """median distance of A's shared images from their median position, as a reference for residuals"""
    inliers: Residuals
    shared: Residuals
    """residuals of all shared images"""
    outliers: tuple[str, ...]
    """names of the shared images that are not inliers"""

    def apply(self, poses: Tensor) -> Tensor:
        """Poses (..., 4, 4) of B in A's axes and units."""
        rotation, translation = (torch.tensor(x, dtype=poses.dtype) for x in (self.rotation, self.translation))
        centres = self.scale * poses[..., :3, 3] @ rotation.mT + translation
        return from_rotation_translation(rotation @ poses[..., :3, :3], centres)


def read_scene(root: Path, layout: Layout | None = None) -> Scene:
    """Read a scene; the layout is detected from its files unless given. InputError if there is none."""
    layout = layout or _layout(root)
    if layout == "colmap":
        images = [(image.name, image.T_world_cam) for image in read_model(find_model(root)).images]
        kept = is_rigid(torch.stack([pose for _, pose in images])).tolist() if images else []
        return Scene(root, layout, {n: pose for (n, pose), use in zip(images, kept, strict=True) if use}, {})
    if layout == "transforms":
        parts: dict[str, MappedSequence] = {name: TransformsSequence(root, name) for name in names_in(root)}
    else:
        there = [part for part, name in LISTS.items() if (root / name).is_file()]
        parts = {f"transforms_{part}": CambridgeSequence(root, part) for part in there}
    poses = {
        image.relative_to(root).as_posix(): pose
        for part in parts.values()
        for image, pose in zip(part.images, part.poses_in_scene, strict=True)
    }
    return Scene(root, layout, poses, parts)


def align(a: Scene, b: Scene) -> Alignment:
    """The similarity from B to A; InputError if too few images are shared, or they do not agree on one."""
    places_a, places_b = ({_key(name): name for name in scene.poses} for scene in (a, b))
    keys = sorted(places_a.keys() & places_b.keys())
    pair = f"{a.root} and {b.root}"
    if len(keys) < FEWEST:
        first = [next(iter(scene.poses), "none") for scene in (a, b)]
        raise InputError(
            f"{pair}: {len(keys)} shared images of {len(a.poses)} and {len(b.poses)}, {FEWEST} are needed; their names "
            f"are compared without suffix, as {first[0]} and {first[1]}"
        )
    poses_a, poses_b = (
        torch.stack([scene.poses[places[key]] for key in keys]) for scene, places in ((a, places_a), (b, places_b))
    )
    turns = poses_a[:, :3, :3] @ poses_b[:, :3, :3].mT
    source, target = poses_b[:, :3, 3], poses_a[:, :3, 3]
    try:
        found = robust_similarity(source, target, rotations=turns)
    except ValueError as error:
        raise InputError(f"{pair}: the scale is undetermined ({error}); share images of a camera that moves") from None
    count = int(found.inliers.sum())
    if 2 * count < len(keys) or count < FEWEST:
        raise InputError(
            f"{pair}: no similarity fits, as {count} of {len(keys)} shared images agree on one; check that both show "
            "the same place and that equal names are the same images"
        )
    distance = (target - found.scale * source @ found.rotation.mT - found.translation).norm(dim=-1)
    angle = rotation_angle(turns @ found.rotation.mT)
    rotation, translation = found.rotation.tolist(), found.translation.tolist()
    return Alignment(
        scale=float(found.scale),
        rotation=tuple(map(tuple, rotation)),
        translation=tuple(translation),
        extent=float((target - target.median(0).values).norm(dim=-1).median()),
        inliers=_residuals(distance[found.inliers], angle[found.inliers]),
        shared=_residuals(distance, angle),
        outliers=tuple(key for key, good in zip(keys, found.inliers.tolist(), strict=True) if not good),
    )


def write_aligned(b: Scene, alignment: Alignment, out: Path) -> None:
    """Write B in A's axes and units: a COLMAP model with its points, any other layout as transforms.json.

    The images are hard-linked, or copied where that is impossible. ``out`` appears only when complete. InputError if
    it exists already, or B cannot be read.
    """
    with atomic_folder(out) as folder:
        if b.layout == "colmap":
            images, target = image_folder(b.root), make_folder(folder / "images")
            _write_model(b, alignment, make_folder(folder / "sparse" / "0"))
        else:
            images, target = b.root, folder
            for name, part in b.parts.items():
                names = [image.relative_to(b.root).as_posix() for image in part.images]
                poses = alignment.apply(part.poses_in_scene)
                write_transforms(inside(folder, f"{name}.json"), part.lens, names, poses)
        for name in b.poses:
            _link(inside(images, name), inside(target, name))


def _write_model(b: Scene, alignment: Alignment, folder: Path) -> None:
    colmap = import_pycolmap()
    matrix = torch.cat(
        [
            alignment.scale * torch.tensor(alignment.rotation, dtype=torch.float64),
            torch.tensor(alignment.translation, dtype=torch.float64)[:, None],
        ],
        dim=1,
    )
    where = find_model(b.root)
    try:
        model = colmap.Reconstruction(where)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{where}: pycolmap cannot read it ({str(error).splitlines()[0]}); export it again") from None
    model.transform(colmap.Sim3d(matrix.numpy()))
    model.write_binary(folder)


def _link(source: Path, target: Path) -> None:
    """Hard-link a file, or copy it to another disk; missing files are skipped."""
    if not source.is_file():
        return
    make_folder(target.parent)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _layout(root: Path) -> Layout:
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; give the folder of a scene")
    try:
        # First, because tools that write transforms.json leave its source model next to it.
        find_model(root)
        return "colmap"
    except InputError:
        if names_in(root):
            return "transforms"
        if any((root / name).is_file() for name in LISTS.values()):
            return "cambridge"
    raise InputError(
        f"{root}: no sparse/0 of COLMAP, no transforms.json and no {LISTS['train']}; give the folder of a scene"
    )


def _key(name: str) -> str:
    """The part of an image's name that is compared."""
    path = PurePosixPath(name).with_suffix("")
    return str(PurePosixPath(*path.parts[1:]) if path.parts[0] == "images" and len(path.parts) > 1 else path)


def _residuals(distance: Tensor, angle: Tensor) -> Residuals:
    numbers = [float(value) for x in (distance, angle) for value in (x.median(), x.max())]
    return Residuals(len(distance), *numbers)
