"""Depth of all frames as files: 16-bit PNGs, one archive, and a video beside the images."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.io.array_files.reading import read_array
from vode.io.atomic import atomic_write, make_folder
from vode.io.depth import write_depth
from vode.io.image import read_image
from vode.io.video_writer import write_video
from vode.networks.edges import magnify_depth
from vode.visualization.colors import depth_range, depth_to_color

MILLIMETRES = 1000.0
"""steps of a PNG in a metre, or in a unit"""
EDGE = 1.2
"""ratio of neighbouring depths from which on an edge stays a step where depth is magnified"""
LIMIT_FRAMES = 12
"""frames, evenly spread, that the range of colours is taken from"""


class DepthMaps:
    """Depth of the frames of a run in the units of its trajectory; ``None`` where it is not known.

    ``file`` gives the place of a frame's depth, (h, w) float16 in the unit of the tracker, and ``factors`` (N,) what
    it is multiplied by.
    """

    def __init__(self, file: Callable[[int], Path], factors: np.ndarray) -> None:
        self._file, self._factors = file, factors

    def __len__(self) -> int:
        return len(self._factors)

    def __call__(self, index: int) -> Tensor | None:
        """Depth (h, w) float32, 0 = unknown."""
        path = self._file(index)
        if not path.is_file():
            return None
        depth = torch.from_numpy(read_array(path).astype(np.float32))
        return depth * float(self._factors[index])


def write_depth_files(
    folder: Path, maps: DepthMaps, size: tuple[int, int], intrinsics: Tensor, on_progress: Callable[[int], None]
) -> None:
    """Write folder/000012.png at ``size`` (height, width), and depth.npz of the maps as they are, with intrinsics."""
    make_folder(folder)
    with (
        atomic_write(folder / "depth.npz") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, True, 1) as archive,
    ):
        _add(archive, "intrinsics", intrinsics.double().numpy())
        for index in range(len(maps)):
            depth = maps(index)
            if depth is not None:
                _add(archive, f"{index:06d}", depth.to(torch.float16).numpy())
                write_depth(folder / f"{index:06d}.png", magnified(depth, size)[None], unit=MILLIMETRES, sync=False)
            on_progress(index + 1)


def magnified(depth: Tensor, size: tuple[int, int]) -> Tensor:
    """Depth (h, w), 0 = unknown, at another (height, width): edges stay steps, what is unknown stays so."""
    unknown = (depth <= 0)[None, None]
    far = torch.where(unknown, 1e6, depth[None, None])
    found = magnify_depth(far, size, EDGE)[0, 0]
    if not bool(unknown.any()):
        return found
    mask = torch.nn.functional.interpolate(unknown.float(), size, mode="nearest-exact")[0, 0]
    return torch.where(mask > 0, 0.0, found)


def write_depth_video(path: Path, small: Callable[[int], Path], maps: DepthMaps, rate: float) -> bool:
    """Write the images above or beside the colours of their depth; False if there is no depth at all."""
    some = [maps(i) for i in range(0, len(maps), max(len(maps) // LIMIT_FRAMES, 1))]
    ranges = [depth_range(depth) for depth in some if depth is not None]
    shown = [index for index in range(len(maps)) if small(index).is_file()]
    if not ranges or not shown:
        return False
    limits = float(np.median([near for near, _ in ranges])), float(np.median([far for _, far in ranges]))
    write_video(path, _pictures(shown, small, maps, limits), rate)
    return True


def _pictures(
    shown: Sequence[int], small: Callable[[int], Path], maps: DepthMaps, limits: tuple[float, float]
) -> Iterator[Tensor]:
    for index in shown:
        image, depth = read_image(small(index)), maps(index)
        color = torch.zeros_like(image) if depth is None else depth_to_color(depth[None], limits=limits)
        # wide images one above the other
        yield torch.cat([image, color], 1 if image.shape[2] > 1.6 * image.shape[1] else 2)


def write_thumbnails(folder: Path, small: Callable[[int], Path], frames: Sequence[int], maps: DepthMaps) -> None:
    """Write small JPEGs of these frames, and of the depth of some that are evenly spread over all."""
    make_folder(folder)
    for index in frames:
        if small(index).is_file():
            _thumbnail(folder / f"{index:06d}.jpg", read_image(small(index)))
    known = [index for index in range(len(maps)) if maps(index) is not None] if len(maps) else []
    for index in (known[int(k)] for k in np.unique(np.linspace(0, len(known) - 1, min(12, len(known))).round())):
        depth = maps(index)
        assert depth is not None
        _thumbnail(folder / f"{index:06d}_depth.jpg", depth_to_color(depth[None]))
        _thumbnail(folder / f"{index:06d}.jpg", read_image(small(index)))


def _thumbnail(path: Path, image: Tensor, width: int = 160) -> None:
    from vode.io.image import encode

    height = max(round(image.shape[1] * width / image.shape[2]), 1)
    pixels = image.flip(0).movedim(0, -1).mul(255).round().byte().numpy()
    encode(path, cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), sync=False, quality=85)


def _add(archive: zipfile.ZipFile, name: str, values: np.ndarray) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
        np.lib.format.write_array(entry, values, allow_pickle=False)
