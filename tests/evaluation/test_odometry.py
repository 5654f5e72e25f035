"""Odometry measures against a referee in plain loops, and against known figures on real trajectories."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from vode.evaluation.odometry import (
    ALIGNMENTS,
    absolute_error,
    evaluate_odometry,
    relative_errors,
    segment_errors,
    snippet_ate,
)
from vode.io.trajectory import Trajectory

KEYS = ("t_err_percent", "r_err_deg_per_100m", "ate_m", "rpe_m", "rpe_deg")


def angle(rotation: np.ndarray) -> float:
    return float(Rotation.from_matrix(rotation).magnitude())


def fit(x: np.ndarray, y: np.ndarray, with_scale: bool) -> tuple[float, np.ndarray, np.ndarray]:
    """Least-squares similarity by scipy's rotation fit about the centres."""
    x0, y0 = x - x.mean(0), y - y.mean(0)
    rotation = Rotation.align_vectors(y0, x0)[0].as_matrix()
    scale = float((y0 * (x0 @ rotation.T)).sum() / (x0**2).sum()) if with_scale else 1.0
    return scale, rotation, y.mean(0) - scale * rotation @ x.mean(0)


def referee(estimate: dict, ground_truth: np.ndarray, alignment: str) -> dict[str, float]:
    """The measures as KITTI's kit and facts define them, frame by frame; ``estimate`` maps frame to pose."""
    frames = sorted(estimate)
    first = frames[0]
    origin_p, origin_g = np.linalg.inv(estimate[first]), np.linalg.inv(ground_truth[first])
    P = {frame: origin_p @ estimate[frame] for frame in frames}
    G = [origin_g @ pose for pose in ground_truth]
    x = np.array([P[frame][:3, 3] for frame in frames])
    y = np.array([G[frame][:3, 3] for frame in frames])
    scale, R, t = 1.0, np.eye(3), np.zeros(3)
    if alignment == "scale":
        scale = (x * y).sum() / (x * x).sum()
    elif alignment in ("6dof", "7dof"):
        scale, R, t = fit(x, y, alignment == "7dof")
    elif alignment == "scale_7dof":
        scale = fit(x, y, True)[0]
    for frame in frames:
        P[frame][:3, 3] = scale * R @ P[frame][:3, 3] + t
        P[frame][:3, :3] = R @ P[frame][:3, :3]
    distance = [0.0]
    for before, after in pairwise(G):
        distance.append(distance[-1] + np.linalg.norm(after[:3, 3] - before[:3, 3]))
    moves, turns = [], []
    for start in range(0, len(G), 10):
        for length in range(100, 900, 100):
            ends = [i for i in range(start, len(G)) if distance[i] > distance[start] + length]
            if not ends or start not in P or ends[0] not in P:
                continue
            dP, dG = np.linalg.inv(P[start]) @ P[ends[0]], np.linalg.inv(G[start]) @ G[ends[0]]
            error = np.linalg.inv(dP) @ dG
            moves.append(np.linalg.norm(error[:3, 3]) / length)
            turns.append(angle(error[:3, :3]) / length)
    rpe_m, rpe_deg = [], []
    for frame in frames:
        if frame + 1 in P:
            dP, dG = np.linalg.inv(P[frame]) @ P[frame + 1], np.linalg.inv(G[frame]) @ G[frame + 1]
            error = np.linalg.inv(dG) @ dP
            rpe_m.append(np.linalg.norm(error[:3, 3]))
            rpe_deg.append(math.degrees(angle(error[:3, :3])))
    ate = math.sqrt(np.mean([np.sum((P[f][:3, 3] - G[f][:3, 3]) ** 2) for f in frames]))
    values = (100 * np.mean(moves), math.degrees(100 * np.mean(turns)), ate, np.mean(rpe_m), np.mean(rpe_deg))
    return {**dict(zip(KEYS, values, strict=True)), "segments": len(moves)}


