"""NYU Depth V2 (Silberman et al., ECCV 2012): rooms filmed by a Kinect.

    root/basement_0001a/r-1316653580.471513-1316138413.ppm    raw frames, 640x480, with the lens' distortion
    root/basement_0001a/0.jpg or .png, ...                    or frames that somebody has undistorted, in this order

The 654 test images, with depth that is filled in, are in two files of the data set's site:

    nyu_depth_v2_labeled.mat (or its folder), and splits.mat beside it
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor

from vode.cameras.lens import Camera
from vode.datasets.base import Capability, ImageSequence
from vode.datasets.dataset import Dataset
from vode.datasets.depth_frames import DepthFrames
from vode.errors import InputError, one_line
from vode.io.array_files.matlab import read_numbers
from vode.io.files import in_order, inside, visible
from vode.io.image import IMAGE_SUFFIXES, read_pixels

SIZE = (480, 640)
CAMERA = Camera(
    SIZE,
    (518.85790117450188, 519.46961112127485),
    (325.58244941119034, 253.73616633400465),
    "radtan",
    (0.20796615318809061, -0.58613825163911781, 7.2231363135888329e-04, 1.0479627195765181e-03, 0.49856986684705107),
)
"""of the colour camera, from the toolbox of the data set"""
RAW = (".ppm", ".pgm")
"""suffixes of the raw colour and depth frames"""
UNDISTORTED = Camera(SIZE, CAMERA.focal, CAMERA.centre)

LABELED, SPLITS, TEST_IMAGES = "nyu_depth_v2_labeled.mat", "splits.mat", 654


class NyuScene(ImageSequence):
    """The colour frames of one folder of the raw data, by time; raw ones are undistorted.

    Raw frames that are cut short, which the set has, are left out and counted in ``notes``. Raises InputError naming
    the file and the remedy.
    """

    def __init__(self, root: Path | str, sequence: str) -> None:
        self.name, self.folder, self.size = sequence, inside(root, sequence), SIZE
        raw = {_raw_time(path): path for path in self.folder.glob("r-*.ppm")}
        if raw:
            whole = sorted(time for time, path in raw.items() if path.stat().st_size > 3 * SIZE[0] * SIZE[1])
            self.images, self.timestamps = [raw[time] for time in whole], torch.tensor(whole, dtype=torch.float64)
            if len(whole) < len(raw):
                self.notes = (f"{len(raw) - len(whole)} of {len(raw)} raw frames are cut short, and left out",)
        else:
            found = [path for path in visible(self.folder) if _is_image(path)]
            self.images = [found[i] for i in in_order([path.name for path in found])]
            self.notes = ("frames that are no raw ones are taken to be without the lens' distortion",)
        if not self.images:
            raise InputError(
                f"{self.folder}: no r-*.ppm, .jpg or .png in it; check the folder and the scene's name",
                "data",
                "sequences",
            )
        self._lens = CAMERA if raw else UNDISTORTED
        self.intrinsics = self._lens.intrinsics

    def __len__(self) -> int:
        return len(self.images)

    def pixels(self, index: int) -> np.ndarray:
        return self._lens.undistort(read_pixels(self.images[index], SIZE))


def _is_image(path: Path) -> bool:
    """Whether a file is a raw frame or an undistorted one; raw depth (.pgm) is neither."""
    return path.match("r-*.ppm") or (path.suffix.lower() in IMAGE_SUFFIXES and path.suffix.lower() not in RAW)


class NyuDataset(Dataset):
    """NYU Depth V2: raw scenes to train on, and 654 labelled test images that depth is scored on. One colour camera."""

    name = "nyu"
    capabilities = frozenset({Capability.DEPTH})
    expects = "folder with r-*.ppm, .jpg or .png"

    def on_disk(self) -> tuple[str, ...]:
        folders = (path for path in visible(self.root) if path.is_dir())
        return tuple(path.name for path in folders if any(_is_image(file) for file in visible(path)))

    def open_whole(self, name: str, camera: int) -> NyuScene:
        return NyuScene(self.root, name)

    def test_frames(self) -> NyuLabeled | None:
        return NyuLabeled(self.root) if self.root.is_file() or (self.root / LABELED).is_file() else None

    def depth_frames(self, every: int = 1) -> list[DepthFrames]:
        return [NyuLabeled(self.root)]


class NyuLabeled(DepthFrames):
    """The 654 test images, from nyu_depth_v2_labeled.mat (or its folder), with the numbers in splits.mat beside it."""

    name = "nyu"

    def __init__(self, path: Path | str) -> None:
        self._file = Path(path) / LABELED if Path(path).is_dir() else Path(path)
        self._archive: h5py.File | None = None
        self._numbers = _test_numbers(self._file.with_name(SPLITS))
        with self._whole():
            archive = self._open()
            found = {key: (archive[key].shape, archive[key].dtype.name) for key in ("images", "depths")}
        count = (found["images"][0] or (0,))[0]
        for key, kind, shape in (
            ("images", "uint8", (count, 3, *SIZE[::-1])),
            ("depths", "float", (count, *SIZE[::-1])),
        ):
            if found[key][0] != shape or not found[key][1].startswith(kind):
                told = f"{key} of {found[key][0]} {found[key][1]}, not {shape} {kind}"
                raise InputError(f"{self._file}: {told}; copy it again")
        if max(self._numbers) > count:
            raise InputError(f"{self._file}: {count} images, but {SPLITS} names number {max(self._numbers)}; copy both")
        if len(self._numbers) != TEST_IMAGES:
            self.notes = (f"{SPLITS} names {len(self._numbers)} test images, the official one {TEST_IMAGES}",)

    def __len__(self) -> int:
        return len(self._numbers)

    def names(self) -> list[str]:
        return [f"nyu {number:04d}" for number in self._numbers]

    def frame(self, index: int) -> Tensor:
        return torch.from_numpy(self._read("images", index)).mT.to(torch.float32).div(255).contiguous()

    def depth(self, index: int) -> Tensor:
        depth = torch.from_numpy(self._read("depths", index)).mT.to(torch.float32)[None]
        return torch.where(depth.isfinite() & (depth > 0), depth, 0.0)

    def intrinsics(self, index: int) -> Tensor:
        # the labelled images have the lens' distortion
        return torch.from_numpy(CAMERA.matrix)

    def _read(self, key: str, index: int) -> np.ndarray:
        with self._whole():
            # MATLAB numbers from 1, and its arrays have their axes the other way round.
            return self._open()[key][self._numbers[index] - 1]

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """What HDF5 reports of a damaged file, as half a dozen kinds of errors, in one line."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            told = one_line(error)
            raise InputError(f"{self._file}: not a whole HDF5 file ({told}); copy {LABELED} again") from None

    def _open(self) -> h5py.File:
        if self._archive is None:
            self._archive = h5py.File(self._file, "r")
            lacking = [key for key in ("images", "depths") if not _holds(self._archive, key)]
            if lacking:
                raise InputError(f"{self._file}: no {lacking[0]} in it; give {LABELED}")
        return self._archive


def _holds(archive: h5py.File, key: str) -> bool:
    """Whether an array is in the file itself: HDF5 can also refer to other files, anywhere."""
    if not isinstance(archive.get(key, getlink=True), h5py.HardLink):
        return False
    array = archive[key]
    return isinstance(array, h5py.Dataset) and not array.external and not array.is_virtual


def _test_numbers(path: Path) -> list[int]:
    """The numbers (1 = first) of the test images."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; it names the test images, copy it from the data set's site")
    numbers = read_numbers(path, "testNdxs")
    if not numbers.size or not np.all((numbers >= 1) & (numbers < 2**31)):
        raise InputError(f"{path}: testNdxs are no numbers from 1 on; copy it again")
    return numbers.astype(np.int64).tolist()


def _raw_time(path: Path) -> float:
    found = re.match(r"r-(\d+\.\d+)-", path.name)
    if found is None:
        raise InputError(f"{path}: not a name like r-1316653580.471513-1316138413.ppm; restore it")
    return float(found[1])
