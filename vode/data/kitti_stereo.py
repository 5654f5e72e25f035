"""KITTI 2015 stereo: single frames whose true depth comes from disparity.

root/image_2/000000_10.png           left image (image_02 is taken too)
root/disp_occ_0/000000_10.png        16-bit PNG, pixels x 256, 0 = unknown
root/calib_cam_to_cam/000000.txt     P_rect_02, P_rect_03 (optional)
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from vode.data.depth_frames import DepthFrames
from vode.data.files import read_depth, read_image
from vode.data.kitti_raw import read_projection
from vode.errors import InputError

FOCAL, BASELINE = 721.5377, 0.5327
"""Pixels and metres of most of KITTI 2015, for copies that come without calibration."""


class KittiStereo(DepthFrames):
    """The frames of ``root`` that have a disparity map; depth = focal length x baseline / disparity."""

    name = "kitti-2015"

    def __init__(self, root: Path | str) -> None:
        root = Path(root)
        self._truths = sorted((root / "disp_occ_0").glob("*_10.png"))
        if not self._truths:
            raise InputError(f"{root}: no disp_occ_0/*_10.png in it; give the folder that holds image_2 and disp_occ_0")
        self._images = next((f for f in (root / "image_2", root / "image_02") if f.is_dir()), root / "image_2")
        self._calibrations = root / "calib_cam_to_cam"
        if not self._calibrations.is_dir():
            self.notes = (f"no calib_cam_to_cam: focal length {FOCAL} px and baseline {BASELINE} m for every frame",)

    def __len__(self) -> int:
        return len(self._truths)

    def names(self) -> list[str]:
        return [truth.stem for truth in self._truths]

    def missing(self) -> dict[int, Path]:
        images = [self._images / truth.name for truth in self._truths]
        return {i: image for i, image in enumerate(images) if not image.is_file()}

    def frame(self, index: int) -> Tensor:
        return read_image(self._images / self._truths[index].name)

    def depth(self, index: int) -> Tensor:
        # Both kinds of map are 16-bit PNGs in steps of 1/256 and 0 where unknown.
        disparity = read_depth(self._truths[index])
        return torch.where(disparity > 0, self._focal_times_baseline(index) / disparity.clamp(min=1 / 256), 0.0)

    def _focal_times_baseline(self, index: int) -> float:
        if not self._calibrations.is_dir():
            return FOCAL * BASELINE
        file = self._calibrations / f"{self._truths[index].stem.split('_')[0]}.txt"
        left, right = (read_projection(file, camera) for camera in (2, 3))
        return float(left[0, 3] - right[0, 3])
