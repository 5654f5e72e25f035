"""Trajectory files of other programs, scored: the right figures, or the reason why there are none."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.errors import InputError
from vode.evaluation.odometry import evaluate_odometry
from vode.evaluation.odometry_notes import turns, why_no_rotations
from vode.io.trajectory import Provenance, Trajectory, read_trajectory

KEYS = ("t_err_percent", "r_err_deg_per_100m", "ate_m")
ROTATIONAL = ("t_err_percent", "r_err_deg_per_100m", "rpe_m", "rpe_deg", "snippet_ate_5_frames_m")
TIMES = 0.1036 * np.arange(260)


@pytest.fixture
def files(wandering_path, disturbed, tmp_path):
    """A folder with the truth and an odometry of 260 frames, in KITTI and in TUM rows, and their times."""
    truth = wandering_path(260, 3)
    for name, poses in (("truth", truth), ("estimate", disturbed(truth, 4))):
        Trajectory(poses).write_kitti(tmp_path / f"{name}.txt")
        Trajectory(poses, TIMES).write_tum(tmp_path / f"{name}_tum.txt")
        Trajectory(poses[::3], TIMES[::3]).write_tum(tmp_path / f"{name}_third.txt")
        Trajectory(poses[::3]).write_kitti(tmp_path / f"{name}_third_rows.txt")
        Trajectory(poses[::2], np.arange(0, 260, 2)).write_tum(tmp_path / f"{name}_numbers.txt")
    np.savetxt(tmp_path / "times.txt", TIMES)
    return tmp_path


def test_every_third_pose_is_scored_by_time_or_not_at_all(files) -> None:
    expected = evaluate_odometry(files / "estimate_third.txt", files / "truth_third.txt")
    for truth, options in (("truth_tum.txt", {}), ("truth.txt", {"times": files / "times.txt"})):
        result = evaluate_odometry(files / "estimate_third.txt", files / truth, **options)
        assert [result[key] for key in KEYS] == pytest.approx([expected[key] for key in KEYS], rel=1e-6)
        assert result["frames"] == 87
    assert evaluate_odometry(files / "estimate_third.txt", files / "truth.txt", times=TIMES)["frames"] == 87
    for estimate, truth in (
        ("estimate_third.txt", "truth.txt"),
        ("estimate_third_rows.txt", "truth_tum.txt"),
        ("estimate_third_rows.txt", "truth.txt"),
    ):
        with pytest.raises(InputError) as error:
            evaluate_odometry(files / estimate, files / truth)
        assert "times" in error.value.parameters


def test_timestamps_that_are_frame_numbers(files) -> None:
    numbered = Trajectory(read_trajectory(files / "estimate.txt").poses[::2], indices=range(0, 260, 2))
    expected = evaluate_odometry(numbered, files / "truth.txt")
    result = evaluate_odometry(files / "estimate_numbers.txt", files / "truth.txt")
    assert [result[key] for key in KEYS] == pytest.approx([expected[key] for key in KEYS], rel=1e-6)
    assert (result["frames"], result["rpe_m"]) == (130, None)
    assert any("taken as the frame numbers" in note for note in result.notes)
    # a ground truth of every second frame has no consecutive ones either
    assert evaluate_odometry(files / "estimate.txt", files / "truth_numbers.txt")["rpe_m"] is None


def test_an_offset_between_the_clocks(files) -> None:
    late = files / "late.txt"
    poses = np.loadtxt(files / "estimate_tum.txt")
    np.savetxt(late, poses + np.array([5.04, *[0] * 7]))
    expected = evaluate_odometry(files / "estimate_tum.txt", files / "truth_tum.txt")
    result = evaluate_odometry(late, files / "truth_tum.txt", time_offset=-5.04)
    assert [result[key] for key in KEYS] == pytest.approx([expected[key] for key in KEYS])
    with pytest.raises(InputError) as error:
        evaluate_odometry(late, files / "truth_tum.txt")
    assert "time_offset" in error.value.parameters


@pytest.mark.parametrize("quaternion", ["0 0 0 1", "0 0 0 0", "0.5 0.5 0.5 0.5", "nan nan nan nan"])
def test_a_ground_truth_without_rotations_gives_the_ate_alone(files, quaternion) -> None:
    rows = [line.split()[:4] for line in (files / "truth_tum.txt").read_text().splitlines()[1:]]
    (files / "gps.txt").write_text("".join(f"{' '.join(row)} {quaternion}\n" for row in rows))
    expected = evaluate_odometry(files / "estimate_tum.txt", files / "truth_tum.txt")
    for pair in (("estimate_tum.txt", "gps.txt"), ("gps.txt", "truth_tum.txt")):
        result = evaluate_odometry(*(files / name for name in pair))
        assert [result[key] for key in ROTATIONAL] == [None] * 5
        assert any(note.startswith("ATE alone: all") for note in result.notes)
        assert any("0 0 0 0" in note for note in result.notes) == (quaternion == "0 0 0 0")
    result = evaluate_odometry(files / "estimate_tum.txt", files / "gps.txt")
    assert result["ate_m"] == pytest.approx(expected["ate_m"], rel=1e-6)
    assert (result["segments"], result.series["t_err_percent_by_length_m"]) == (0, {})
    for alignment in ("none", "scale", "scale_7dof"):
        with pytest.raises(InputError, match="align by 6dof or 7dof"):
            evaluate_odometry(files / "estimate_tum.txt", files / "gps.txt", alignment)


def test_rotations_that_are_noise_about_one_are_none(wandering_path) -> None:
    poses = wandering_path(200, 0)
    assert turns(torch.tensor(poses[:, :3, 3]))
    noise = np.random.default_rng(0).normal(scale=1e-3, size=(200, 3))
    poses[:, :3, :3] = Rotation.from_rotvec(noise + np.array([0.3, -0.2, 1])).as_matrix()
    assert "all 200 rotations of trajectory are the same" in str(why_no_rotations(Trajectory(poses)))
    assert why_no_rotations(Trajectory(poses, provenance=Provenance(computed=True))) is None
    # a camera that is held still but for a slow turn has rotations
    poses[:, :3, :3] = Rotation.from_rotvec(np.linspace(0, 0.02, 200)[:, None] * [0, 1, 0] + noise / 10).as_matrix()
    assert why_no_rotations(Trajectory(poses)) is None


def test_a_camera_that_goes_straight_need_not_turn(wandering_path) -> None:
    straight = np.tile(np.eye(4), (200, 1, 1))
    straight[:, 2, 3] = np.arange(200)
    straight[:, 0, 3] = np.random.default_rng(0).normal(size=200) * 0.3
    assert not turns(torch.tensor(straight[:, :3, 3]))
    assert why_no_rotations(Trajectory(straight)) is None
    assert why_no_rotations(Trajectory(wandering_path(200, 0))) is None
    still = np.tile(np.eye(4), (20, 1, 1))
    assert why_no_rotations(Trajectory(still)) is None
