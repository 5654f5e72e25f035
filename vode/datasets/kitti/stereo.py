"""KITTI 2012 and 2015: pairs of frames with true flow and, from stereo, true depth.

root/image_2/000000_10.png, 000000_11.png    left colour images of 2015; image_02 is taken too; right: image_3
root/colored_0 or image_0                    those of 2012, colour and grey; right: colored_1, image_1
root/disp_occ_0/000000_10.png                disparity: 16-bit PNG, pixels x 256, 0 = unknown; 2012: disp_occ
root/flow_occ/000000_10.png                  flow to frame 11
root/calib_cam_to_cam/000000.txt             P_rect_02, P_rect_03 (optional); 2012: calib/000000.txt, P0 to P3
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.cameras.kitti import read_calibration, read_projection
from vode.datasets.base import ImageSequence
from vode.datasets.depth_frames import DepthFrames
from vode.errors import InputError
from vode.io.depth import read_depth
from vode.io.files import inside
from vode.io.flow import read_flow
from vode.io.image import image_size, read_image, read_pixels

FOCAL, BASELINE = 721.5377, 0.5327
"""Pixels and metres of most of KITTI 2015, for copies that come without calibration."""
CENTRE = 609.5593, 172.854

LEFT, RIGHT = ("image_2", "image_02", "colored_0", "image_0"), ("image_3", "image_03", "colored_1", "image_1")
DISPARITIES = ("disp_occ_0", "disp_occ")
GREY = ("image_0", "image_1")
SCENES = {"image_2": 200, "image_02": 200, "colored_0": 194, "image_0": 194}
"""scenes of the training set, by the folder of its images"""


class KittiStereo(DepthFrames):
    """The frames of ``root`` that have a disparity map; depth = focal length x baseline / disparity."""

    def __init__(self, root: Path | str) -> None:
        self._root = Path(root)
        self._disparities = find_folder(self._root, DISPARITIES)
        self.name = "kitti-2012" if self._disparities.name == "disp_occ" else "kitti-2015"
        self._ground_truths = sorted(self._disparities.glob("*_10.png"))
        if not self._ground_truths:
            raise InputError(f"{root}: no disp_occ_0/*_10.png in it; give the folder that holds image_2 and disp_occ_0")
        self._left, self._right = (find_folder(self._root, names) for names in (LEFT, RIGHT))
        self.notes = calibration_note(self._root)

    def __len__(self) -> int:
        return len(self._ground_truths)

    def names(self) -> list[str]:
        return [ground_truth.stem for ground_truth in self._ground_truths]

    def missing(self) -> dict[int, Path]:
        images = [self._left / ground_truth.name for ground_truth in self._ground_truths]
        return {i: image for i, image in enumerate(images) if not image.is_file()}

    def frame(self, index: int) -> Tensor:
        return read_image(self._left / self._ground_truths[index].name)

    def right(self, index: int) -> Tensor:
        """The image (3, H, W) of the right camera."""
        return read_image(self._right / self._ground_truths[index].name)

    def disparity(self, index: int) -> Tensor:
        """Pixels (1, H, W) that a point of the left image lies farther left in the right one, 0 = unknown."""
        # Both kinds of map are 16-bit PNGs in steps of 1/256 and 0 where unknown.
        return read_depth(self._ground_truths[index])

    def depth(self, index: int) -> Tensor:
        scene = self._ground_truths[index].stem.removesuffix("_10")
        return disparity_depth(self.disparity(index), *read_stereo(self._root, scene))


class KittiScene(ImageSequence):
    """The frames 10 and 11 of one scene of KITTI 2012 or 2015, such as 000000: depth of the first, flow to the second.

    Of a copy that holds the first frames alone, a sequence of one frame. There is one left camera, whatever ``camera``
    says. Raises InputError naming the file and the remedy.
    """

    def __init__(self, root: Path | str, sequence: str, camera: int = 2) -> None:
        self._root, self.name = Path(root), sequence
        folder = find_folder(self._root, LEFT)
        self.images = [image for n in (10, 11) if (image := inside(folder, f"{sequence}_{n}.png")).is_file()]
        if not self.images or not self.images[0].stem.endswith("_10"):
            raise InputError(f"{folder / sequence}_10.png: no such file; check --data and --sequences")
        self.size = image_size(self.images[0])
        matrix, self._baseline = read_stereo(self._root, sequence)
        self.intrinsics, self.notes = matrix.to(torch.float32), calibration_note(self._root)
        self._disparity = find_folder(self._root, DISPARITIES) / f"{sequence}_10.png"
        self._flow = self._root / "flow_occ" / f"{sequence}_10.png"

    @staticmethod
    def names(root: Path | str) -> tuple[str, ...]:
        """All scenes on disk."""
        found = find_folder(Path(root), LEFT).glob("*_10.png")
        return tuple(sorted(path.stem.removesuffix("_10") for path in found))

    @classmethod
    def training(cls, root: Path | str) -> tuple[str, ...]:
        """All of them; InputError if there is none."""
        if not cls.names(root):
            raise InputError(
                f"{root}: no image_2/*_10.png or colored_0/*_10.png in it; give the folder that holds them"
            )
        return cls.names(root)

    @staticmethod
    def official(root: Path | str) -> dict[str, int]:
        """Both frames of every scene of the training set."""
        return {f"{n:06d}": 2 for n in range(SCENES.get(find_folder(Path(root), LEFT).name, 200))}

    def __len__(self) -> int:
        return len(self.images)

    def pixels(self, index: int) -> np.ndarray:
        return read_pixels(self.images[index], self.size)

    def has_depth(self, index: int) -> bool:
        return index == 0 and self._disparity.is_file()

    def depth(self, index: int) -> Tensor | None:
        if not self.has_depth(index):
            return None
        disparity = read_depth(self._disparity, expected=self.size)
        return disparity_depth(disparity, self.intrinsics, self._baseline)

    def has_flow(self, index: int) -> bool:
        return index == 0 and len(self) == 2 and self._flow.is_file()

    def flow(self, index: int) -> tuple[Tensor, Tensor] | None:
        return read_flow(self._flow, expected=self.size) if self.has_flow(index) else None


def find_folder(root: Path, names: tuple[str, ...]) -> Path:
    """The first of those folders that is there, else where the first should be."""
    return next((root / name for name in names if (root / name).is_dir()), root / names[0])


def read_stereo(root: Path, scene: str) -> tuple[Tensor, float]:
    """Camera matrix (3, 3) float64 of the left camera, and the baseline in metres."""
    if (root / "calib_cam_to_cam").is_dir():
        left, right = (read_projection(root / "calib_cam_to_cam" / f"{scene}.txt", camera) for camera in (2, 3))
        return left[:, :3], float((left[0, 3] - right[0, 3]) / left[0, 0])
    if (root / "calib").is_dir():
        first = 0 if find_folder(root, LEFT).name in GREY else 2
        (matrix, left), (_, right) = (
            read_calibration(root / "calib" / f"{scene}.txt", camera) for camera in (first, first + 1)
        )
        return matrix, float(left[0] - right[0])
    (cx, cy), focal = CENTRE, FOCAL
    return torch.tensor([[focal, 0, cx], [0, focal, cy], [0, 0, 1]], dtype=torch.float64), BASELINE


def calibration_note(root: Path) -> tuple[str, ...]:
    if (root / "calib_cam_to_cam").is_dir() or (root / "calib").is_dir():
        return ()
    return (f"no calib_cam_to_cam: focal length {FOCAL} px and baseline {BASELINE} m for every frame",)


def disparity_depth(disparity: Tensor, matrix: Tensor, baseline: float) -> Tensor:
    """Depth (1, H, W) in metres of disparities in pixels, 0 = unknown for both."""
    return torch.where(disparity > 0, float(matrix[0, 0]) * baseline / disparity.clamp(min=1 / 256), 0.0)
