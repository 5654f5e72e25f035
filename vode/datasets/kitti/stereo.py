"""KITTI 2012 and 2015: pairs of frames with ground truth flow and, from stereo, depth.

root/image_2/000000_10.png, 000000_11.png    left colour images of 2015; image_02 is taken too; right: image_3
root/colored_0 or image_0                    those of 2012, colour and grey; right: colored_1, image_1
root/disp_occ_0/000000_10.png                disparity: 16-bit PNG, pixels x 256, 0 = unknown; 2012: disp_occ
root/flow_occ/000000_10.png                  flow to frame 11: 16-bit PNG, every pixel whose flow is known
root/flow_noc/000000_10.png                  of pixels that are seen in both images (optional)
root/calib_cam_to_cam/000000.txt             P_rect_02, P_rect_03 (optional); 2012: calib/000000.txt, P0 to P3
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.cameras.fit import Calibration
from vode.cameras.kitti import kitti_calibration, stereo_baseline
from vode.cameras.lens import Camera
from vode.datasets.base import Capability, ImageSequence, Sequence, known
from vode.datasets.dataset import Dataset
from vode.datasets.depth_frames import DepthFrames, SequenceFrames
from vode.datasets.flow_pairs import FlowPairs, SequencePairs
from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.io.depth import read_depth
from vode.io.files import inside, visible
from vode.io.flow import read_flow
from vode.io.image import image_size, read_pixels

FOCAL, BASELINE = 721.5377, 0.5327
"""Pixels and metres of most of KITTI 2015, for copies that come without calibration."""
CENTRE = 609.5593, 172.854

LEFT, RIGHT = ("image_2", "image_02", "colored_0", "image_0"), ("image_3", "image_03", "colored_1", "image_1")
CALIBRATIONS = ("calib_cam_to_cam", "calib")
DISPARITIES = ("disp_occ_0", "disp_occ")
FLOW, FLOW_NOC = "flow_occ", "flow_noc"
GREY = ("image_0", "image_1")
SCENES = {"image_2": 200, "image_02": 200, "colored_0": 194, "image_0": 194}
"""scenes of the training set, by the folder of its images"""


class KittiScene(ImageSequence):
    """The frames 10 and 11 of one scene of KITTI 2012 or 2015, such as 000000: depth of the first, flow to the second.

    Of a copy that holds the first frames alone, a sequence of one frame. A scene of ground truth whose images are
    missing is opened, so that ``missing_file`` can name them. Raises InputError naming the file and the remedy.
    """

    sparse_depth = True
    baseline: float

    def __init__(self, root: Path | str, sequence: str) -> None:
        self._root, self.name = Path(root), sequence
        left, right = (find_folder(self._root, names) for names in (LEFT, RIGHT))
        first = inside(left, f"{sequence}_10.png")
        self._right = [right / f"{sequence}_{n}.png" for n in (10, 11)]
        self._disparity = find_folder(self._root, DISPARITIES) / first.name
        self._flow, self._noc = (self._root / folder / first.name for folder in (FLOW, FLOW_NOC))
        second = first.with_name(f"{sequence}_11.png")
        self.images = [first, second] if second.is_file() or self._flow.is_file() else [first]
        there = next((file for file in (first, self._disparity, self._flow) if file.is_file()), None)
        if there is None:
            raise InputError(f"{first}: no such file; check the folder and the scene's name", "data", "sequences")
        self.size = image_size(there)
        calibration, self.baseline = read_stereo(self._root, sequence)
        self.notes = calibration_note(self._root)
        # flow is scored without a camera: one that is only assumed need not fit then
        unused = bool(self.notes) and not self._disparity.is_file()
        camera = Camera(self.size, (FOCAL, FOCAL), CENTRE) if unused else calibration.camera(self.size)
        self.intrinsics = camera.intrinsics
        if calibration.size not in (None, self.size):
            raise InputError(f"{there}: resized, but disparity and flow are in pixels; copy the original", "data")
        self.capabilities = known(
            depth=self._disparity.is_file(), flow=self._flow.is_file(), stereo=self._right[0].is_file()
        )

    def __len__(self) -> int:
        return len(self.images)

    def frame_name(self, index: int) -> str:
        return self.images[index].stem

    def missing_file(self, index: int) -> Path | None:
        return None if self.images[index].is_file() else self.images[index]

    def pixels(self, index: int) -> np.ndarray:
        return read_pixels(self.images[index], self.size)

    def has_depth(self, index: int) -> bool:
        return index == 0 and self._disparity.is_file()

    def disparity(self) -> Tensor:
        """Pixels (1, H, W) that a point of the first left image lies farther left in the right one, 0 = unknown."""
        # Both kinds of map are 16-bit PNGs in steps of 1/256 and 0 where unknown.
        return read_depth(self._disparity, expected=self.size)

    def depth(self, index: int) -> Tensor | None:
        if not self.has_depth(index):
            return None
        return disparity_depth(self.disparity(), self.intrinsics, self.baseline)

    def has_flow(self, index: int) -> bool:
        return index == 0 and self._flow.is_file()

    def flow(self, index: int) -> tuple[Tensor, Tensor] | None:
        return read_flow(self._flow, expected=self.size) if self.has_flow(index) else None

    def flow_noc(self, index: int) -> Tensor | None:
        if not self.has_flow(index) or not self._noc.is_file():
            return None
        return read_flow(self._noc, expected=self.size)[1]

    def right_pixels(self, index: int) -> np.ndarray | None:
        return read_pixels(self._right[index], self.size) if self.has_right(index) else None

    def has_right(self, index: int) -> bool:
        return self._right[index].is_file()


class KittiStereoDataset(Dataset):
    """KITTI 2012 (Geiger et al., CVPR 2012) or 2015 (Menze and Geiger, CVPR 2015), which the folders' names tell.

    Depth and flow are scored on all scenes that have them, as one list. There is one left camera.
    """

    capabilities = frozenset({Capability.DEPTH, Capability.FLOW, Capability.STEREO})
    expects = "image_2/*_10.png or colored_0/*_10.png"

    def __init__(self, root: Path | str | None, options: DataOptions = DataOptions()) -> None:
        self.name = options.dataset if root is None else year(Path(root))
        super().__init__(root, options)

    def on_disk(self) -> tuple[str, ...]:
        return _scenes(find_folder(self.root, LEFT))

    def official(self) -> dict[str, int]:
        """Both frames of every scene of the training set."""
        return {f"{n:06d}": 2 for n in range(SCENES.get(find_folder(self.root, LEFT).name, 200))}

    def open_whole(self, name: str, camera: int) -> KittiScene:
        return KittiScene(self.root, name)

    def depth_frames(self, every: int = 1) -> list[DepthFrames]:
        return [SequenceFrames(self._with(find_folder(self.root, DISPARITIES)), name=self.name)]

    def flow_pairs(self, every: int = 1) -> list[FlowPairs]:
        return [SequencePairs(self._with(self.root / FLOW), name=self.name)]

    def _with(self, ground_truth: Path) -> list[Sequence]:
        """The scenes of a folder of ground truth, whole, those whose images are missing too."""
        names = [name for name in _scenes(ground_truth) if name in (self.options.sequences or (name,))]
        if not names:
            raise InputError(
                f"{self.root}: no {ground_truth.name}/*_10.png in it; give the folder that holds image_2 and "
                f"{ground_truth.name}",
                "data",
            )
        return [KittiScene(self.root, name) for name in names]


def year(root: Path) -> str:
    """The name of the data set that a folder holds."""
    of_2012 = find_folder(root, LEFT).name in ("colored_0", "image_0") or (root / "disp_occ").is_dir()
    return "kitti-2012" if of_2012 else "kitti-2015"


def _scenes(folder: Path) -> tuple[str, ...]:
    return tuple(path.stem.removesuffix("_10") for path in visible(folder) if path.match("*_10.png"))


def find_folder(root: Path, names: tuple[str, ...]) -> Path:
    """The first of those folders that is there, else where the first should be."""
    return next((root / name for name in names if (root / name).is_dir()), root / names[0])


def read_stereo(root: Path, scene: str) -> tuple[Calibration, float]:
    """The left camera, and the baseline in metres."""
    camera = 0 if find_folder(root, LEFT).name in GREY else 2
    folder = next((root / name for name in CALIBRATIONS if (root / name).is_dir()), None)
    if folder is None:
        return Calibration(root, (FOCAL, FOCAL), CENTRE), BASELINE
    file = folder / f"{scene}.txt"
    baseline = stereo_baseline(file, camera)
    if baseline is None:
        raise InputError(f"{file}: no camera {camera} with {camera + 1} on its right; copy the calibration again")
    return kitti_calibration(file, camera), baseline


def calibration_note(root: Path) -> tuple[str, ...]:
    """A note if ``root`` has no calibration, so that one camera is assumed for all frames."""
    if any((root / name).is_dir() for name in CALIBRATIONS):
        return ()
    return (f"no calib_cam_to_cam: focal length {FOCAL} px and baseline {BASELINE} m for every frame",)


def disparity_depth(disparity: Tensor, matrix: Tensor, baseline: float) -> Tensor:
    """Depth (1, H, W) in metres of disparities in pixels, 0 = unknown for both."""
    return torch.where(disparity > 0, float(matrix[0, 0]) * baseline / disparity.clamp(min=1 / 256), 0.0)
