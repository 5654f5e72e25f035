"""KITTI 2012 and 2015 flow.

root/image_2/000000_10.png, 000000_11.png     2015; 2012 has colored_0, or grey image_0
root/flow_occ/000000_10.png                   16-bit PNG, every pixel whose flow is known
root/flow_noc/000000_10.png                   those seen in both images (optional)
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from vode.datasets.flow_pairs import FlowPairs, GroundTruthFlow
from vode.datasets.kitti.stereo import LEFT, find_folder
from vode.errors import InputError
from vode.io.flow import read_flow
from vode.io.image import read_image


class KittiFlow(FlowPairs):
    """The pairs of ``root`` (the training folder) that have a file in flow_occ."""

    name = "kitti-flow"

    def __init__(self, root: Path | str) -> None:
        self._root = Path(root)
        self._files = sorted((self._root / "flow_occ").glob("*_10.png"))
        if not self._files:
            raise InputError(f"{root}: no flow_occ/*_10.png in it; give the folder that holds image_2 and flow_occ")
        self._images = find_folder(self._root, LEFT)

    def __len__(self) -> int:
        return len(self._files)

    def names(self) -> list[str]:
        return [file.stem for file in self._files]

    def missing(self) -> dict[int, Path]:
        files = ((i, image) for i in range(len(self)) for image in reversed(self._pair(i)))
        return {i: image for i, image in files if not image.is_file()}

    def images(self, index: int) -> tuple[Tensor, Tensor]:
        first, second = self._pair(index)
        return read_image(first), read_image(second)

    def ground_truth(self, index: int) -> GroundTruthFlow:
        flow, valid = read_flow(self._files[index])
        noc = self._root / "flow_noc" / self._files[index].name
        return GroundTruthFlow(flow, valid, read_flow(noc)[1] if noc.is_file() else None)

    def _pair(self, index: int) -> tuple[Path, Path]:
        first = self._images / self._files[index].name
        return first, first.with_name(first.name.replace("_10.", "_11."))
