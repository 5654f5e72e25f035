"""TrianFlow's tracker: each of its ways to a motion, on exact flow and depth, and the options that choose it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.geometry.epipolar import epipolar_distance, fundamental_from_essential
from vode.geometry.matches import Matches, flow_scores
from vode.geometry.pose import inverse, rotation_angle
from vode.odometry import trianflow
from vode.odometry.frames import Frame
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import NoDepth, find_matches, with_depth
from vode.odometry.result import Method, Reason
from vode.odometry.track import track

STILL = torch.eye(4, dtype=torch.float64)


@pytest.fixture(scope="module")
def sequence(world):
    return world(5, 4)


@pytest.fixture(scope="module")
def pair(sequence, ground_truth):
    """Exact flows, depths, intrinsics and motion of the first two frames."""
    exact = ground_truth(sequence)
    a, b = (Frame(k, sequence.frame(k)[None]) for k in (0, 1))
    T_b_a = inverse(sequence.poses[1]) @ sequence.poses[0]
    return exact.flow(a, b), (exact.depth(a), exact.depth(b)), sequence.intrinsics[None], T_b_a


def test_matches_are_visible_and_near_their_epipolar_lines(pair):
    flows, _, K, T_b_a = pair
    found = trianflow.select_matches(*flows)
    assert 1000 < found.scores.shape[1] <= trianflow.TRACKED
    assert (found.scores > 0).all()
    t = T_b_a[:3, 3]
    cross = torch.tensor([[0, -t[2], t[1]], [t[2], 0, -t[0]], [-t[1], t[0], 0]])
    true = fundamental_from_essential(cross @ T_b_a[:3, :3], K[0].double())
    distance = epipolar_distance(true[None], found.points_a.double(), found.points_b.double())
    assert distance.quantile(0.9) < 2 * trianflow.LINE
    # every start is a whole pixel, from which the flow leads to the end
    x, y = found.points_a[0].long().unbind(-1)
    moved = found.points_a[0] + flows[0][0, :, y, x].mT
    size = torch.tensor([flows[0].shape[-1] - 1, flows[0].shape[-2] - 1])
    torch.testing.assert_close(found.points_b[0], moved.clamp(torch.zeros(2), size.float()))
    assert (flow_scores(*flows).mask[0, 0, y, x] == found.scores[0]).all()


def test_a_flow_of_several_pixels_gives_the_essential_matrix_scaled_by_the_depth_of_the_second_frame(pair):
    flows, depths, K, T_b_a = pair
    found = trianflow.select_matches(*flows)
    assert (found.points_b - found.points_a).norm(dim=-1).mean() > trianflow.LEAST_FLOW
    T, method, reason, explained = trianflow.motion(found, *depths, K)
    assert (method, reason) == (Method.ESSENTIAL, None)
    assert rotation_angle(T[:3, :3].T @ T_b_a[:3, :3]) < 2e-3
    assert (T[:3, 3] - T_b_a[:3, 3]).norm() < 0.05 * T_b_a[:3, 3].norm()
    assert explained.shape == (1, found.scores.shape[1])
    assert explained.sum() > 500
    double = trianflow.motion(found, depths[0], 2 * depths[1], K)[0]
    assert double[:3, 3].norm() / T[:3, 3].norm() == pytest.approx(2, rel=0.05)


def test_a_small_flow_gives_pnp_on_the_depth_of_the_first_frame(pair):
    flows, depths, K, T_b_a = pair
    found = trianflow.select_matches(*flows)
    near = (found.points_b - found.points_a).norm(dim=-1)[0] < trianflow.LEAST_FLOW
    found = Matches(*(x[:, near] for x in found))
    T, method, reason, explained = trianflow.motion(found, depths[0], torch.zeros_like(depths[1]), K)
    assert (method, reason) == (Method.PNP, Reason.UNRELIABLE_TRANSLATION)
    assert rotation_angle(T[:3, :3].T @ T_b_a[:3, :3]) < 2e-3
    assert (T[:3, 3] - T_b_a[:3, 3]).norm() < 0.1 * T_b_a[:3, 3].norm()
    assert explained.sum() > 500
    # farther points than it takes leave nothing
    nothing = trianflow.motion(found, depths[0] * 0 + 60, depths[1], K)
    assert (nothing[1], nothing[3].sum()) == (Method.EXTRAPOLATED, 0)
    assert torch.equal(nothing[0], STILL)


def test_without_matches_the_camera_stays(pair):
    _, depths, K, _ = pair
    noise = torch.randn(1, 2, *depths[0].shape[-2:], generator=torch.Generator().manual_seed(0)) * 30
    found = trianflow.select_matches(noise, noise)
    T, method, _, _ = trianflow.motion(Matches(*(x[:, :0] for x in found)), *depths, K)
    assert method is Method.EXTRAPOLATED
    assert torch.equal(T, STILL)


def test_the_ratio_is_that_of_the_inliers():
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 30, 400)
    y = 1.7 * x + rng.normal(0, 0.2, 400)
    y[:150] = rng.uniform(0, 80, 150)
    assert trianflow.fit_ratio(x, y) == pytest.approx(1.7, rel=5e-3)
    assert (x @ y) / (x @ x) > 1.8


def test_the_tracker_takes_it_by_name(sequence, ground_truth, pair):
    options = TrackerOptions(tracker="trianflow", refine="none", scale_from="depth")
    exact = ground_truth(sequence)
    tracked = track(sequence, exact, size=sequence.size, options=options)
    assert {result.method for result in tracked.results} <= {Method.START, Method.ESSENTIAL, Method.PNP}
    first = torch.as_tensor(tracked.results[1].pose)
    true = inverse(sequence.poses[0]) @ sequence.poses[1]
    assert (first[:3, 3] - true[:3, 3]).norm() < 0.1 * true[:3, 3].norm()
    for changes in ({"refine": "window"}, {"loops": True}, {"scale_from": "tracks"}, {"backend": "opencv"}):
        with pytest.raises(InputError, match="TrianFlow's tracker has no window"):
            replace(options, **changes)
    frames = [Frame(k, sequence.frame(k)[None]) for k in (0, 1)]

    class Corners:
        def correspondences(self, a, b):
            raise AssertionError

    with pytest.raises(InputError, match="dense flow"):
        find_matches(with_depth(Corners(), NoDepth()), *frames, options)


@pytest.mark.parametrize("backend", ["torch", "opencv", "poselib"])
def test_every_two_view_solver_is_reached_by_an_option(sequence, ground_truth, backend, monkeypatch):
    from vode.geometry.two_view import solver

    used = []
    actual = solver.BACKENDS[backend]
    monkeypatch.setitem(solver.BACKENDS, backend, lambda *args: used.append(backend) or actual(*args))
    options = TrackerOptions(backend=backend, subpixel=False)
    tracked = track(sequence, ground_truth(sequence), size=sequence.size, options=options)
    assert used == [backend] * 3
    for result, true in zip(tracked.results, sequence.poses, strict=True):
        expected = inverse(sequence.poses[0]) @ true
        assert (torch.as_tensor(result.pose)[:3, 3] - expected[:3, 3]).norm() < 0.05