def trajectory(poses: np.ndarray, frames: list[int] | None = None, **fields) -> Trajectory:
    indices = None if frames is None else torch.tensor(frames)
    return Trajectory(torch.from_numpy(np.asarray(poses)), indices=indices, **fields)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_against_a_referee(wandering_path, disturbed, alignment: str, seed: int) -> None:
    ground_truth = wandering_path(260, seed)
    poses = disturbed(ground_truth, seed + 10)
    generator = np.random.default_rng(seed)
    frames = [f for f in range(3, 260) if generator.uniform() > 0.05]
    result = evaluate_odometry(trajectory(poses[frames], frames), trajectory(ground_truth), alignment)
    expected = referee({frame: poses[frame] for frame in frames}, ground_truth, alignment)
    for key in KEYS:
        assert result[key] == pytest.approx(expected[key], rel=1e-6), key
    assert result["segments"] == expected["segments"] > 20
    assert result["frames"] == len(frames)
    assert result.protocol["alignment"] == alignment


def test_segments_against_a_plain_loop(wandering_path, disturbed) -> None:
    """Lost frames, a path whose length is known, and rows that are not those of the ground truth."""
    ground_truth = wandering_path(300, 7)
    estimate = disturbed(ground_truth, 8, scale=1.0)
    rows = [row for row in range(4, 295) if row % 7]
    distance = np.concatenate([[0], np.linalg.norm(np.diff(ground_truth[:, :3, 3], axis=0), axis=1).cumsum()])
    expected = []
    for start in range(0, 300, 10):
        for length in range(100, 900, 100):
            end = next((i for i in range(300) if distance[i] > distance[start] + length), None)
            if start in rows and end in rows:
                moved = np.linalg.inv(estimate[start]) @ estimate[end]
                error = np.linalg.inv(moved) @ np.linalg.inv(ground_truth[start]) @ ground_truth[end]
                expected.append((length, np.linalg.norm(error[:3, 3]) / length, angle(error[:3, :3]) / length))
    found = segment_errors(
        trajectory(estimate[rows]), trajectory(ground_truth[rows]), torch.tensor(distance), torch.tensor(rows)
    )
    assert len(expected) > 20
    np.testing.assert_allclose(torch.stack(list(found), -1), expected, rtol=1e-9, atol=1e-12)


def test_snippets_against_a_plain_loop(wandering_path, disturbed) -> None:
    """Only five poses of consecutive frames are a snippet; each is scaled by itself."""
    ground_truth = wandering_path(60, 9)
    estimate = disturbed(ground_truth, 10)
    frames = [frame for frame in range(60) if frame not in (17, 18, 40)]
    errors = []
    for first in range(56):
        five = range(first, first + 5)
        if not set(five) <= set(frames):
            continue
        x, y = ([(np.linalg.inv(poses[first]) @ poses[i])[:3, 3] for i in five] for poses in (estimate, ground_truth))
        scale = sum(a @ b for a, b in zip(x, y, strict=True)) / sum(a @ a for a in x)
        errors.append(math.sqrt(sum(np.sum((scale * a - b) ** 2) for a, b in zip(x, y, strict=True))) / 5)
    found = snippet_ate(trajectory(estimate[frames], frames), trajectory(ground_truth[frames], frames))
    assert len(errors) == 17 - 4 + 21 - 4 + 19 - 4
    assert found == pytest.approx(np.mean(errors), rel=1e-9)
    assert snippet_ate(trajectory(estimate[:4]), trajectory(ground_truth[:4])) is None


def test_relative_and_absolute_errors_by_hand() -> None:
    """A camera goes 1 m a frame along x; at the end the estimate is turned by 0.1 about z and off by 3 and 4 m."""
    ground_truth = np.tile(np.eye(4), (3, 1, 1))
    ground_truth[:, 0, 3] = [0, 1, 2]
    estimate = ground_truth.copy()
    estimate[2, :3, :3] = Rotation.from_rotvec([0, 0, 0.1]).as_matrix()
    estimate[2, :3, 3] += [0, 3, 4]
    assert absolute_error(trajectory(estimate), trajectory(ground_truth)) == pytest.approx(5 / math.sqrt(3))
    pair = trajectory(estimate), trajectory(ground_truth)
    assert relative_errors(*pair, torch.tensor([0, 1])) == pytest.approx((2.5, 0.05))
    assert relative_errors(*pair, torch.tensor([1])) == pytest.approx((5, 0.1))
    assert relative_errors(*pair, torch.tensor([], dtype=torch.int64)) is None


