"""Cambridge Landmarks (Kendall et al., ICCV 2015): places in a town, filmed by a phone.

    root/dataset_train.txt, dataset_test.txt     three lines of head, then "seq1/frame00001.png x y z qw qx qy qz"
    root/seq1/frame00001.png                     1920x1080
    root/reconstruction.nvm                      the map, of .jpg names, with focal lengths and points (optional)

x y z is the camera's centre in the world, the quaternion turns world to camera; lengths are metres.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from os.path import isfile, normpath
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from vode.cameras.lens import Camera
from vode.datasets.base import Capability, known
from vode.datasets.dataset import Dataset
from vode.datasets.mapped.base import MappedSequence, Placed, SeenPoints
from vode.datasets.mapped.colmap_model import world_from_camera
from vode.datasets.mapped.image_finder import ImageFinder
from vode.datasets.mapped.nvm import nvm_focals, nvm_points, nvm_reach, stem
from vode.errors import InputError
from vode.io.files import natural, slashes, visible
from vode.io.image import IMAGE_SUFFIXES, image_size
from vode.io.text import read_lines

HEAD = 3
MAP = "reconstruction.nvm"
FOCAL_OF_HEIGHT = 744.375 / 480
"""focal length that Brachmann and Rother (CVPR 2018) use for all images of the set, of their height"""
PUBLISHED = (1080, 1920)
"""(height, width) of the published images, to which the published maps belong"""
LONGEST = 1.5
"""largest plausible focal length of a map, relative to that of Brachmann and Rother"""
LISTS = {"train": "dataset_train.txt", "test": "dataset_test.txt"}
SCENES = {
    "KingsCollege": (1220, 343),
    "OldHospital": (895, 182),
    "ShopFacade": (231, 103),
    "StMarysChurch": (1487, 530),
}
"""training and test images of the four scenes that are reported, by their folders"""


class CambridgeSequence(MappedSequence):
    """The images of one folder, such as seq1, that the lists name; the lists themselves are "train" and "test".

    The focal length is the median of those in reconstruction.nvm, or else that of Brachmann and Rother, which
    ``notes`` tell, as they count the images beside these that no list names; principal point in the middle. Raises
    InputError naming the file and the remedy.
    """

    def __init__(self, root: Path | str, sequence: str) -> None:
        self._root, finder = (root := Path(root)), ImageFinder(root)
        if sequence in LISTS:
            where, rows = root / LISTS[sequence], read_list(root / LISTS[sequence])
        else:
            where, rows = root, {name: pose for name, pose in _all(root).items() if _folder(name) == sequence}
        if not rows:
            raise InputError(f"{where}: no image of {sequence!r} is listed; check its name", "sequences")
        files = {name: finder.find(name) for name in sorted(rows, key=natural)}
        first = next((file for file in files.values() if isfile(file)), None)
        if first is None:
            raise InputError(f"{where}: not one of its {len(files)} images is there: {next(iter(files.values()))}")
        size = image_size(first)
        focal, note = _focal(root, set(files), size)
        mapped = size if note else _mapped_size(root / MAP, focal, size)
        shared = Camera(mapped, (focal, focal), ((mapped[1] - 1) / 2, (mapped[0] - 1) / 2))
        super().__init__(sequence, where, [Placed(file, shared, rows[name]) for name, file in files.items()])
        self.capabilities |= known(points=(root / MAP).is_file())
        self.notes += note + _unlisted_note(root, {file.parent for file in self.images})

    @cached_property
    def _seen(self) -> SeenPoints | None:
        path = self._root / MAP
        if not path.is_file():
            return None
        found, none = nvm_points(path), np.empty(0, dtype=np.int32)
        names = (stem(image.relative_to(self._root).as_posix()) for image in self.images)
        return SeenPoints(found.places, [found.rows.get(name, none) for name in names])


class CambridgeDataset(Dataset):
    """One scene of Cambridge Landmarks, with the folders that its lists train and test on. One camera."""

    name = "cambridge"
    capabilities = frozenset({Capability.POSES, Capability.MAP, Capability.POINTS})
    expects = "image of a list"

    def on_disk(self) -> tuple[str, ...]:
        return _folders(_all(self.root))

    def training(self) -> tuple[str, ...]:
        return _folders(read_list(self.root / LISTS["train"]))

    def test(self) -> tuple[str, ...]:
        return _folders(read_list(self.root / LISTS["test"]))

    def official(self) -> dict[str, int]:
        """The images of both lists, as the lists have them and, of the four known scenes, as they should be."""
        known_scene = SCENES.get(self.root.resolve().name)
        if known_scene is not None:
            return dict(zip(LISTS, known_scene, strict=True))
        lists = {part: self.root / name for part, name in LISTS.items()}
        return {part: len(read_list(path)) for part, path in lists.items() if path.is_file()}

    def open_whole(self, name: str, camera: int) -> CambridgeSequence:
        return CambridgeSequence(self.root, name)


def read_list(path: Path) -> dict[str, Tensor]:
    """World-from-camera poses (4, 4) float64 of a list by the images' names; NaN where a line holds no pose."""
    lines = read_lines(path)
    if len(lines) <= HEAD or any(len(line.split()) == 8 for line in lines[:HEAD]):
        raise InputError(f"{path}: not {HEAD} lines of head and then images; copy the list again")
    poses = {}
    for number, line in enumerate(lines[HEAD:], start=HEAD + 1):
        words = line.split()
        try:
            values = [float(word) for word in words[1:]]
        except ValueError:
            values = []
        if len(values) != 7:
            raise InputError(f"{path}:{number}: not NAME X Y Z QW QX QY QZ; correct the line")
        poses[words[0]] = _placed(values[:3], values[3:])
    return poses


