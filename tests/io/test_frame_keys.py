"""Which poses of two trajectories belong together where the files do not say it alike, and when that is asked."""

import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.io.association import associate
from vode.io.frame_keys import with_times
from vode.io.trajectory import Trajectory, read_trajectory
from vode.io.trajectory_formats.clock import Times

FRAMES = 60
TIMES = torch.tensor(0.1036 * np.arange(FRAMES) + 0.001 * np.random.default_rng(0).normal(size=FRAMES)).sort().values


def path(rows=slice(None)) -> torch.Tensor:
    """Poses whose z is the frame number."""
    poses = torch.eye(4, dtype=torch.float64).repeat(FRAMES, 1, 1)
    poses[:, 2, 3] = torch.arange(FRAMES)
    return poses[rows]


@pytest.fixture
def rows(tmp_path):
    """Function (rows, name) that gives the trajectory of a KITTI file of those poses."""

    def read(which=slice(None), name="rows.txt") -> Trajectory:
        Trajectory(path(which)).write_kitti(tmp_path / name)
        return read_trajectory(tmp_path / name)

    return read


@pytest.fixture
def stamped(tmp_path):
    """Function (timestamps, rows, name) that gives the trajectory of a TUM file of those poses."""

    def read(timestamps, which=slice(None), name="stamped.txt") -> Trajectory:
        Trajectory(path(which), timestamps).write_tum(tmp_path / name)
        return read_trajectory(tmp_path / name)

    return read


def frames(matches) -> tuple[list[float], list[float]]:
    """The frames that were matched, as the positions of both tell."""
    return matches.estimate.positions[:, 2].tolist(), matches.ground_truth.positions[:, 2].tolist()


def refusal(estimate, ground_truth, **options) -> InputError:
    with pytest.raises(InputError) as error:
        associate(estimate, ground_truth, **options)
    return error.value


def test_times_beside_rows_without_times_are_refused(rows, stamped) -> None:
    for estimate, ground_truth in (
        (stamped(TIMES[::3], slice(None, None, 3)), rows()),
        (rows(slice(None, None, 3)), stamped(TIMES)),
        (rows(slice(0, 50)), stamped(TIMES)),
    ):
        error = refusal(estimate, ground_truth)
        assert "has times" in str(error)
        assert "KITTI's times.txt" in str(error)
        assert error.parameters == ("times",)
    assert "by" in refusal(rows(slice(0, 5)), stamped(TIMES), by="time").parameters


def test_the_times_of_the_frames_settle_it(rows, stamped) -> None:
    clock = Times(TIMES, "seconds")
    estimate = stamped(TIMES[::3], slice(None, None, 3))
    matches = associate(estimate, with_times(rows(), clock, "times.txt"))
    assert frames(matches) == (list(range(0, FRAMES, 3)),) * 2
    assert matches.by == "time"
    assert with_times(estimate, clock, "times.txt") is estimate
    numbered = stamped(torch.arange(0, FRAMES, 2), slice(None, None, 2))
    timed = with_times(numbered, clock, "times.txt")
    assert torch.equal(timed.timestamps, TIMES[::2])
    assert "taken as frame numbers of times.txt" in timed.provenance.notes[-1]
    assert frames(associate(timed, stamped(TIMES, name="truth.txt"))) == (list(range(0, FRAMES, 2)),) * 2
    with pytest.raises(InputError, match=r"rows\.txt: 20 poses that do not say of which frames.* 60 of times\.txt"):
        with_times(rows(slice(None, None, 3)), clock, "times.txt")
    with pytest.raises(InputError, match=r"times\.txt: 59 times, but .* has a frame 59"):
        with_times(rows(), Times(TIMES[:-1], "seconds"), "times.txt")


def test_whole_timestamps_are_frame_numbers_and_it_is_said(rows, stamped) -> None:
    every_second = stamped(torch.arange(0, FRAMES, 2), slice(None, None, 2))
    for by in ("auto", "index"):
        matches = associate(every_second, rows(), by=by)
        assert frames(matches) == (list(range(0, FRAMES, 2)),) * 2
        assert matches.by == "index"
        assert "whole numbers, taken as the frame numbers" in matches.notes[0]
    matches = associate(rows(slice(0, FRAMES - 2)), stamped(torch.arange(FRAMES)))
    assert frames(matches) == (list(range(FRAMES - 2)),) * 2
    assert refusal(stamped(torch.arange(30, 90), slice(None)), rows(slice(0, 55))).parameters == ("times",)
    from_one = stamped(torch.arange(1, FRAMES + 1), name="from_one.txt")
    assert frames(associate(from_one, rows())) == (list(range(FRAMES)),) * 2
    assert refusal(from_one.select(torch.arange(0, FRAMES, 2) + 1), rows()).parameters == ("times",)


