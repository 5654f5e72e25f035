"""Courses of the world that close are closed; places that only look alike, and loops that contradict, are not."""

import time
from dataclasses import replace

import pytest
import torch

from vode.geometry import similarity
from vode.geometry.pose import inverse, relative, se3_exp
from vode.odometry.loop_closure import closure, correction
from vode.odometry.loop_closure.closure import LoopCloser
from vode.odometry.loop_closure.consistency import Course
from vode.odometry.loop_closure.verification import Loop, verify
from vode.odometry.options import LoopOptions


def drifted(true, *, growth=0.002, turn=0.0008):
    """Odometry's poses with scale and heading that drift along the way, and the scale of each frame's depth."""
    motions = inverse(true[:-1]) @ true[1:]
    way = torch.cat([torch.zeros(1, dtype=torch.float64), motions[:, :3, 3].norm(dim=-1).cumsum(0)])
    scales = (growth * way / 5).exp()
    motions = motions.clone()
    motions[:, :3, 3] *= scales[:-1, None]
    twists = torch.zeros(len(motions), 6, dtype=torch.float64)
    twists[:, 4] = turn / 5 * way.diff()
    poses = [true[0]]
    for motion in motions @ se3_exp(twists):
        poses.append(poses[-1] @ motion)
    return torch.stack(poses), scales


def off(poses, true):
    """Metres between the ends after the motion from the first frame to the last."""
    return float((relative(poses[-1], poses[0]) - relative(true[-1], true[0]))[:3, 3].norm())


@pytest.fixture(scope="module")
def odometry(course):
    return drifted(course.poses)


@pytest.fixture(scope="module")
def closer(course, odometry):
    return course.closed(*odometry)


def test_a_course_that_closes_ends_where_it_began(course, odometry, closer):
    poses, scales = odometry
    assert len(closer.keyframes) == len(course)
    ends = [(x.first, x.second) for x in closer.loops]
    assert len(ends) >= 3
    assert all(i < 8 and j >= len(course) - 12 for i, j in ends)
    corrected = closer.corrected(poses)
    assert off(poses, course.poses) > 10
    # depth has another scale at the end, which the loops tell: lengths are compared in units of the start's
    assert off(corrected, course.poses) < 0.1 * off(poses, course.poses)
    assert float(scales[-1]) > 1.2


def test_the_scale_of_every_keyframe_is_corrected(closer, odometry):
    _, scales = odometry
    corrected = torch.tensor(list(closer.scales.values()), dtype=torch.float64) * scales
    assert list(closer.scales) == list(range(len(scales)))
    assert float(scales.log().std()) > 0.05
    assert float(corrected.log().std()) < 0.3 * float(scales.log().std())
    # the level is that of all keyframes
    assert torch.tensor(list(closer.scales.values())).log().mean().abs() < 1e-4


def test_loops_measure_the_motion_and_the_change_of_scale(course, odometry, closer):
    _, scales = odometry
    for loop in closer.loops:
        exact = relative(course.poses[loop.second], course.poses[loop.first])
        there = loop.S_first_second[:3, 3] / scales[loop.first]
        assert (there - exact[:3, 3]).norm() < 0.3
        ratio = float(scales[loop.first] / scales[loop.second])
        assert float(similarity.scale(loop.S_first_second)) == pytest.approx(ratio, rel=0.03)


def test_corrections_are_told_when_they_come(closer, odometry):
    told = [k for k, changed in enumerate(closer.changes) if changed]
    assert told
    assert min(told) == sorted(x.second for x in closer.loops)[LoopOptions().agreeing - 1]
    first = closer.changes[min(told)]
    assert torch.equal(closer.corrected(odometry[0])[0], odometry[0][0])
    assert 0 not in first
    assert set(first) >= set(range(5, min(told)))


