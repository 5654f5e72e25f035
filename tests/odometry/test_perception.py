"""A matcher's correspondences in the place of flow."""

import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.geometry.camera import resize_intrinsics
from vode.geometry.inverse_search import refine_flow
from vode.geometry.matches import Matches
from vode.geometry.resize import resize_images
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import DepthOptions
from vode.odometry.frames import Frame
from vode.odometry.options import MatchOptions, TrackerOptions
from vode.odometry.perception import (
    Classical,
    Composed,
    DepthFunction,
    FlowFunction,
    Matched,
    Networks,
    NoDepth,
    Refined,
    find_matches,
    with_depth,
)
from vode.odometry.track import track
from vode.odometry.two_frame import tracked_matches
from vode.odometry.visual_odometry import VisualOdometry

SIZE = (96, 320)


class Corners:
    """Exact correspondences of corners that every frame has at the same places, whatever it is paired with."""

    def __init__(self, exact, count=1500):
        self.exact, self.count = exact, count

    def correspondences(self, a, b):
        pixels = torch.randperm(SIZE[0] * SIZE[1], generator=torch.Generator().manual_seed(a.index))[: self.count]
        flow = self.exact.between(a.index, b.index).flatten(2)[0, :, pixels].mT
        points = torch.stack([pixels % SIZE[1], pixels // SIZE[1]], -1).float()
        seen = flow.abs().amax(-1) < 500
        return Matches(points[seen][None], (points + flow)[seen][None], torch.ones(1, int(seen.sum())))


@pytest.fixture(scope="module")
def sequence(world):
    return world(8, 6)


@pytest.mark.parametrize("refine", ["none", "window"])
def test_correspondences_of_a_matcher_track_as_flow_does(sequence, ground_truth, refine):
    exact = ground_truth(sequence)
    options = TrackerOptions(subpixel=False, refine=refine)
    tracked = track(sequence, Matched(Corners(exact), exact), size=SIZE, options=options)
    assert not exact.asked
    away = (tracked.trajectory.positions - sequence.poses[:, :3, 3]).norm(dim=-1)
    assert away.max() < 0.05
    assert tracked.summary() == "5 motions: 5 essential"


def test_a_matcher_that_finds_nothing_keeps_the_velocity(sequence, ground_truth):
    exact = ground_truth(sequence)
    tracked = track(sequence, Matched(Corners(exact, 0), exact), size=SIZE, options=TrackerOptions(subpixel=False))
    assert tracked.summary() == "5 motions: 5 extrapolated"


def test_flow_gives_the_tracked_points_first(sequence, ground_truth):
    exact = ground_truth(sequence)
    a, b = (Frame(i, sequence.frame(i)[None]) for i in (0, 1))
    points = torch.tensor([[[30.0, 70.0], [200.0, 80.0]]])
    found = find_matches(exact, a, b, TrackerOptions(count=100), tracked=points)
    assert torch.equal(found.points_a[:, :2], points)
    assert found.points_a.shape == (1, 100, 2)
    fewest = find_matches(exact, a, b, TrackerOptions(count=1), tracked=points)
    assert fewest.points_a.shape == (1, 10, 2)


def test_tracked_points_move_like_the_match_that_begins_there():
    points = torch.tensor([[[10.0, 10.0], [50.0, 20.0], [80.0, 5.0], [30.0, 9.0]]])
    steps = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]])
    found = Matches(points, points + steps, torch.tensor([[0.5, 0.9, 0.0, 0.7]]))
    tracked = torch.tensor([[[50.4, 20.3], [10.0, 13.0], [80.0, 5.0]]])
    some = tracked_matches(found, MatchOptions(), tracked=tracked.double())
    assert torch.equal(some.points_a[:, :3], tracked)
    torch.testing.assert_close(some.points_b[0, 0], tracked[0, 0] + steps[0, 1])
    assert some.scores[0].tolist() == pytest.approx([0.9, 0, 0, 0.7, 0.5, 0, 0])
    assert torch.equal(some.points_a[0, 3:5], points[0, [3, 0]])
    best = tracked_matches(found, MatchOptions(count=2))
    assert best.scores[0].tolist() == pytest.approx([0.9, 0.7])


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    return Networks(FlowNet().eval(), DepthNet(DepthOptions(canonical_focal=100.0)).eval())


@torch.no_grad()
def test_metric_depth_follows_the_focal_length_of_the_frame(networks):
    image, K = torch.rand(1, 3, 64, 96), torch.eye(3)[None]
    canonical = networks.depth(Frame(0, image))
    K[0, 1, 1] = 250.0
    torch.testing.assert_close(networks.depth(Frame(0, image, K)), 2.5 * canonical)


@pytest.mark.parametrize("whole", [False, True])
def test_the_tracker_tells_the_networks_the_focal_length_at_their_size(networks, sequence, whole):
    seen, size = [], (48, 160)

    class Watched(Networks):
        def depth(self, frame):
            seen.append(frame.intrinsics)
            return super().depth(frame)

    watched = Watched(networks._flow, networks._depth)
    if whole:
        track(sequence, watched, size=size)
    else:
        VisualOdometry(watched, sequence.intrinsics, size=size).register_frame(sequence.frame(0))
    expected = resize_intrinsics(sequence.intrinsics, sequence.size, size)
    assert len(seen) == (len(sequence) if whole else 1)
    for K in seen:
        torch.testing.assert_close(K, expected[None])


