"""Trajectories, their files and errors in them."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.errors import InputError
from vode.io.trajectory import Trajectory, as_trajectory, read_trajectory


def random_poses(count: int, seed: int = 0) -> torch.Tensor:
    generator = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = Rotation.random(count, rng=generator).as_matrix()
    poses[:, :3, 3] = generator.normal(size=(count, 3)) * 100
    return torch.from_numpy(poses)


IDENTITY = "1 0 0 0 0 1 0 0 0 0 1 0"


def test_kitti_row_is_the_upper_part_of_the_matrix_row_by_row(tmp_path) -> None:
    path = tmp_path / "pose.txt"
    path.write_text("0 -1 0 10 1 0 0 20 0 0 1 30\n")
    expected = [[0, -1, 0, 10], [1, 0, 0, 20], [0, 0, 1, 30], [0, 0, 0, 1]]
    trajectory = read_trajectory(path)
    assert trajectory.poses.tolist() == [expected]
    assert trajectory.poses.dtype == torch.float64
    assert trajectory.timestamps is None


def test_tum_row_against_scipy(tmp_path) -> None:
    path = tmp_path / "pose.txt"
    path.write_text("# timestamp tx ty tz qx qy qz qw\n1305031225.9334 1.3 0.6 1.6 0.6504 0.6012 -0.3056 -0.3496\n")
    trajectory = read_trajectory(path)
    rotation = Rotation.from_quat([0.6504, 0.6012, -0.3056, -0.3496]).as_matrix()
    np.testing.assert_allclose(trajectory.poses[0, :3, :3], rotation, atol=1e-12)
    assert trajectory.positions[0].tolist() == [1.3, 0.6, 1.6]
    assert trajectory.timestamps.tolist() == [1305031225.9334]


@pytest.mark.parametrize("gaps", [False, True])
def test_kitti_round_trip_is_exact(tmp_path, gaps: bool) -> None:
    indices = torch.tensor([2, 3, 7, 8]) if gaps else None
    trajectory = Trajectory(random_poses(4), indices=indices)
    trajectory.write_kitti(tmp_path / "pose.txt")
    again = read_trajectory(tmp_path / "pose.txt")
    assert len((tmp_path / "pose.txt").read_text().split("\n")[0].split()) == (13 if gaps else 12)
    assert torch.equal(again.poses, trajectory.poses)
    assert torch.equal(again.indices, trajectory.indices)
    trajectory.write_kitti(tmp_path / "plain.txt", with_index=False)
    assert read_trajectory(tmp_path / "plain.txt").indices.tolist() == [0, 1, 2, 3]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plain.txt", "pose.txt"]


def test_tum_round_trip(tmp_path) -> None:
    timestamps = 1305031225.9334 + torch.arange(50, dtype=torch.float64) / 30
    trajectory = Trajectory(random_poses(50), timestamps)
    trajectory.write_tum(tmp_path / "pose.txt")
    again = read_trajectory(tmp_path / "pose.txt")
    assert torch.equal(again.timestamps, timestamps)
    torch.testing.assert_close(again.poses, trajectory.poses, atol=1e-12, rtol=0)
    table = np.loadtxt(tmp_path / "pose.txt")
    np.testing.assert_allclose(Rotation.from_quat(table[:, 4:]).as_matrix(), trajectory.poses[:, :3, :3], atol=1e-12)


def test_real_files(real_data) -> None:
    ground_truth = read_trajectory(real_data / "kitti_odometry" / "poses" / "09.txt")
    assert len(ground_truth) == 1591
    assert ground_truth.distances()[-1] == pytest.approx(1705, abs=1)
    estimate = read_trajectory(real_data / "trajectories" / "orb_slam2" / "09.txt")
    assert (len(estimate), int(estimate.indices[0])) == (1589, 2)
    tum = read_trajectory(real_data / "tum" / "rgbd_dataset_freiburg1_rpy" / "groundtruth.txt")
    assert (tum.timestamps.diff() > 0).all()


def test_rows_of_nan_are_dropped_and_counted(tmp_path) -> None:
    path = tmp_path / "pose.txt"
    path.write_text("\n".join([IDENTITY, " ".join(["nan"] * 12), IDENTITY, IDENTITY.replace("1", "inf", 1)]))
    trajectory = read_trajectory(path)
    assert trajectory.indices.tolist() == [0, 2]
    assert trajectory.dropped == 2
    path.write_text("0 1 2 3 0 0 0 1\n0.1 1 2 3 0 0 0 0\n0.2 1 2 3 nan 0 0 0\n")
    trajectory = read_trajectory(path)
    assert (trajectory.timestamps.tolist(), trajectory.dropped) == ([0], 2)


def test_rows_are_sorted(tmp_path) -> None:
    path = tmp_path / "pose.txt"
    path.write_text("".join(f"{index} {IDENTITY[:-1]}{index}\n" for index in (5, 1, 3.0)))
    trajectory = read_trajectory(path)
    assert trajectory.indices.tolist() == [1, 3, 5]
    assert trajectory.positions[:, 2].tolist() == [1, 3, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{IDENTITY}\n1 0 0 x 0 1 0 0 0 0 1 0\n", r"pose\.txt:2: not a number"),
        (f"# head\n\n{IDENTITY} 3 4\n", r"pose\.txt:3: 14 columns"),
        (f"{IDENTITY}\n0 {IDENTITY}\n", r"pose\.txt:2: 13 columns after rows of 12"),
        (f"0 {IDENTITY}\n1.5 {IDENTITY}\n", r"pose\.txt:2: frame index 1\.5"),
        (f"0 {IDENTITY}\n-1 {IDENTITY}\n", r"pose\.txt:2: frame index -1"),
        (f"0 {IDENTITY}\n1e300 {IDENTITY}\n", r"pose\.txt:2: frame index 1e\+300"),
        (f"7 {IDENTITY}\n3 {IDENTITY}\n7 {IDENTITY}\n", r"pose\.txt:3: the same frame"),
        ("0 1 2 3 0 0 0 1\n0 1 2 3 0 0 0 1\n", r"pose\.txt:2: the same time"),
        (f"{IDENTITY}\n2 0 0 0 0 2 0 0 0 0 2 0\n", r"pose\.txt:2: the 3x3 part is no rotation"),
        ("-1 0 0 0 0 1 0 0 0 0 1 0\n", r"pose\.txt:1: the 3x3 part is no rotation"),
        ("nan " * 12, r"pose\.txt: all 1 poses are NaN"),
        ("", r"pose\.txt: no poses"),
        ("# only a comment\n\n", r"pose\.txt: no poses"),
    ],
)
def test_errors_name_file_and_line(tmp_path, text: str, message: str) -> None:
    (tmp_path / "pose.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        read_trajectory(tmp_path / "pose.txt")


def test_files_that_cannot_be_read_or_written(tmp_path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_trajectory(tmp_path / "absent.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_trajectory(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(InputError, match="not a text file"):
        read_trajectory(tmp_path / "picture.png")
    with pytest.raises(InputError, match="cannot be written"):
        Trajectory(random_poses(2)).write_kitti(tmp_path / "absent" / "pose.txt")
    with pytest.raises(InputError, match="no timestamps"):
        Trajectory(random_poses(2)).write_tum(tmp_path / "pose.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["picture.png"]


def test_a_trajectory_checks_its_shapes() -> None:
    with pytest.raises(ValueError, match=r"\(N, 4, 4\)"):
        Trajectory(torch.eye(4))
    with pytest.raises(ValueError, match="as many timestamps"):
        Trajectory(random_poses(3), torch.zeros(2))
    with pytest.raises(ValueError, match="as many indices"):
        Trajectory(random_poses(3), indices=torch.zeros(4))


def test_a_trajectory_of_arrays() -> None:
    poses = random_poses(4).numpy()
    trajectory = Trajectory(poses[::-1], timestamps=np.arange(4) / 10, indices=[5, 6, 7, 9])
    assert torch.equal(trajectory.poses, torch.from_numpy(poses).flip(0))
    assert (trajectory.timestamps.tolist(), trajectory.indices.tolist()) == ([0, 0.1, 0.2, 0.3], [5, 6, 7, 9])
    assert (trajectory.poses.dtype, trajectory.indices.dtype) == (torch.float64, torch.int64)
    poses[:] = 0
    assert trajectory.poses.abs().sum() > 0
    with pytest.raises(ValueError, match=r"\(N, 4, 4\), not \(4, 3, 4\)"):
        Trajectory(poses[:, :3])


def test_trajectories_from_whatever_holds_them(tmp_path) -> None:
    poses = random_poses(5)
    given = Trajectory(poses, name="mine")
    assert as_trajectory(given) is given
    given.write_kitti(tmp_path / "pose.txt")
    for source in (tmp_path / "pose.txt", str(tmp_path / "pose.txt"), poses, poses.numpy()):
        assert torch.equal(as_trajectory(source).poses, poses)
    broken = poses.clone()
    broken[1, 0, 0], broken[3, 0, 3] = float("nan"), float("inf")
    found = as_trajectory(broken, "estimate")
    assert (found.indices.tolist(), found.dropped, found.name) == ([0, 2, 4], 2, "estimate")
    broken[4, 3] = torch.tensor([0, 0, 1.0, 0])
    with pytest.raises(InputError, match="estimate: pose 4 is no rigid motion"):
        as_trajectory(broken, "estimate")
    with pytest.raises(InputError, match="estimate: all 5 poses are NaN"):
        as_trajectory(poses * float("nan"), "estimate")


def test_distances_and_start_at_identity() -> None:
    poses = torch.eye(4).repeat(3, 1, 1)
    poses[:, :3, 3] = torch.tensor([[1.0, 0, 0], [1, 3, 4], [1, 3, 5]])
    assert Trajectory(poses).distances().tolist() == [0, 5, 6]
    assert Trajectory(poses[:0]).distances().tolist() == []
    trajectory = Trajectory(random_poses(5))
    moved = trajectory.from_first().poses
    expected = np.linalg.inv(trajectory.poses[0].numpy()) @ trajectory.poses.numpy()
    torch.testing.assert_close(moved[0], torch.eye(4, dtype=torch.float64), atol=1e-14, rtol=0)
    np.testing.assert_allclose(moved, expected, atol=1e-10)