def test_what_confirms_the_corrected_course_of_many_keyframes_waits(course, odometry, closer, monkeypatch):
    poses, scales = odometry
    monkeypatch.setattr(correction, "FEW", 0)
    monkeypatch.setattr(correction, "CALM", 1)
    patient = course.closed(poses, scales)
    corrected = [[k for k, changed in enumerate(x.changes) if changed] for x in (closer, patient)]
    # the first loops contradict odometry, and wait for no more than the optimisation beside
    assert corrected[1][0] == corrected[0][0] + 1
    assert 0 < len(corrected[1]) < len(corrected[0])
    assert [x[:2] for x in patient.loops] == [x[:2] for x in closer.loops]
    assert off(patient.corrected(poses), course.poses) < 0.1 * off(poses, course.poses)


def test_what_was_put_off_is_done_at_the_end(course, odometry, closer, monkeypatch):
    poses, scales = odometry
    monkeypatch.setattr(correction, "FEW", 0)
    monkeypatch.setattr(correction, "CALM", 1)
    patient = course.closed(poses, scales)
    before = patient.corrected(poses)
    changed = patient.finish(list(poses))
    after = patient.corrected(poses)
    assert len(changed) > len(poses) // 2
    assert changed == tuple(k for k in range(len(poses)) if not torch.equal(before[k], after[k]))
    # a graph has one optimum, however often it was optimised on the way
    torch.testing.assert_close(after, closer.corrected(poses), atol=1e-3, rtol=0)
    assert patient.finish(list(poses)) == ()


def test_it_does_not_matter_how_long_an_optimisation_takes(course, odometry, monkeypatch):
    poses, scales = odometry
    monkeypatch.setattr(correction, "FEW", 0)
    quick, optimum = course.closed(poses, scales), correction.optimum

    def slow(*given):
        time.sleep(0.2)
        return optimum(*given)

    monkeypatch.setattr(correction, "optimum", slow)
    late = course.closed(poses, scales)
    assert any(quick.changes)
    assert late.changes == quick.changes
    assert torch.equal(late.corrected(poses), quick.corrected(poses))


def test_a_camera_that_stands_still_is_corrected_too(course, odometry, closer, monkeypatch):
    poses, scales = odometry
    monkeypatch.setattr(correction, "FEW", 0)
    known = min(k for k, changed in enumerate(closer.changes) if changed)
    standing = course.closed(poses, scales, order=range(known + 1))
    assert standing.loops
    assert not any(standing.changes)
    here = [*poses[: known + 1], poses[known]]
    changed = standing.add(course.frame(known, known + 1), float(scales[known]) * course.seen(known)[1], here)
    assert len(standing.keyframes) == known + 1
    assert set(changed) >= set(range(5, known))


def test_a_long_video_recognises_some_keyframes_of_a_known_way(course, monkeypatch):
    order = [*range(22), *range(8)]
    poses, scales = course.poses[order], torch.ones(30)
    every = course.closed(poses, scales, order=order)
    monkeypatch.setattr(closure, "FEW", 0)
    monkeypatch.setattr(closure, "TIED", 3)
    some = course.closed(poses, scales, order=order)
    assert [x.second for x in every.loops] == list(range(22, 30))
    # every third, once three are tied
    assert [x.second for x in some.loops] == [22, 23, 24, 27]