def test_whole_timestamps_that_end_early_may_be_seconds(rows, stamped) -> None:
    one_a_second = stamped(torch.arange(6), slice(None, None, 10))
    for pair in ((one_a_second, rows()), (rows(), one_a_second)):
        error = refusal(*pair)
        assert "whole numbers up to 5, seconds or frame numbers of the 60" in str(error)
        assert error.parameters == ("times", "by")
    assert frames(associate(one_a_second, rows(), by="index"))[1] == [0, 1, 2, 3, 4, 5]
    clock = Times(0.1 * torch.arange(FRAMES, dtype=torch.float64), "seconds")
    settled = with_times(one_a_second, clock, "times.txt"), with_times(rows(), clock, "times.txt")
    early = one_a_second.select(torch.arange(4))
    with pytest.raises(InputError, match="seconds or frame numbers"):
        with_times(early, clock, "times.txt")
    assert with_times(early, clock, "times.txt", "time").timestamps.tolist() == [0, 1, 2, 3]
    assert with_times(early, clock, "times.txt", "index").timestamps.tolist() == pytest.approx([0, 0.1, 0.2, 0.3])
    assert frames(associate(*settled)) == ([0, 10, 20, 30, 40, 50],) * 2


def test_whole_timestamps_beside_seconds_are_asked_about(stamped) -> None:
    ground_truth = stamped(TIMES, name="truth.txt")
    error = refusal(stamped(torch.arange(0, FRAMES, 2), slice(None, None, 2)), ground_truth)
    assert "whole numbers, as of frames" in str(error)
    assert error.parameters == ("times", "by")
    few = stamped(torch.arange(5), slice(0, 5))
    assert "may be seconds or frame numbers" in str(refusal(few, ground_truth))
    assert frames(associate(few, ground_truth, by="index")) == ([0, 1, 2, 3, 4],) * 2
    assert frames(associate(few, ground_truth, by="time", max_difference=0.05))[1] == [0, 10, 19, 29, 39]
    # the first frames of a ground truth whose frame numbers are known, as a data set's are
    known = Trajectory(path(), TIMES, range(FRAMES))
    matches = associate(stamped(torch.arange(0, FRAMES, 2), slice(None, None, 2)), known)
    assert frames(matches) == (list(range(0, FRAMES, 2)),) * 2
    # one a second, over the whole of the same time
    seconds = [int(np.abs(TIMES.numpy() - t).argmin()) for t in range(7)]
    matches = associate(stamped(torch.arange(7), seconds), ground_truth, max_difference=0.06)
    assert matches.by == "time"
    assert frames(matches) == (seconds, seconds)


def test_as_many_rows_are_matched_in_order_and_it_is_said(rows, stamped) -> None:
    for pair in ((stamped(TIMES), rows()), (rows(), stamped(TIMES)), (stamped(torch.arange(FRAMES) * 7), rows())):
        matches = associate(*pair)
        assert frames(matches) == (list(range(FRAMES)),) * 2
        assert "60 poses each, which are matched in order" in matches.notes[0]


def test_rows_that_may_be_every_nth_frame_are_asked_about(rows, tmp_path) -> None:
    for step in (2, 3, 10):
        few = rows(slice(None, None, step), "few.txt")
        for pair in ((few, rows()), (rows(), few)):
            assert "do not say of which frames they are" in str(refusal(*pair))
            assert frames(associate(*pair, by="index"))[0] == (
                list(range(0, FRAMES, step)) if pair[0] is few else list(range(len(few)))
            )
    # those that begin late, or lost some
    lost = torch.arange(FRAMES)[torch.arange(FRAMES) % 3 != 0]
    for some in (slice(9, None), slice(0, FRAMES - 3), lost):
        assert refusal(rows(some, "some.txt"), rows()).parameters == ("times", "by")
    assert len(associate(rows(slice(0, FRAMES - 2), "most.txt"), rows()).estimate) == FRAMES - 2
    Trajectory(path(slice(None, None, 3)), indices=range(0, FRAMES, 3)).write_kitti(tmp_path / "numbered.txt")
    assert frames(associate(read_trajectory(tmp_path / "numbered.txt"), rows())) == (list(range(0, FRAMES, 3)),) * 2
    np.save(tmp_path / "poses.npy", path(slice(None, None, 3)).numpy())
    assert refusal(read_trajectory(tmp_path / "poses.npy"), rows()).parameters == ("times", "by")


