"""Odometry measures of real trajectories, of files and of what does not match, by known figures."""

import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.evaluation.odometry import (
    ALIGNMENTS,
    align,
    evaluate_odometry,
)
from vode.io.trajectory import Trajectory, read_trajectory

KEYS = ("t_err_percent", "r_err_deg_per_100m", "ate_m", "rpe_m", "rpe_deg")


def trajectory(poses: np.ndarray, frames: list[int] | None = None, **fields) -> Trajectory:
    indices = None if frames is None else torch.tensor(frames)
    return Trajectory(torch.from_numpy(np.asarray(poses)), indices=indices, **fields)


def test_trajectories_files_and_arrays_score_alike(wandering_path, disturbed, tmp_path) -> None:
    ground_truth = wandering_path(150, 11)
    estimate = disturbed(ground_truth, 12)
    for name, poses in (("estimate", estimate), ("truth", ground_truth)):
        trajectory(poses).write_kitti(tmp_path / f"{name}.txt")
    expected = evaluate_odometry(trajectory(estimate), trajectory(ground_truth))
    for pair in (
        (estimate, ground_truth),
        (torch.from_numpy(estimate), str(tmp_path / "truth.txt")),
        (tmp_path / "estimate.txt", torch.from_numpy(ground_truth).float().double()),
    ):
        result = evaluate_odometry(*pair)
        assert [result[key] for key in KEYS] == pytest.approx([expected[key] for key in KEYS], rel=1e-4)
    assert result.protocol["estimate"] == str(tmp_path / "estimate.txt")
    estimate[[3, 7]] = np.nan
    result = evaluate_odometry(estimate, ground_truth)
    assert (result["frames"], result["frames_dropped"]) == (148, 2)
    with pytest.raises(InputError, match="estimate: pose 9 is no rigid motion"):
        evaluate_odometry(estimate * np.where(np.arange(150) == 9, 2, 1)[:, None, None], ground_truth)
    with pytest.raises(InputError, match="ground truth: all 150 poses are NaN"):
        evaluate_odometry(estimate, np.full_like(ground_truth, np.nan))


def test_short_trajectories_say_what_cannot_be_measured(wandering_path, disturbed) -> None:
    ground_truth = wandering_path(20, 0)
    result = evaluate_odometry(trajectory(disturbed(ground_truth, 1)), trajectory(ground_truth))
    assert result["t_err_percent"] is None
    assert result["r_err_deg_per_100m"] is None
    assert result["ate_m"] > 0
    assert result["segments"] == 0
    assert any("no segment of 100 m" in note for note in result.notes)
    one = evaluate_odometry(trajectory(ground_truth[:1]), trajectory(ground_truth), "none")
    assert (one["ate_m"], one["rpe_m"], one["snippet_ate_5_frames_m"]) == (0, None, None)
    assert len(one.notes) == 4
    sparse = list(range(0, 20, 5))
    few = evaluate_odometry(trajectory(ground_truth[sparse], sparse), trajectory(ground_truth))
    assert few["rpe_m"] is None


def test_lengths_that_differ_and_lost_frames_are_stated(wandering_path, disturbed) -> None:
    ground_truth = wandering_path(120, 0)
    estimate = trajectory(disturbed(ground_truth, 1)[:100], dropped=3)
    result = evaluate_odometry(estimate, trajectory(ground_truth))
    assert (result["frames"], result["frames_in_estimate"], result["frames_in_ground_truth"]) == (100, 100, 120)
    assert result["frames_dropped"] == 3
    assert any(
        "100 frames matched by index: of 100 estimated, 120 in the ground truth" in note for note in result.notes
    )