def test_frames_between_keyframes_follow_rigidly_with_the_scale(closer, odometry):
    poses, _ = odometry
    step = se3_exp(torch.tensor([0.1, 0.0, 0.3, 0.0, 0.02, 0.0], dtype=torch.float64))
    between = torch.stack([poses, poses @ step], 1).flatten(0, 1)
    closer.keyframes[:] = [x._replace(frame=2 * x.frame) for x in closer.keyframes]
    try:
        corrected, scales = closer.corrected(between), list(closer.scales.values())
        one = closer.corrected_pose(9, between[9])
    finally:
        closer.keyframes[:] = [x._replace(frame=x.frame // 2) for x in closer.keyframes]
    torch.testing.assert_close(one, corrected[9])
    scaled = step.expand(len(scales), 4, 4).clone()
    scaled[:, :3, 3] *= torch.tensor(scales)[:, None]
    torch.testing.assert_close(inverse(corrected[::2]) @ corrected[1::2], scaled)


def test_without_loops_nothing_changes(course, odometry):
    poses, scales = odometry
    closer = course.closed(poses[:20], scales[:20], order=range(20))
    assert closer.loops == ()
    assert closer.corrected(poses[:20]) is not None
    assert torch.equal(closer.corrected(poses[:20]), poses[:20])
    assert set(closer.scales.values()) == {1.0}
    assert not any(closer.changes)


def straight_on(course, order):
    """Odometry of a straight street along which these frames are seen."""
    step = torch.eye(4, dtype=torch.float64)
    step[2, 3] = 4.0
    poses = [torch.eye(4, dtype=torch.float64)]
    for _ in order[1:]:
        poses.append(poses[-1] @ step)
    return torch.stack(poses), torch.ones(len(order))


def test_a_second_block_that_looks_the_same_is_another_place(course):
    block, between = list(range(8)), list(range(8, 22))
    order = block + between + block
    poses, scales = straight_on(course, order)
    closer = course.closed(poses, scales, order=order)
    assert len(closer.keyframes) == len(order)
    assert closer.loops == ()
    assert torch.equal(closer.corrected(poses), poses)
    # they do look the same: where odometry comes back, the same images are loops
    back = torch.cat([poses[:22], poses[:8]])
    assert len(course.closed(back, scales, order=order).loops) >= 5


def test_a_loop_that_contradicts_others_is_refused(course):
    order, poster = list(range(len(course))), len(course) - 4
    poses, scales = drifted(course.poses, growth=0.0005, turn=0.0002)
    # where the camera comes back to the third metre it sees once what is at the eighth
    order[poster] = 3
    closer = course.closed(poses, scales, order=order)
    assert len(closer.loops) >= 3
    assert poster not in {x.second for x in closer.loops}
    wrong = Loop(3, poster, torch.eye(4, dtype=torch.float64), closer.keyframes[3].distance, 100)
    way = Course(poses, closer.keyframes, course.options)
    assert verify(closer.keyframes[3], closer.keyframes[poster], course.intrinsics, (128, 416)) is not None
    # drift alone would allow it
    assert way.allows(wrong)
    assert not way.agree(wrong, closer.loops).any()


def test_one_loop_alone_is_not_believed(course, odometry):
    poses, scales = odometry
    lonely = course.closed(poses, scales, options=replace(course.options, agreeing=len(course)))
    assert lonely.loops == ()
    assert torch.equal(lonely.corrected(poses), poses)


def test_memory_is_that_of_features(course, closer):
    each = [x.nbytes for x in closer.keyframes]
    assert max(each) <= 140 * course.options.points
    assert closer.nbytes == sum(each)


def test_a_frame_that_was_expected_makes_the_same_keyframe(course):
    plain, ahead = LoopCloser(course.intrinsics, course.options), LoopCloser(course.intrinsics, course.options)
    poses, expected = list(course.poses.unbind()), []
    for i in range(6):
        frame, depth = course.frame(i), course.seen(i)[1]
        features = ahead.expect(frame, poses, poses[i]) if i else None
        expected.append(features is not None)
        plain.add(frame, depth, poses[: i + 1])
        ahead.add(frame, depth, poses[: i + 1], features=features)
    assert sum(expected) == 5
    # a camera that does not move makes no keyframe
    assert ahead.expect(course.frame(5), poses, poses[5]) is None
    for one, other in zip(plain.keyframes, ahead.keyframes, strict=True):
        assert one.frame == other.frame
        assert (one.pixels == other.pixels).all()
        assert (one.descriptors == other.descriptors).all()
        assert (one.depth == other.depth).all()