def _placed(centre: list[float], quaternion: list[float]) -> Tensor:
    T_world_cam = world_from_camera(quaternion, [0.0, 0.0, 0.0])
    T_world_cam[:3, 3] = torch.tensor(centre, dtype=torch.float64)
    return T_world_cam


def _all(root: Path) -> dict[str, Tensor]:
    lists = _lists(root)
    if not lists:
        raise InputError(f"{root}: no {LISTS['train']} in it; give the folder of a scene")
    return {name: pose for path in lists for name, pose in read_list(path).items()}


def _lists(root: Path) -> list[Path]:
    return [root / name for name in LISTS.values() if (root / name).is_file()]


def _unlisted_note(root: Path, folders: set[Path]) -> tuple[str, ...]:
    """A note that counts the images of those folders which neither list names."""
    lines = (line.split(maxsplit=1) for path in _lists(root) for line in read_lines(path)[HEAD:])
    listed = {root / normpath(slashes(words[0])) for words in lines if words}
    there = [file for folder in sorted(folders) for file in visible(folder) if file.suffix.lower() in IMAGE_SUFFIXES]
    alone = [file for file in there if file not in listed]
    return (f"{len(alone)} of {len(there)} images are in no list: first {alone[0]}",) if alone else ()


def _folders(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(map(_folder, names)), key=natural))


def _folder(name: str) -> str:
    return str(PurePosixPath(slashes(name)).parent)


def _mapped_size(path: Path, focal: float, size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) of the images that a map was made of: the published ones where those of ``size`` are too small.

    InputError if these are too small as well.
    """
    x, y = nvm_reach(path)
    for height, width in (size, PUBLISHED):
        if focal <= LONGEST * FOCAL_OF_HEIGHT * height and x <= width / 2 + 1 and y <= height / 2 + 1:
            return height, width
    raise InputError(
        f"{path}: a map of larger images than these of {size[1]}x{size[0]}, with a focal length of {focal:.0f} pixels; "
        "copy the images that were mapped"
    )


def _focal(root: Path, names: set[str], size: tuple[int, int]) -> tuple[float, tuple[str, ...]]:
    """The focal length of those images, and a note where it is not the map's."""
    path, wanted = root / MAP, set(map(stem, names))
    found = [focal for name, focal in nvm_focals(path).items() if name in wanted] if path.is_file() else []
    if found:
        return sorted(found)[len(found) // 2], ()
    return FOCAL_OF_HEIGHT * size[0], (
        f"no focal lengths of these images in {path}: {FOCAL_OF_HEIGHT:g} of their height is taken",
    )
