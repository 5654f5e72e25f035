"""Metres by the height of a camera, on made-up planes and in a rendered world whose camera's height is known."""

import math

import pytest
import torch

from tests.geometry.road import SIZE, K, view
from vode.errors import InputError
from vode.geometry.ground import ground_of_depth
from vode.geometry.pose import so3_exp
from vode.io.trajectory import Trajectory
from vode.odometry.frames import Frame
from vode.odometry.metric.ground import GroundObserver, scale_by_height
from vode.odometry.perception import SequenceDepth
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence


def straight(count):
    poses = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    poses[:, 2, 3] = torch.arange(count)
    return Trajectory(poses, name="estimate of walk")


def test_the_scale_is_the_median_over_the_frames_that_show_a_plane():
    ground = ground_of_depth(view(height=0.5)[0], K[None])
    grounds = {k: ground._replace(height=0.5 * math.exp(0.03 * math.sin(5.0 * k))) for k in range(40)}
    grounds |= dict.fromkeys(range(40, 60))
    grounds[7] = ground._replace(height=3.0)
    scale = scale_by_height(straight(60), grounds, 1.65)
    assert scale.factor == pytest.approx(3.3, rel=0.01)
    assert 0.001 < scale.deviation < 0.02
    assert (scale.samples, scale.doubts) == (40, ())
    assert "1.65 m above a plane seen in 40 of 60 frames" in scale.describe()


def test_few_planes_are_refused_and_some_doubted():
    ground = ground_of_depth(view()[0], K[None])
    none = dict.fromkeys(range(100))
    with pytest.raises(InputError, match=r"estimate of walk: no ground plane .* in 5 of 100 frames; give speeds"):
        scale_by_height(straight(100), none | dict.fromkeys(range(5), ground), 1.65)
    with pytest.raises(InputError, match="0 of 0 frames"):
        scale_by_height(straight(100), {}, 1.65)
    some = scale_by_height(straight(100), none | dict.fromkeys(range(30), ground), 1.65)
    assert some.doubts == ("most frames show no plane",)
    unsteady = {k: ground._replace(height=1 + 0.5 * (k % 3)) for k in range(100)}
    assert "varies by" in scale_by_height(straight(100), unsteady, 1.65).doubts[0]
    turned = {
        k: ground._replace(normal=so3_exp(torch.tensor([0.2 * (-1) ** k, 0, 0.0]).double()) @ ground.normal)
        for k in range(100)
    }
    assert "tilts" in scale_by_height(straight(100), turned, 1.65).doubts[0]


def test_a_window_follows_a_scale_that_drifts():
    ground = ground_of_depth(view()[0], K[None])
    drift = torch.linspace(0, 0.7, 60).exp()
    grounds = {k: ground._replace(height=1.65 * float(drift[k])) for k in range(60)}
    trajectory = straight(60)
    trajectory.poses[1:, 2, 3] = (drift[1:] * drift[:-1]).sqrt().cumsum(0).double()
    scale = scale_by_height(trajectory, grounds, 1.65, window=5)
    moved = scale.apply(trajectory).positions
    assert (moved[:, 2] - torch.arange(60)).abs().max() < 0.2
    one = scale_by_height(trajectory, grounds, 1.65).apply(trajectory).positions
    assert (one[:, 2] - torch.arange(60)).abs().max() > 3


@pytest.mark.parametrize("seed", [3, 11])
def test_the_height_of_the_cameras_of_the_world(seed):
    """Rendered streets, their depth in another unit: the height of the camera gives the metres back within 2 %."""
    sequence = WorldSequence(seed, WorldOptions(size=SIZE, frames=4, height=(1.3, 1.9)))
    observer = GroundObserver(SequenceDepth(sequence))
    for i in range(4):
        observer.depth(Frame(i, sequence.frame(i)[None], sequence.intrinsics[None]))
    scale = scale_by_height(straight(4), observer.grounds, sequence.height)
    assert scale.factor == pytest.approx(1.0, abs=0.02)