@pytest.mark.parametrize(("unit", "factor"), [("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9)])
def test_times_in_another_unit_beside_seconds_are_recognised_and_said(stamped, unit, factor) -> None:
    ground_truth = stamped(TIMES, name="truth.txt")
    other = stamped((TIMES[::3] * factor).round(), slice(None, None, 3))
    for pair in ((other, ground_truth), (ground_truth, other)):
        matches = associate(*pair)
        assert frames(matches) == (list(range(0, FRAMES, 3)),) * 2
        assert any(unit in note for note in (*matches.notes, *other.provenance.notes))


@pytest.mark.parametrize(("factor", "unit"), [(1e3, "milliseconds"), (1e6, "microseconds")])
@pytest.mark.parametrize("whole", [True, False])
def test_a_clip_in_another_unit_beside_a_long_video_is_recognised(factor, unit, whole) -> None:
    clip, long = torch.arange(300, dtype=torch.float64) / 30, torch.arange(10000, dtype=torch.float64) * 0.01
    poses = torch.eye(4, dtype=torch.float64)
    scaled, scaled_long = clip * factor, long * factor
    if whole:
        scaled, scaled_long = scaled.round(), scaled_long.round()
    seconds = Trajectory(poses.repeat(10000, 1, 1), long)
    matches = associate(Trajectory(poses.repeat(300, 1, 1), scaled), seconds)
    assert len(matches.estimate) == 300
    assert any(unit in note for note in matches.notes)
    np.testing.assert_allclose(matches.ground_truth.timestamps, clip, atol=0.0051)
    seconds = Trajectory(poses.repeat(300, 1, 1), clip)
    matches = associate(seconds, Trajectory(poses.repeat(10000, 1, 1), scaled_long))
    assert len(matches.estimate) == 300
    assert any(unit in note for note in matches.notes)


def test_frame_numbers_from_1_beside_rows_are_refused(rows) -> None:
    numbered = Trajectory(path(), indices=torch.arange(FRAMES) + 1, name="numbered")
    error = refusal(numbered, rows())
    assert "numbered: frames 1 to 60, beside 60 of" in str(error)
    assert error.parameters == ("by",)
    assert refusal(rows(), numbered).parameters == ("by",)
    assert len(associate(numbered, rows(), by="index").estimate) == FRAMES - 1
    late = Trajectory(path(slice(10, None)), indices=torch.arange(10, FRAMES))
    assert frames(associate(late, rows())) == (list(range(10, FRAMES)),) * 2


def test_few_poses_that_match_by_chance_are_refused() -> None:
    poses = torch.eye(4, dtype=torch.float64)
    truth = Trajectory(poses.repeat(10000, 1, 1), torch.arange(10000, dtype=torch.float64) * 0.01, name="truth")
    ticks = Trajectory(poses.repeat(90, 1, 1), torch.arange(90, dtype=torch.float64) * 333667)
    error = refusal(ticks, truth)
    assert "1 poses have one of truth within 0.02 s, of 90 and 10000" in str(error)
    assert error.parameters == ("by", "time_offset")
    assert len(associate(ticks, truth, by="time").estimate) == 1


def test_clocks_that_do_not_agree_are_refused(stamped) -> None:
    ground_truth = stamped(TIMES, name="truth.txt")
    apart = stamped(TIMES + 0.05)
    error = refusal(apart, ground_truth)
    assert error.parameters == ("time_offset", "max_time_difference")
    assert frames(associate(apart.shifted(-0.05), ground_truth)) == (list(range(FRAMES)),) * 2
    with pytest.raises(InputError, match="no timestamps to add"):
        Trajectory(path()).shifted(1)
    faster = stamped(torch.arange(FRAMES) / 30 + 0.0001, name="faster.txt")
    assert "though both have 60" in str(refusal(faster, ground_truth))
    assert associate(faster, ground_truth, by="time").by == "time"
    for limit in (-1, float("nan")):
        assert refusal(apart, ground_truth, max_difference=limit).parameters == ("max_time_difference",)
