"""Real videos through ``vode run``, each in a process of its own: time, memory, and what comes out beside the truth.

The samples are a folder with highway.mp4 in video, a clip of KITTI in kitti_clip, and kitti_odometry, kitti_raw,
seven_scenes and tum in the layouts of these sets; those that are not there are left out.

python benchmarks/videos.py --data DIR [--out DIR] [--only kitti-00 redkitchen]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from report import machine, table
from torch import Tensor

from vode.datasets.base import Capability, Sequence
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_sequences
from vode.evaluation.odometry import evaluate_odometry
from vode.geometry.pose import inverse
from vode.io.trajectory import Trajectory
from vode.pipelines.run.result import VideoRun
from vode.streams.layouts import find_layout

CAMERA_HEIGHT = 1.65
"""metres above the road, of KITTI's cameras"""
HIDDEN = 1.1
"""how many times as far as the nearest one around it a point of the cloud is hidden"""
AROUND = 7
"""pixels"""
HEADINGS = (
    *("video", "camera by", "first pose s", "frames/s", "of tracking", "GiB", "unit", "ATE m", "cloud", "off by"),
    "reprojection px",
)


SAMPLES = {
    "highway": ("video/highway.mp4",),
    "kitti-clip": ("kitti_clip/image_2", "kitti_raw/2011_09_26/calib_cam_to_cam.txt"),
    "kitti-00": ("kitti_odometry/sequences/00",),
    "kitti-raw": ("kitti_raw/2011_09_26/2011_09_26_drive_9999_sync",),
    "redkitchen": ("seven_scenes/redkitchen/seq-01",),
    "tum": ("tum/rgbd_dataset_freiburg1_rpy",),
}
"""paths of videos, and of a calibration, if it is not beside the images"""


class Timed(NamedTuple):
    """A run, and when its stages came."""

    run: VideoRun
    first: float
    """seconds from the start of the process to the first pose"""
    tracking: float
    """frames a second of tracking alone, from the second frame on"""


def run(path: Path, calibration: Path | None, out: Path) -> Timed:
    """``vode run`` of a video, with no option but a calibration."""
    command = ["vode", "run", str(path), "--out", str(out), "--json", "--overwrite"]
    command += [] if calibration is None else ["--calibration", str(calibration)]
    started, seen = time.perf_counter(), []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event.get("stage") == "track":
                seen.append((time.perf_counter() - started, event["done"]))
    if process.returncode:
        raise SystemExit(f"{path}: status {process.returncode}")
    (first, _), (last, count) = seen[0], seen[-1]
    return Timed(VideoRun(out), first, (count - 1) / max(last - first, 1e-9))


def measured(path: Path) -> Sequence | None:
    """The sequence of a data set that a video is, if it is one of a layout that is known."""
    layout = find_layout(path) if path.is_dir() else None
    if layout is None:
        return None
    camera = () if layout.camera is None else (layout.camera,)
    return open_sequences(DataOptions(layout.dataset, layout.root, camera=camera), (layout.sequence,))[0]


