"""Visual odometry against the ground truth: KITTI segment errors, absolute and relative pose errors.

Segment errors as in Geiger, Lenz, Urtasun, "Are we ready for autonomous driving?", CVPR 2012, and its
development kit. Alignments after Umeyama, "Least-squares estimation of transformation parameters between two
point patterns", PAMI 1991. Before any alignment both trajectories start at identity at the first matched
frame.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.evaluation.frame_scale import consecutive, frame_scales, scale_along_path, scale_deviation
from vode.evaluation.odometry_notes import notes_of, why_no_rotations
from vode.evaluation.result import Number, Result
from vode.geometry import pose
from vode.geometry.alignment import umeyama
from vode.io.association import Matches, associate
from vode.io.frame_keys import with_times
from vode.io.trajectory import Trajectory, Values, as_trajectory
from vode.io.trajectory_formats.clock import as_times

ALIGNMENTS = ("none", "scale", "6dof", "7dof", "scale_7dof")
LENGTHS = (100, 200, 300, 400, 500, 600, 700, 800)
"""of the segments, metres"""
STEP = 10
"""frames from the start of one segment to that of the next"""

Poses = Trajectory | Path | str | Tensor | np.ndarray
"""a trajectory, its file, or the world-from-camera poses (N, 4, 4) of frames 0..N-1"""


class Segments(NamedTuple):
    """Errors of S segments: ``length`` (S,) metres, ``translation`` (S,) m/m, ``rotation`` (S,) rad/m."""

    length: Tensor
    translation: Tensor
    rotation: Tensor


def evaluate_odometry(
    estimate: Poses,
    ground_truth: Poses,
    alignment: str = "7dof",
    *,
    by: str = "auto",
    max_difference: float = 0.02,
    times: Path | str | Values | None = None,
    time_offset: float = 0.0,
) -> Result:
    """Segment errors, ATE, RPE, the 5-frame snippet ATE and the scale of single motions of an estimate.

    Frames are matched by ``associate`` (``by``, ``max_difference`` in seconds). ``times``, seconds or a file of them
    such as KITTI's times.txt, are those of all frames of the video, for whichever trajectory has frame numbers alone;
    ``time_offset`` seconds are added to the times of the estimate. ``alignment`` is one of ALIGNMENTS; the default
    "7dof" is what monocular odometry is published under. What a trajectory is too short for is None, with the reason in
    the notes; so is all but the ATE where one has no rotations, which needs the alignment "6dof" or "7dof". Raises
    InputError for a file that cannot be read and poses that are not rigid, if nothing tells which frames match, or if
    the positions are all the same and an alignment is asked for.
    """
    estimate, ground_truth = as_trajectory(estimate, "estimate"), as_trajectory(ground_truth, "ground truth")
    if times is not None:
        clock, name = as_times(times)
        estimate, ground_truth = (with_times(x, clock, name, by) for x in (estimate, ground_truth))
    estimate = estimate.shifted(time_offset)
    matches = associate(estimate, ground_truth, by=by, max_difference=max_difference)
    video, rows = _frames(matches, ground_truth)
    frames = matches.ground_truth if video is ground_truth else video
    estimated, true = matches.estimate.from_first(), frames.from_first()
    lacking = why_no_rotations(matches.ground_truth) or why_no_rotations(matches.estimate)
    if lacking and alignment in ("none", "scale", "scale_7dof"):
        raise InputError(f"{lacking}, so its first camera tells no axes; align by 6dof or 7dof", "alignment")
    aligned, scale = _align(estimated, true, alignment)
    if lacking:
        measures = _Measures(notes=(f"ATE alone: {lacking}; t_err, r_err, rpe and snippet ATE need rotations",))
    else:
        measures = _measures(estimated, aligned, true, video.distances(), rows)
    segments, rpe = measures.segments, measures.rpe
    scales = frame_scales(aligned, true, consecutive(true))
    numbers = (
        Number("t_err_percent", _mean(segments.translation, 100), "%"),
        Number("r_err_deg_per_100m", _mean(segments.rotation, 100 * 180 / math.pi), "deg/100 m"),
        Number("ate_m", absolute_error(aligned, true), "m"),
        Number("rpe_m", None if rpe is None else rpe[0], "m"),
        Number("rpe_deg", None if rpe is None else math.degrees(rpe[1]), "deg"),
        Number("snippet_ate_5_frames_m", measures.snippet, "m"),
        Number("scale", scale),
        Number("scale_deviation", scale_deviation(scales)),
        Number("segments", len(segments.length)),
        Number("frames", len(true)),
        Number("frames_in_estimate", len(estimate)),
        Number("frames_in_ground_truth", len(ground_truth)),
        Number("frames_dropped", estimate.dropped),
    )
    counted = "frame of the ground truth" if video is ground_truth else "matched frame"
    protocol = {
        "alignment": alignment,
        "matched_by": matches.by,
        "segment_starts": f"every {STEP}th {counted}",
        "origin": "both start at identity at the first matched frame",
        "estimate": estimate.name,
        "ground_truth": ground_truth.name,
    }
    along = scale_along_path(scales)
    notes = (*notes_of(matches, estimate, ground_truth), *measures.notes)
    return Result("Odometry", numbers, protocol, _by_length(segments) | {"scale_along_path": along}, notes)


def align(estimate: Trajectory, ground_truth: Trajectory, alignment: str = "7dof") -> Trajectory:
    """An estimate placed on the ground truth, for a plot: both with the same frames in the same order.

    Both are expected to start at identity (``Trajectory.from_first``). ``alignment``: "none"; "scale", one
    factor sum(xy) / sum(xx) about the start; "6dof", rotation and translation; "7dof", with scale;
    "scale_7dof", the scale of that fit alone. Raises InputError if the positions are all the same.
    """
    return _align(estimate, ground_truth, alignment)[0]


def absolute_error(estimate: Trajectory, ground_truth: Trajectory) -> float:
    """ATE: root mean square distance of matched positions, metres."""
    return float((estimate.positions - ground_truth.positions).square().sum(dim=-1).mean().sqrt())


def relative_errors(estimate: Trajectory, ground_truth: Trajectory, rows: Tensor) -> tuple[float, float] | None:
    """RPE: mean error of the motion from ``rows`` to the next ones, metres and radians; None without rows."""
    if len(rows) == 0:
        return None
    metres, radians = _motion_errors(estimate.poses, ground_truth.poses, rows, rows + 1)
    return float(metres.mean()), float(radians.mean())


def segment_errors(estimate: Trajectory, ground_truth: Trajectory, distances: Tensor, rows: Tensor) -> Segments:
    """Errors over segments of 100..800 m of the ground truth, which start at its frames 0, 10, 20, ...

    ``distances`` (P,) is the path length at every frame of the ground truth, metres; ``rows`` (M,) says which of
    these frames the M matched poses are. A segment ends at the first frame farther than its length; it counts if
    both its ends are matched.
    """
    first = torch.arange(0, len(distances), STEP)
    length = torch.tensor(LENGTHS, dtype=torch.float64)
    last = torch.searchsorted(distances, distances[first, None] + length, right=True)
    matched = torch.full((len(distances) + 1,), -1)
    matched[rows] = torch.arange(len(rows))
    start, end = matched[first, None].expand_as(last), matched[last]
    both = (start >= 0) & (end >= 0)
    metres, radians = _motion_errors(estimate.poses, ground_truth.poses, start[both], end[both])
    length = length.expand_as(last)[both]
    return Segments(length, metres / length, radians / length)


def snippet_ate(estimate: Trajectory, ground_truth: Trajectory, frames: int = 5) -> float | None:
    """Mean position error (m) over all snippets of ``frames`` poses, each with its own scale, or None.

    Zhou et al., "Unsupervised learning of depth and ego-motion from video", CVPR 2017: the snippet's first
    frame is the origin, the scale is sum(xy) / sum(xx), and the error is sqrt(sum of squares) / frames, which
    is smaller than the root mean square: the published figures were computed so. It is not comparable with
    the ATE of a trajectory. Only snippets of consecutive frame numbers count.
    """
    count = len(ground_truth) - frames + 1
    if count < 1:
        return None
    start = torch.arange(count)
    window = start[:, None] + torch.arange(frames)
    window = window[ground_truth.indices[window[:, -1]] - ground_truth.indices[start] == frames - 1]
    if len(window) == 0:
        return None
    x, y = (_motions(poses, window[:, :1], window)[1] for poses in (estimate.poses, ground_truth.poses))
    square = x.square().sum(dim=(1, 2))
    scale = torch.where(square > 0, (x * y).sum(dim=(1, 2)) / square.clamp(min=1e-300), 1.0)
    error = scale[:, None, None] * x - y
    return float(error.square().sum(dim=(1, 2)).sqrt().mean() / frames)


def _align(estimate: Trajectory, ground_truth: Trajectory, alignment: str) -> tuple[Trajectory, float]:
    """The aligned trajectory and the factor that its translations were multiplied by."""
    if alignment not in ALIGNMENTS:
        raise ValueError(f"alignment is one of {', '.join(ALIGNMENTS)}, not {alignment!r}")
    if alignment == "none":
        return estimate, 1.0
    _check_spread(estimate)
    _check_spread(ground_truth)
    x, y = estimate.positions, ground_truth.positions
    if alignment == "scale":
        scale = (x * y).sum() / (x * x).sum()
        return _moved(estimate, scale), float(scale)
    scale, rotation, translation = umeyama(x, y, with_scale=alignment != "6dof")
    if alignment == "scale_7dof":
        return _moved(estimate, scale), float(scale)
    return _moved(estimate, scale, rotation, translation), float(scale)


def _moved(
    trajectory: Trajectory, scale: Tensor, rotation: Tensor | None = None, translation: Tensor | None = None
) -> Trajectory:
    poses = trajectory.poses.clone()
    poses[:, :3, 3] *= scale
    if rotation is not None and translation is not None:
        poses[:, :3, :3] = rotation @ poses[:, :3, :3]
        poses[:, :3, 3] = poses[:, :3, 3] @ rotation.mT + translation
    return trajectory.moved(poses)


def _check_spread(trajectory: Trajectory) -> None:
    spread = (trajectory.positions - trajectory.positions[:1]).abs().max()
    if not spread > 1e-9:
        raise InputError(
            f"{trajectory.name}: all {len(trajectory)} matched positions are the same, so it cannot be "
            "aligned; use alignment none, or a video in which the camera moves"
        )


def _motion_errors(estimate: Tensor, ground_truth: Tensor, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """|t(E)| metres and angle radians of E = inv(dP) dG for the motions from rows ``start`` to ``end``."""
    rotation_estimate, translation_estimate = _motions(estimate, start, end)
    rotation_truth, translation_truth = _motions(ground_truth, start, end)
    # t(E) = R_P^T (t_G - t_P), and a rotation leaves its length alone.
    metres = (translation_truth - translation_estimate).norm(dim=-1)
    return metres, pose.rotation_angle(rotation_estimate.mT @ rotation_truth)


def _motions(poses: Tensor, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Rotation (..., 3, 3) and translation (..., 3) of inv(T_start) T_end."""
    back = poses[start, :3, :3].mT
    step = poses[end, :3, 3] - poses[start, :3, 3]
    return back @ poses[end, :3, :3], (back @ step.unsqueeze(-1)).squeeze(-1)


