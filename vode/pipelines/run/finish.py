"""All outputs of a run from what the pass over its images left."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, NamedTuple

import numpy as np
import torch

from vode.geometry.camera import resize_intrinsics
from vode.io.trajectory import Trajectory
from vode.odometry.metric.estimate import MetricScale
from vode.odometry.metric.measure import measure_scale
from vode.odometry.visual_odometry import VisualOdometry
from vode.pipelines.run.depth_files import DepthMaps, write_depth_files, write_depth_video, write_thumbnails
from vode.pipelines.run.folder import OutputFolder
from vode.pipelines.run.options import RunOptions
from vode.pipelines.run.progress import Meter, OnProgress
from vode.pipelines.run.scene import Scene, longest_part, triangulated, write_cloud, write_model, write_posed_images
from vode.pipelines.run.tracking import Tracked

THUMBNAILS = 60
"""most pictures of keyframes and lost frames"""
SLOWEST, FASTEST = 1.0, 120.0
"""frames a second of a video of depth"""


class Measured(NamedTuple):
    """The trajectory of a run in its final unit, and what made it so."""

    trajectory: Trajectory
    scale: MetricScale
    factors: np.ndarray
    """(N,) what each frame's depth is multiplied by"""


def measured(tracked: Tracked, options: RunOptions) -> Measured:
    """The trajectory after all corrections, in metres where something tells them."""
    odometry = tracked.odometry
    trajectory = odometry.trajectory
    scale = measure_scale(trajectory, options, grounds=tracked.grounds, results=odometry.results, unit=tracked.unit)
    factors = _loop_factors(odometry) * scale.factor
    if scale.steps is not None and len(scale.steps):
        # a frame's depth is scaled as the step that leads to it
        factors = torch.cat([scale.steps[:1], scale.steps]).numpy().astype(np.float64)
    return Measured(scale.apply(trajectory), scale, factors)


def write_trajectory(folder: OutputFolder, trajectory: Trajectory) -> None:
    """Write trajectory.tum and trajectory.kitti."""
    trajectory.write_tum(folder.file("trajectory"))
    trajectory.write_kitti(folder.file("trajectory_kitti"), with_index=False)


def write_outputs(folder: OutputFolder, tracked: Tracked, final: Measured, on_progress: OnProgress) -> dict[str, Any]:
    """Write everything but the trajectory and the report; numbers about it for the summary."""
    recorder, maps = tracked.recorder, DepthMaps(tracked.recorder.depth_file, final.factors)
    rows = longest_part(recorder.keyframes, recorder.cuts, tracked.odometry.maps)
    scene = Scene(rows, final.trajectory.poses[rows], tracked.camera, recorder, maps)
    points = triangulated(scene)
    write_model(folder.file("colmap"), scene, points)
    unit = "metres" if final.scale.metric else "unknown"
    size = write_cloud(folder.file("cloud"), scene, unit, Meter("cloud", len(rows), on_progress))
    K = resize_intrinsics(tracked.camera.intrinsics, tracked.camera.size, tracked.size)
    write_depth_files(folder.file("depth"), maps, tracked.camera.size, K, Meter("depth", len(maps), on_progress))
    write_depth_video(folder.file("depth_video"), recorder.small, maps, _rate(final.trajectory))
    write_posed_images(folder.file("transforms"), scene, folder)
    write_thumbnails(folder.file("thumbnails"), recorder.small, _pictured(tracked), maps)
    error = float(points.errors.square().mean().sqrt()) if len(points.errors) else None
    return {
        "keyframes": len(recorder.keyframes),
        "cloud": {"points": size},
        "colmap": {"images": len(rows), "points": len(points.places), "reprojection_error_px": error},
        "depth": {"png_steps_per_unit": 1000, "zero": "unknown, or beyond 65.535", "npz_size": list(tracked.size)},
    }


def _loop_factors(odometry: VisualOdometry) -> np.ndarray:
    """What loops multiply each frame's depth by (N,): frames follow their last keyframe."""
    scales = odometry.depth_scales
    if not scales:
        return np.ones(len(odometry))
    frames = sorted(scales)
    return np.array([scales[frames[max(bisect_right(frames, i) - 1, 0)]] for i in range(len(odometry))])


def _rate(trajectory: Trajectory) -> float:
    """Frames a second."""
    if trajectory.timestamps is None or len(trajectory) < 2:
        return 10.0
    steps = trajectory.timestamps.diff()
    steps = steps[steps > 0]
    return min(max(1 / float(steps.median()), SLOWEST), FASTEST) if len(steps) else 10.0


def _pictured(tracked: Tracked) -> list[int]:
    """Frames of the thumbnails: lost ones first, then keyframes, evenly thinned."""
    lost, keyframes = tracked.recorder.lost, tracked.recorder.keyframes
    lost = [lost[int(k)] for k in np.linspace(0, len(lost) - 1, min(len(lost), THUMBNAILS // 2)).round()]
    room = THUMBNAILS - len(lost)
    kept = [keyframes[int(k)] for k in np.linspace(0, len(keyframes) - 1, min(len(keyframes), room)).round()]
    return sorted({*lost, *kept})
