"""Matching an estimate with the ground truth, against searches of all pairs."""

import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.io.association import associate
from vode.io.trajectory import Trajectory


def random_poses(count: int, seed: int = 0) -> torch.Tensor:
    poses = torch.eye(4).repeat(count, 1, 1)
    poses[:, :3, 3] = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return poses


def at(*timestamps: float) -> Trajectory:
    return Trajectory(random_poses(len(timestamps)), torch.tensor(timestamps))


def test_match_by_index() -> None:
    ground_truth = Trajectory(random_poses(5, 1))
    estimate = Trajectory(random_poses(4, 2), indices=torch.tensor([1, 3, 4, 9]))
    matches = associate(estimate, ground_truth)
    assert matches.by == "index"
    assert matches.ground_truth_rows.tolist() == [1, 3, 4]
    assert torch.equal(matches.ground_truth.poses, ground_truth.poses[[1, 3, 4]])
    assert torch.equal(matches.estimate.poses, estimate.poses[:3])


def test_match_by_nearest_time_each_truth_once() -> None:
    ground_truth = at(0, 0.1, 0.2, 0.3)
    # 0.095 and 0.102 both want 0.1: the nearer has it; 0.25 is too far from both.
    estimate = at(0.001, 0.095, 0.102, 0.25, 0.31, 5)
    matches = associate(estimate, ground_truth)
    assert matches.by == "time"
    assert matches.estimate.timestamps.tolist() == pytest.approx([0.001, 0.102, 0.31])
    assert matches.ground_truth_rows.tolist() == [0, 1, 3]
    assert len(associate(estimate, ground_truth, max_difference=10).ground_truth) == 4


def test_match_by_time_against_a_search_of_all_pairs() -> None:
    generator = torch.Generator().manual_seed(0)
    ground_truth = at(*torch.rand(200, generator=generator).sort().values.tolist())
    estimate = at(*torch.rand(150, generator=generator).sort().values.tolist())
    wanted = {}
    for row, timestamp in enumerate(estimate.timestamps.tolist()):
        gaps = [abs(timestamp - other) for other in ground_truth.timestamps.tolist()]
        best = int(np.argmin(gaps))
        if gaps[best] <= 0.004 and (best not in wanted or gaps[best] < wanted[best][0]):
            wanted[best] = (gaps[best], row)
    matches = associate(estimate, ground_truth, max_difference=0.004)
    expected = sorted((row, best) for best, (_, row) in wanted.items())
    assert matches.ground_truth_rows.tolist() == [best for _, best in expected]
    assert torch.equal(matches.estimate.timestamps, estimate.timestamps[[row for row, _ in expected]])


def test_timestamps_on_one_side_alone_mean_matching_by_index() -> None:
    assert associate(at(0, 1, 2), Trajectory(random_poses(3))).by == "index"
    assert associate(at(0, 1, 2), at(0, 1, 2), by="index").by == "index"
    with pytest.raises(InputError, match="no timestamps"):
        associate(at(0, 1), Trajectory(random_poses(2), name="truth.txt"), by="time")
    with pytest.raises(ValueError, match="by is"):
        associate(at(0), at(0), by="name")


def test_nothing_matches() -> None:
    estimate = Trajectory(random_poses(2), indices=torch.tensor([10, 11]), name="estimate.txt")
    with pytest.raises(InputError, match=r"estimate\.txt: no frame matches truth\.txt by index"):
        associate(estimate, Trajectory(random_poses(3), name="truth.txt"))
    with pytest.raises(InputError, match="check the clocks"):
        associate(at(100, 101), at(0, 1))
    for empty in (Trajectory(random_poses(0)), Trajectory(random_poses(0), torch.zeros(0))):
        with pytest.raises(InputError, match="no frame matches"):
            associate(empty, at(0, 1))
        with pytest.raises(InputError, match="no frame matches"):
            associate(at(0, 1), empty)
