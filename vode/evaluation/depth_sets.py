"""The test sets that depth is scored on, each with the protocol of its published figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from vode.datasets.depth_frames import DepthFrames
from vode.datasets.kitti.raw import KittiRawFrames
from vode.datasets.kitti.stereo import KittiStereo
from vode.datasets.nyu import NyuLabeled
from vode.datasets.splits import read_split
from vode.errors import InputError
from vode.evaluation.depth import DepthProtocol
from vode.io.cache import cache_folder


class DepthSet(NamedTuple):
    """One test set."""

    open: Callable[[Path, Path | None], DepthFrames]
    """of the folder of the data and that of KITTI's annotated depth maps"""
    protocol: DepthProtocol


def _eigen(root: Path, annotated: Path | None) -> KittiRawFrames:
    return KittiRawFrames(root, read_split("eigen"), name="kitti-eigen", cache=cache_folder() / "kitti_lidar")


def _eigen_benchmark(root: Path, annotated: Path | None) -> KittiRawFrames:
    if annotated is None:
        raise InputError("kitti-eigen-benchmark needs KITTI's annotated depth maps; name their folder with --annotated")
    return KittiRawFrames(root, read_split("eigen_benchmark"), name="kitti-eigen-benchmark", depth_root=annotated)


DEPTH_SETS = {
    "kitti-eigen": DepthSet(_eigen, DepthProtocol(crop="garg")),
    "kitti-eigen-benchmark": DepthSet(_eigen_benchmark, DepthProtocol(cap=None, clip=(1e-3, 80.0))),
    "kitti-2015": DepthSet(lambda root, annotated: KittiStereo(root), DepthProtocol()),
    "kitti-2012": DepthSet(lambda root, annotated: KittiStereo(root), DepthProtocol()),
    "nyu": DepthSet(lambda root, annotated: NyuLabeled(root), DepthProtocol(crop="nyu", cap=10.0)),
}
"""697 frames with lidar (Eigen et al., NIPS 2014), 652 of them with annotated depth, KITTI stereo, and NYUv2's 654.

Annotated depth is scored as by monodepth2 (Godard et al., ICCV 2019): no crop, no cap, predictions clipped to 80 m.
"""