def cloud_depth(points: Tensor, T_world_cam: Tensor, intrinsics: Tensor, size: tuple[int, int]) -> Tensor:
    """Depth (H, W) of a cloud's points (N, 3) that a camera sees: 0 where there is none, or one nearer around it."""
    there = points @ inverse(T_world_cam)[:3, :3].mT + inverse(T_world_cam)[:3, 3]
    there = there[there[:, 2] > 0.1]
    column, row, _ = (there / there[:, 2:] @ intrinsics.mT).round().long().unbind(-1)
    inside = (column >= 0) & (column < size[1]) & (row >= 0) & (row < size[0])
    place, z = (row * size[1] + column)[inside], there[inside, 2]
    nearest = z.new_full((size[0] * size[1],), torch.inf).scatter_reduce(0, place, z, "amin").view(1, *size)
    around = -F.max_pool2d(-nearest, AROUND, 1, AROUND // 2)
    return torch.where(nearest < HIDDEN * around, nearest, 0.0)[0]


def cloud_error(found: VideoRun, sequence: Sequence) -> float:
    """Median relative error of the cloud's depth in all frames whose depth is measured, after one scale."""
    points, poses = torch.from_numpy(found.cloud[0]).double(), found.trajectory.poses
    ratios = []
    for i in range(len(sequence)):
        true = sequence.depth(i) if sequence.has_depth(i) else None
        if true is not None:
            seen = cloud_depth(points, poses[i], sequence.intrinsics.double(), sequence.size)
            both = (true[0] > 0) & (seen > 0)
            ratios.append((seen[both] / true[0][both]).log())
    logs = torch.cat(ratios)
    return float(((logs - logs.median()).exp() - 1).abs().median())


def road_error(found: VideoRun, true: Trajectory) -> float:
    """How far off the road of the cloud is, below the camera, once the path has its true length."""
    poses = found.trajectory.poses
    factor = float(true.distances()[-1] / found.trajectory.distances()[-1])
    points, rng, heights = torch.from_numpy(found.cloud[0]).double(), np.random.default_rng(0), []
    for T in poses[::5]:
        x, y, z = (points @ inverse(T)[:3, :3].mT + inverse(T)[:3, 3]).mul(factor).unbind(-1)
        near = (z > 3) & (z < 12) & (x.abs() < 3) & (y > 0.5 * CAMERA_HEIGHT) & (y < 1.5 * CAMERA_HEIGHT)
        if int(near.sum()) > 200:
            heights.append(plane_distance(torch.stack([x, y, z], -1)[near].numpy(), rng))
    return float(np.median(heights)) / CAMERA_HEIGHT - 1


def plane_distance(points: np.ndarray, rng: np.random.Generator, within: float = 0.05) -> float:
    """Distance of the origin from the plane on which most points (N, 3) lie."""
    corners = points[rng.integers(len(points), size=(200, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    inliers = np.abs(points @ normals.T - (corners[:, 0] * normals).sum(1)) < within
    best = points[inliers[:, inliers.sum(0).argmax()]]
    normal = np.linalg.svd(best - best.mean(0), full_matrices=False)[2][2]
    return float(abs(best.mean(0) @ normal))


def row(name: str, timed: Timed, path: Path) -> list[str]:
    """What a run came to."""
    found, summary, sequence = timed.run, timed.run.summary, measured(path)
    cells = [name, summary["camera"]["origin"], f"{timed.first:.1f}"]
    cells += [f"{summary['frames_per_second']:.1f}", f"{timed.tracking:.1f}"]
    cells += [f"{summary['peak_memory_bytes'] / 2**30:.2f}", summary["scale"]["unit"]]
    ate, what, off = "-", "-", "-"
    if sequence is not None and sequence.poses is not None:
        true = Trajectory(sequence.poses, found.trajectory.timestamps)
        ate = f"{evaluate_odometry(found.trajectory, true, '7dof')['ate_m']:.3f}"
        what, off = "road", f"{road_error(found, true):+.1%}" if name == "kitti-00" else off
    if sequence is not None and Capability.DEPTH in sequence.capabilities:
        what, off = "depth", f"{cloud_error(found, sequence):.1%}"
    error = summary.get("colmap", {}).get("reprojection_error_px")
    return [*cells, ate, what, off, "-" if error is None else f"{error:.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="folder for the outputs; default: one that goes away")
    parser.add_argument("--only", nargs="+", choices=SAMPLES, default=[*SAMPLES])
    options = parser.parse_args()
    print(machine("opencv-python-headless"), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        out, rows = options.out or Path(temporary), []
        for name in options.only:
            path, *calibration = (options.data / x for x in SAMPLES[name])
            if not path.exists():
                print(f"{name}: not there")
                continue
            rows.append(row(name, run(path, next(iter(calibration), None), out / name), path))
            print(" ".join(rows[-1]), flush=True)
    print(table(HEADINGS, rows))


if __name__ == "__main__":
    main()