def test_7dof_is_the_best_similarity(wandering_path, disturbed) -> None:
    """No similarity that a general optimiser finds has a smaller ATE."""
    ground_truth = wandering_path(60, 3)
    poses = disturbed(ground_truth, 4)
    x, y = poses[:, :3, 3], ground_truth[:, :3, 3]

    def cost(v: np.ndarray) -> float:
        moved = math.exp(v[0]) * Rotation.from_rotvec(v[1:4]).apply(x - x.mean(0)) + v[4:] + y.mean(0)
        return float(np.mean(np.sum((moved - y) ** 2, axis=1)))

    starts = Rotation.random(6, rng=np.random.default_rng(0)).as_rotvec()
    best = min(minimize(cost, [1.5, *start, 0, 0, 0], tol=1e-14).fun for start in starts)
    ate = evaluate_odometry(trajectory(poses), trajectory(ground_truth))["ate_m"]
    assert ate == pytest.approx(math.sqrt(best), rel=1e-5)


@pytest.mark.parametrize(("alignment", "zero"), [("7dof", True), ("6dof", False), ("none", False)])
def test_a_moved_and_scaled_copy(wandering_path, alignment: str, zero: bool) -> None:
    ground_truth = wandering_path(150, 5)
    moved = np.tile(np.eye(4), (150, 1, 1))
    rotation = Rotation.from_rotvec([0.3, -2.0, 0.5]).as_matrix()
    moved[:, :3, :3] = rotation @ ground_truth[:, :3, :3]
    moved[:, :3, 3] = 0.3 * ground_truth[:, :3, 3] @ rotation.T + [4, 5, 6]
    result = evaluate_odometry(trajectory(moved), trajectory(ground_truth), alignment)
    assert (result["ate_m"] < 1e-6) == zero
    assert (result["t_err_percent"] < 1e-6) == zero
    # The angle is computed well near zero: an arc cosine would give about 1e-6 here.
    assert result["r_err_deg_per_100m"] < 1e-9


def test_constant_drift_by_hand() -> None:
    """A straight path of 250 m whose estimate is 2 % too long."""
    ground_truth = np.tile(np.eye(4), (251, 1, 1))
    ground_truth[:, 2, 3] = np.arange(251)
    estimate = ground_truth.copy()
    estimate[:, 2, 3] *= 1.02
    result = evaluate_odometry(trajectory(estimate), trajectory(ground_truth), "none")
    # The end is the first frame farther than the length: 101 m and 201 m.
    series = result.series["t_err_percent_by_length_m"]
    assert list(series) == ["100", "200"]
    assert series["100"] == pytest.approx(2.02)
    assert series["200"] == pytest.approx(2.01)
    # Starts at 0, 10, ..., 140 for 100 m, and 0 ... 40 for 200 m.
    assert result["segments"] == 15 + 5
    assert result["t_err_percent"] == pytest.approx((15 * 2.02 + 5 * 2.01) / 20)
    assert result["rpe_m"] == pytest.approx(0.02)
    assert result["ate_m"] == pytest.approx(0.02 * math.sqrt(np.mean(np.arange(251.0) ** 2)))


def test_snippet_ate_by_hand() -> None:
    ground_truth = np.tile(np.eye(4), (6, 1, 1))
    ground_truth[:, 2, 3] = [0, 1, 2, 3, 4, 5]
    estimate = ground_truth.copy()
    estimate[:, 2, 3] = [0, 10, 20, 30, 40, 60]
    # First snippet: a perfect line. Second: x = 10, 20, 30, 50 against 1, 2, 3, 4.
    x, y = np.array([10, 20, 30, 50]), np.array([1, 2, 3, 4])
    second = math.sqrt(np.sum((x * (x @ y) / (x @ x) - y) ** 2)) / 5
    result = evaluate_odometry(trajectory(estimate), trajectory(ground_truth))
    assert result["snippet_ate_5_frames_m"] == pytest.approx(second / 2)
    estimate[:] = np.eye(4)
    still = evaluate_odometry(trajectory(estimate), trajectory(ground_truth), "none")
    assert still["snippet_ate_5_frames_m"] == pytest.approx(math.sqrt(30) / 5)