@torch.no_grad()
def test_networks_of_a_size_of_their_own_give_what_fits_the_frames(networks, sequence):
    K = torch.tensor([[[200.0, 0, 159.5], [0, 200.0, 47.5], [0, 0, 1]]])
    a, b = (Frame(i, sequence.frame(i)[None], K) for i in (0, 1))
    small = (48, 160)
    halved = [Frame(f.index, resize_images(f.image, small), resize_intrinsics(K, SIZE, small)) for f in (a, b)]
    apart = Networks(networks._flow, networks._depth, lambda _: small)
    assert apart.depth(a).shape == (1, 1, *SIZE)
    # a pixel of the small image covers four of the large one
    shrunk = torch.nn.functional.avg_pool2d(1 / apart.depth(a), 2)
    torch.testing.assert_close(1 / shrunk, networks.depth(halved[0]), rtol=0.02, atol=0)
    for large, little in zip(apart.flow(a, b), networks.flow(*halved), strict=True):
        inner = (..., slice(2, -2), slice(2, -2))
        shrunk = torch.nn.functional.avg_pool2d(large, 2) / 2
        torch.testing.assert_close(shrunk[inner], little[inner], rtol=0.05, atol=0.05)


def test_classical_flow_goes_with_the_depth_of_networks(networks, sequence):
    seen = Classical(networks)
    frames = [Frame(i, sequence.frame(i)[None]) for i in (0, 1)]
    true, visible = sequence.flow_between(0, 1)
    error = (seen.flow(*frames)[0][0] - true).norm(dim=0)[visible[0]]
    assert error.median() < 0.2 * true.norm(dim=0)[visible[0]].median()
    with torch.no_grad():
        assert torch.equal(seen.depth(frames[0]), networks.depth(frames[0]))


def test_refined_flow_is_that_of_networks_searched_on_around(networks, sequence):
    seen = Refined(networks)
    frames = [Frame(i, sequence.frame(i)[None]) for i in (0, 1)]
    with torch.no_grad():
        expected = refine_flow(frames[0].image, frames[1].image, *networks.flow(*frames))
        for found, wanted in zip(seen.flow(*frames), expected, strict=True):
            assert torch.equal(found, wanted)
        assert torch.equal(seen.depth(frames[0]), networks.depth(frames[0]))


def test_any_functions_track_as_what_they_compute(sequence, ground_truth):
    """A function of images sees no frame number, so it is told by what it is shown."""
    exact, options = ground_truth(sequence), TrackerOptions(subpixel=False)
    shown = [(sequence.frame(i) * 255).round().byte().movedim(0, -1).numpy() for i in range(len(sequence))]

    def number(image):
        assert image.dtype == np.uint8
        return next(i for i, other in enumerate(shown) if np.array_equal(image, other))

    def depth(image):
        return sequence.depth(number(image))[0].numpy()

    def flow(a, b):
        return exact.between(number(a), number(b))[0].movedim(0, -1)

    ours = track(sequence, Composed(FlowFunction(flow), DepthFunction(depth)), size=SIZE, options=options)
    theirs = track(sequence, exact, size=SIZE, options=options)
    # the sky has depth 0 here and 500 m there, and takes no part
    assert (ours.trajectory.positions - theirs.trajectory.positions).norm(dim=-1).max() < 0.02


def test_what_functions_give_is_checked():
    frame = Frame(3, torch.rand(1, 3, 8, 12), torch.eye(3)[None])
    assert DepthFunction(lambda image: np.full((4, 6), 2.0)).depth(frame).shape == (1, 1, 8, 12)
    told = DepthFunction(lambda image, K: np.full((8, 12), K[0, 0] * 7), takes_intrinsics=True).depth(frame)
    assert (told == 7).all()
    with pytest.raises(InputError, match="depth of frame 3: 8x8 pixels for frames of 12x8"):
        DepthFunction(lambda image: np.ones((8, 8))).depth(frame)
    with pytest.raises(InputError, match=r"depth of frame 3: \(3, 8, 12\) is no map"):
        DepthFunction(lambda image: np.ones((3, 8, 12))).depth(frame)
    with pytest.raises(InputError, match=r"flow of frames 3 and 3: \(2, 8, 12\)"):
        FlowFunction(lambda a, b: np.ones((2, 8, 12))).flow(frame, frame)


def test_the_depth_of_a_perception_is_replaced(sequence, ground_truth):
    exact = ground_truth(sequence)
    frame = Frame(0, sequence.frame(0)[None])
    for source in (exact, Matched(Corners(exact), exact)):
        replaced = with_depth(source, NoDepth())
        assert isinstance(replaced, Composed if source is exact else Matched)
        assert not replaced.depth(frame).any()