class _Measures(NamedTuple):
    """The measures that need rotations, and why some are missing."""

    segments: Segments = Segments(*torch.zeros(3, 0, dtype=torch.float64))
    rpe: tuple[float, float] | None = None
    snippet: float | None = None
    notes: tuple[str, ...] = ()


def _measures(
    estimated: Trajectory, aligned: Trajectory, true: Trajectory, distances: Tensor, rows: Tensor
) -> _Measures:
    segments = segment_errors(aligned, true, distances, rows)
    rpe = relative_errors(aligned, true, consecutive(true))
    snippet = snippet_ate(estimated, true)
    notes = []
    if len(segments.length) == 0:
        total = float(true.distances()[-1])
        notes.append(f"no t_err and r_err: no segment of {LENGTHS[0]} m has both ends matched (path of {total:.1f} m)")
    if rpe is None:
        notes.append("no rpe: no two consecutive frames are matched")
    if snippet is None:
        notes.append("no snippet ATE: no five consecutive frames are matched")
    return _Measures(segments, rpe, snippet, tuple(notes))


def _frames(matches: Matches, ground_truth: Trajectory) -> tuple[Trajectory, Tensor]:
    """The true poses of the frames of the video, and which of these rows are matched (M,).

    The protocol of KITTI counts frames of the ground truth, which there has one pose a frame. It does so here by
    index, and also by time if matched neighbours are mostly neighbours in the ground truth: a trajectory must not
    score otherwise because its file has times. A ground truth that is sampled more often than the estimate (motion
    capture at 100 Hz, a camera at 30) does not tell the frames of the video; the matched poses stand for them.
    """
    steps = matches.ground_truth_rows.diff()
    if matches.by == "index" or len(steps) == 0 or steps.median() == 1:
        return ground_truth, matches.ground_truth_rows
    rows = torch.arange(len(matches.ground_truth))
    return replace(matches.ground_truth, indices=rows), rows


def _mean(values: Tensor, factor: float) -> float | None:
    return float(values.mean()) * factor if len(values) else None


def _by_length(segments: Segments) -> dict[str, dict[str, float]]:
    kinds = {
        "t_err_percent_by_length_m": 100 * segments.translation,
        "r_err_deg_per_100m_by_length_m": 100 * segments.rotation.rad2deg(),
    }
    at = {str(length): segments.length == length for length in LENGTHS}
    return {
        name: {length: float(errors[rows].mean()) for length, rows in at.items() if rows.any()}
        for name, errors in kinds.items()
    }
