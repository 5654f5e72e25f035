"""A camera that was lost is found again by what it saw before, in the unit of its first map."""

import pytest
import torch

from vode.geometry import similarity
from vode.geometry.pose import inverse, relative, rotation_angle
from vode.odometry.loop_closure import closure
from vode.odometry.loop_closure.maps import joined, rejoined, untold
from vode.odometry.loop_closure.verification import Loop

START, HIDDEN = 8, 12


def kidnapped(course, scale=1.5):
    """Odometry that sees the start of a course, then nothing, then the start again, from the frames in between.

    The camera is put down facing the other way, as far as odometry knows, and depth has another scale there.
    """
    first = course.poses[:START]
    elsewhere = torch.eye(4, dtype=torch.float64)
    elsewhere[:3, :3] = torch.tensor([[-1.0, 0, 0], [0, 1, 0], [0, 0, -1]], dtype=torch.float64)
    elsewhere[:3, 3] = torch.tensor([40.0, 0.0, 90.0])
    again = first.clone()
    again[:, :3, 3] *= scale
    again = elsewhere @ inverse(again[0]) @ again
    return torch.cat([first, again]), torch.tensor([1.0] * START + [scale] * START)


def followed(course, poses, scales, missing):
    """The closer after the start of a course twice, the second time after ``missing`` frames without a motion."""
    closer = course.closed(poses[:START], scales[:START], order=range(START))
    frames = [*range(START), *range(START + HIDDEN, 2 * START + HIDDEN)]
    every = list(poses[:START].unbind()) + [poses[START - 1]] * HIDDEN + list(poses[START:].unbind())
    for k in range(START, 2 * START):
        depth = float(scales[k]) * course.seen(k - START)[1]
        count = missing if k == START else 0
        frame, seen = course.frame(k - START, frames[k]), every[: frames[k] + 1]
        closer.add(frame, depth, seen, doubtful=count > 0, missing=count)
    return closer, torch.stack(every)


@pytest.fixture(scope="module")
def lost(course):
    poses, scales = kidnapped(course)
    return followed(course, poses, scales, HIDDEN + 1)


def test_a_kidnapped_camera_is_found_again(course, lost):
    closer, poses = lost
    assert [x.frame for x in closer.keyframes if x.lost] == [START + HIDDEN]
    assert len(closer.loops) >= 3
    corrected = closer.corrected(poses)
    for k in range(START):
        error = relative(corrected[START + HIDDEN + k], corrected[k])
        assert error[:3, 3].norm() < 0.3
        assert rotation_angle(error[:3, :3]) < 0.02
    # the second map's unit is brought to that of the first, whose shape stays
    first, exact = corrected[START - 1] @ torch.eye(4, dtype=torch.float64), course.poses[START - 1]
    assert float(first[:3, 3].norm() / exact[:3, 3].norm()) == pytest.approx(closer.scales[0], rel=0.02)
    ratio = closer.scales[START + HIDDEN] / closer.scales[0]
    assert ratio == pytest.approx(1 / 1.5, rel=0.03)


def test_what_odometry_followed_all_along_is_not_moved_so_far(course):
    poses, scales = kidnapped(course)
    closer, every = followed(course, poses, scales, 0)
    assert not any(x.lost for x in closer.keyframes)
    assert closer.loops == ()
    assert torch.equal(closer.corrected(every), every)


def test_a_few_frames_without_motion_are_no_new_map(course):
    poses, scales = kidnapped(course)
    closer, _ = followed(course, poses, scales, course.options.lost - 1)
    assert not any(x.lost for x in closer.keyframes)


def test_frames_lost_one_by_one_begin_a_new_map(course):
    poses, scales = kidnapped(course)
    closer = course.closed(poses[:START], scales[:START], order=range(START))
    poses = list(poses.unbind())
    for k in range(START, 2 * START):
        closer.add(course.frame(k - START, k), course.seen(k - START)[1], poses[: k + 1], doubtful=True, missing=1)
    assert [x.frame for x in closer.keyframes if x.lost] == [START + course.options.lost - 1]


def test_a_new_map_does_not_begin_on_a_known_way(course, monkeypatch):
    monkeypatch.setattr(closure, "FEW", 0)
    monkeypatch.setattr(closure, "TIED", 3)
    order = [*range(22), *range(6)]
    closer = course.closed(course.poses[order], torch.ones(len(order)), order=order)
    assert closer.loops[-1].second == 27 == len(order) - 1
    # then the camera is carried to the start, and odometry knows nothing of it
    poses = [*course.poses[order], *(course.poses[START - 1] @ course.poses[:START])]
    for k in range(START):
        frame, missing = course.frame(k, len(order) + k), course.options.lost if k == 0 else 0
        closer.add(frame, course.seen(k)[1], poses[: frame.index + 1], doubtful=k == 0, missing=missing)
    assert [x.frame for x in closer.keyframes if x.lost] == [28]
    assert [x.second for x in closer.loops if x.second >= 28][:3] == [28, 29, 30]


def test_maps_start_from_their_surest_loop():
    generator = torch.Generator().manual_seed(0)
    nodes = similarity.exp(torch.randn(6, 7, generator=generator, dtype=torch.float64))
    exact = similarity.exp(torch.randn(6, 7, generator=generator, dtype=torch.float64))
    exact[:2] = nodes[:2]
    maps = torch.tensor([0, 0, 1, 1, 2, 2])
    between = lambda a, b: similarity.inverse(exact[a]) @ exact[b]  # noqa: E731
    moved = nodes.clone()
    moved[2:4] = similarity.inverse(exact[2] @ similarity.inverse(nodes[2])) @ exact[2:4]
    loops = [
        Loop(0, 3, between(0, 3), 1.0, 80),
        Loop(1, 3, torch.eye(4, dtype=torch.float64), 1.0, 40),
        Loop(4, 5, torch.eye(4, dtype=torch.float64), 1.0, 90),
    ]
    found = joined(moved, maps, loops)
    torch.testing.assert_close(found[:4], exact[:4])
    # the last map goes on from where the one before it ends
    torch.testing.assert_close(found[4:], exact[3] @ similarity.inverse(moved[3]) @ nodes[4:])
    assert rejoined(maps, loops) == {0, 1}
    assert rejoined(maps, [*loops, loops[0]._replace(first=2, second=4)]) == {0, 1, 2}


def test_a_map_is_placed_by_a_later_one():
    generator = torch.Generator().manual_seed(1)
    exact = similarity.exp(torch.randn(6, 7, generator=generator, dtype=torch.float64))
    one, other = similarity.exp(torch.randn(2, 7, generator=generator, dtype=torch.float64))
    maps = torch.tensor([0, 0, 1, 1, 2, 2])
    displaced = torch.cat([exact[:2], one @ exact[2:4], other @ exact[4:]])
    loops = [Loop(a, b, similarity.inverse(exact[a]) @ exact[b], 1.0, 30 + a) for a, b in ((1, 5), (2, 4))]
    torch.testing.assert_close(joined(displaced, maps, loops), exact)
    assert untold(maps, loops).tolist() == [False, True, False, True, False]
    # with the first map alone, the last one makes its own guess needless, but not that to the map between
    assert untold(maps, loops[:1]).tolist() == [False, False, False, True, False]
