"""What is kept of each frame while it goes by: its depth, a small picture, and of keyframes the image and tracks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.io.atomic import make_folder, write_bytes
from vode.io.image import encode
from vode.odometry.loop_closure.keyframes import is_keyframe, median_depth
from vode.odometry.options import LoopOptions
from vode.odometry.result import FrameResult, Method
from vode.pipelines.run.folder import OutputFolder
from vode.reconstruction.point_tracks import PointTracks

SPACING = LoopOptions(spacing=0.1, turn=0.12)
"""motion between keyframes, relative to the median depth, and radians"""
CUT = 0.08
"""fraction of points that can be followed, below which the view has changed at once"""
LEAST_POINTS = 40
"""points that must have been there to say so"""
UNSEEN = (Method.EXTRAPOLATED,)
"""methods whose frames become no keyframes"""


class Recorder:
    """Writes what later steps need into the folder of a run; ``keyframes`` and ``cuts`` are in its memory.

    Images come at the full size, undistorted; ``size`` (height, width) is that of the depth.
    """

    def __init__(self, folder: OutputFolder, size: tuple[int, int]) -> None:
        self._folder, self._size = folder, size
        self.keyframes: list[int] = []
        """their frames"""
        self.cuts: list[int] = []
        """frames at which the view changes at once"""
        self.lost: list[int] = []
        """frames whose motion nothing told"""
        self._tracks = PointTracks()
        self._pose = torch.eye(4, dtype=torch.float64)
        for name in ("depth", "small", "tracks"):
            make_folder(folder.work / name)
        make_folder(folder.file("images"))

    def state(self) -> dict[str, Any]:
        """What another recorder needs to go on."""
        return {name: value for name, value in vars(self).items() if name not in ("_folder", "_size")}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where another one stood."""
        vars(self).update(state)

    def add(self, image: np.ndarray, result: FrameResult, depth: Tensor | None) -> None:
        """Take note of a frame: RGB (H, W, 3) uint8, how it was tracked, and its depth (1, 1, h, w)."""
        index = result.index
        small = cv2.resize(image, self._size[::-1], interpolation=cv2.INTER_AREA)
        encode(self.small(index), small[..., ::-1], sync=False, quality=90)
        if result.method is Method.EXTRAPOLATED:
            self.lost.append(index)
        if depth is None:
            return
        _save(self.depth_file(index), depth[0, 0].to(torch.float16).cpu().numpy())
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        several = len(self._tracks.pixels) >= LEAST_POINTS
        found = self._tracks.follow(grey)
        cut = several and found < CUT
        if cut:
            self._tracks.forget()
            self.cuts.append(index)
        pose = torch.as_tensor(result.pose)
        if cut or self._shows_more(result, pose, median_depth(depth)):
            self._keep(index, image, grey, pose)

    def _shows_more(self, result: FrameResult, pose: Tensor, distance: float) -> bool:
        if not self.keyframes:
            return True
        return result.method not in UNSEEN and is_keyframe(self._pose, pose, distance, SPACING)

    def _keep(self, index: int, image: np.ndarray, grey: np.ndarray, pose: Tensor) -> None:
        encode(self.image(index), image[..., ::-1], sync=False)
        self._tracks.replenish(grey)
        _save(self.track_file(index), np.column_stack([self._tracks.numbers, self._tracks.pixels.astype(np.float64)]))
        self.keyframes.append(index)
        self._pose = pose

    def small(self, index: int) -> Path:
        """The small picture of a frame, of the size of its depth."""
        return self._folder.work / "small" / f"{index:06d}.jpg"

    def depth_file(self, index: int) -> Path:
        """The depth of a frame, (H, W) float16; not there where it is not known."""
        return self._folder.work / "depth" / f"{index:06d}.npy"

    def track_file(self, index: int) -> Path:
        """Rows of a keyframe's points: number, x, y."""
        return self._folder.work / "tracks" / f"{index:06d}.npy"

    def image(self, index: int) -> Path:
        """The image of a keyframe."""
        return self._folder.file("images") / f"{index:06d}.jpg"


def _save(path: Path, array: np.ndarray) -> None:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    write_bytes(path, content.getvalue(), sync=False)