def test_matched_by_time_against_a_denser_truth(wandering_path, disturbed) -> None:
    ground_truth = wandering_path(400, 2, speed=0.5)
    estimate = disturbed(ground_truth, 3)
    timestamps = torch.arange(400, dtype=torch.float64) / 100
    video = torch.arange(0, 400, 2)
    result = evaluate_odometry(
        Trajectory(torch.from_numpy(estimate)[video], timestamps[video] + 0.001),
        Trajectory(torch.from_numpy(ground_truth), timestamps),
    )
    expected = evaluate_odometry(trajectory(estimate[::2]), trajectory(ground_truth[::2]))
    assert result.protocol["matched_by"] == "time"
    assert result.protocol["segment_starts"] == "every 10th matched frame"
    keys = (*KEYS, "snippet_ate_5_frames_m", "segments")
    assert [result[key] for key in keys] == pytest.approx([expected[key] for key in keys])
    assert result["segments"] > 0


@pytest.mark.parametrize("alignment", [a for a in ALIGNMENTS if a != "none"])
def test_positions_that_are_all_the_same(wandering_path, alignment: str) -> None:
    ground_truth = wandering_path(20, 0)
    still = ground_truth.copy()
    still[:, :3, 3] = 7
    with pytest.raises(InputError, match=r"still\.txt: all 20 matched positions are the same"):
        evaluate_odometry(trajectory(still, name="still.txt"), trajectory(ground_truth), alignment)
    with pytest.raises(InputError, match=r"still\.txt: all 20"):
        evaluate_odometry(trajectory(ground_truth), trajectory(still, name="still.txt"), alignment)
    assert evaluate_odometry(trajectory(still), trajectory(ground_truth), "none")["ate_m"] > 0


def test_nothing_matches_or_an_unknown_alignment(wandering_path) -> None:
    ground_truth = wandering_path(20, 0)
    with pytest.raises(InputError, match="no frame matches"):
        evaluate_odometry(trajectory(ground_truth[:2], [50, 51]), trajectory(ground_truth))
    with pytest.raises(ValueError, match="alignment is one of"):
        align(trajectory(ground_truth), trajectory(ground_truth), "sim3")


@pytest.mark.parametrize(
    ("sequence", "t_err", "r_err", "ate", "segments"),
    [("09", 2.884, 0.2491, 8.39, 950), ("10", 3.298, 0.3046, 6.63, 456)],
)
def test_orb_slam2_on_kitti(real_data, sequence: str, t_err: float, r_err: float, ate: float, segments: int) -> None:
    """The published figures (2.88, 0.25, 8.39 and 3.30, 0.30, 6.63); both estimates start late."""
    files = (real_data / f"{folder}/{sequence}.txt" for folder in ("trajectories/orb_slam2", "kitti_odometry/poses"))
    result = evaluate_odometry(*files)
    assert result["segments"] == segments
    assert result["t_err_percent"] == pytest.approx(t_err, abs=5e-4)
    assert result["r_err_deg_per_100m"] == pytest.approx(r_err, abs=5e-5)
    assert result["ate_m"] == pytest.approx(ate, abs=5e-3)


def test_the_format_of_the_files_makes_no_difference(real_data, tmp_path) -> None:
    """An estimate that starts late scores the same by time, in TUM files, as by frame index."""
    files = [real_data / f"{folder}/10.txt" for folder in ("trajectories/orb_slam2", "kitti_odometry/poses")]
    for file, name in zip(files, ("estimate", "ground_truth"), strict=True):
        read = read_trajectory(file)
        Trajectory(read.poses, 100 + read.indices / 10).write_tum(tmp_path / name)
    by_index, by_time = (
        evaluate_odometry(*files),
        evaluate_odometry(tmp_path / "estimate", str(tmp_path / "ground_truth")),
    )
    assert (by_index.protocol["matched_by"], by_time.protocol["matched_by"]) == ("index", "time")
    assert by_time.protocol["segment_starts"] == "every 10th frame of the ground truth"
    for key in (*KEYS, "snippet_ate_5_frames_m", "segments"):
        assert by_time[key] == pytest.approx(by_index[key], rel=1e-6), key


def test_a_sequence_of_thousands_of_frames_is_its_own_ground_truth(real_data) -> None:
    ground_truth = read_trajectory(real_data / "kitti_odometry" / "poses" / "00.txt")
    result = evaluate_odometry(ground_truth, ground_truth)
    assert result["frames"] == 4541
    assert result["ate_m"] < 1e-6
