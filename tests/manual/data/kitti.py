"""KITTI's trees with the frames of the drive: odometry, raw with lidar, annotated depth, and the scenes of 2015."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch

from tests.manual.data.videos import COUNT, DRIVE, TIMES, frames, trajectory
from vode.datasets.kitti.splits import read_split
from vode.datasets.kitti.writer import GroundTruth, write_kitti_sequence
from vode.io.depth import write_depth
from vode.io.flow import write_flow
from vode.io.image import write_image

SEQUENCES = [f"{number:02d}" for number in range(11)]
BASELINE = DRIVE.options.baseline
"""metres from the left camera to the right one"""
TRAINING = "2011_09_26_drive_0001"
"""a drive of Zhou's training list"""


def odometry(path: Path) -> None:
    """The sequences 00 to 10, which all show the same."""
    truth = GroundTruth(DRIVE.poses, (DRIVE.depth(i) for i in range(COUNT)))
    first = write_kitti_sequence(path, "00", 2, frames(), DRIVE.intrinsics, TIMES, truth)
    for name in SEQUENCES[1:]:
        shutil.copytree(first, first.with_name(name), copy_function=_link)
        shutil.copyfile(path / "poses" / "00.txt", path / "poses" / f"{name}.txt")


def poses(path: Path) -> None:
    """Other methods' trajectories by the names of sequences."""
    path.mkdir()
    for name in ("09", "10"):
        trajectory(path / f"{name}.txt")


def calibration(path: Path) -> None:
    path.write_text("".join(f"P{camera}: {_projection(shift)}\n" for camera, shift in ((2, 0.0), (3, BASELINE))))


def raw(path: Path) -> None:
    """A drive to train on, and three frames of both Eigen lists, each with a lidar that sees a wall 12 m ahead."""
    for number in range(COUNT):
        _raw_frame(path, TRAINING, number, number)
    for frame in read_split("eigen_benchmark")[:3]:
        _raw_frame(path, frame.drive, frame.number, 0)
    for date in path.iterdir():
        projections = f"P_rect_02: {_projection()}\nP_rect_03: {_projection(BASELINE)}\n"
        (date / "calib_cam_to_cam.txt").write_text(f"R_rect_00: 1 0 0 0 1 0 0 0 1\n{projections}")
        (date / "calib_velo_to_cam.txt").write_text("R: 0 -1 0 0 0 -1 1 0 0\nT: 0 0 0\n")


def annotated(path: Path) -> None:
    for frame in read_split("eigen_benchmark")[:3]:
        folder = path / "val" / f"{frame.drive}_sync" / "proj_depth" / "groundtruth" / "image_02"
        folder.mkdir(parents=True, exist_ok=True)
        write_depth(folder / f"{frame.number:010d}.png", torch.full((1, *DRIVE.size), 9.0))


def scenes_of_2015(path: Path) -> None:
    """Two scenes, with images of both cameras."""
    root = path / "training"
    for folder in ("image_2", "image_3", "disp_occ_0", "flow_occ", "flow_noc", "calib_cam_to_cam"):
        (root / folder).mkdir(parents=True)
    focal = float(DRIVE.intrinsics[0, 0])
    for number in range(2):
        name = f"{number:06d}"
        for i, frame in enumerate((10, 11)):
            write_image(root / "image_2" / f"{name}_{frame}.png", DRIVE.frame(number + i))
            write_image(root / "image_3" / f"{name}_{frame}.png", DRIVE.right(number + i))
        depth, (flow, seen) = DRIVE.depth(number), DRIVE.flow_between(number, number + 1)
        disparity = torch.where(depth > 0, focal * BASELINE / depth.clamp(min=1), 0.0)
        write_depth(root / "disp_occ_0" / f"{name}_10.png", disparity)
        write_flow(root / "flow_occ" / f"{name}_10.png", flow, torch.ones_like(depth))
        write_flow(root / "flow_noc" / f"{name}_10.png", flow, seen.view_as(depth).float())
        (root / "calib_cam_to_cam" / f"{name}.txt").write_text(
            f"P_rect_02: {_projection()}\nP_rect_03: {_projection(BASELINE)}\n"
        )


def _raw_frame(root: Path, drive: str, number: int, shown: int) -> None:
    folder = root / drive[:10] / f"{drive}_sync"
    for camera, image in (("image_02", DRIVE.frame(shown)), ("image_03", DRIVE.right(shown))):
        (folder / camera / "data").mkdir(parents=True, exist_ok=True)
        write_image(folder / camera / "data" / f"{number:010d}.png", image)
    across, up = (values.ravel() for values in np.meshgrid(np.linspace(-6, 6, 60), np.linspace(-2, 2, 30)))
    scan = np.stack([np.full_like(across, 12), across, up, np.zeros_like(up)], -1).astype("<f4")
    (folder / "velodyne_points" / "data").mkdir(parents=True, exist_ok=True)
    (folder / "velodyne_points" / "data" / f"{number:010d}.bin").write_bytes(scan.tobytes())


def _projection(shift: float = 0.0) -> str:
    """The twelve numbers of a camera that many metres to the right of the left one."""
    matrix = torch.cat([DRIVE.intrinsics, torch.tensor([[-shift * float(DRIVE.intrinsics[0, 0])], [0], [0]])], 1)
    return " ".join(map(repr, matrix.flatten().tolist()))


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
