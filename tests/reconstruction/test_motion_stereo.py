"""Depth by the motion between two images of the rendered world."""

from __future__ import annotations

import torch

from vode.geometry.pose import relative
from vode.reconstruction.motion_stereo import Measured, StereoView, combined, motion_stereo, rigid_flow
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence


def test_a_wrong_prior_is_corrected_by_the_motion() -> None:
    world = WorldSequence(5, WorldOptions(size=(160, 288), frames=8, speed=(8.0, 9.0), moving=False))
    a, b = (StereoView(world.frame(i)[None], world.depth(i)[0] * 1.3) for i in (2, 4))
    poses = world.poses
    both = motion_stereo(a, b, relative(poses[2], poses[4]), world.intrinsics)
    for found, view in zip(both, (a, b), strict=True):
        known = (found.weight > 0) & (view.depth > 0)
        error = (found.log_depth.exp() / (view.depth / 1.3) - 1)[known].abs()
        assert float(known.float().mean()) > 0.2
        assert float(error.median()) < 0.08


def test_rigid_flow_is_that_of_the_world() -> None:
    world = WorldSequence(5, WorldOptions(size=(96, 160), frames=4, moving=False))
    true, visible = world.flow_between(1, 2)
    depth = world.depth(1)[0]
    flow = rigid_flow(depth, relative(world.poses[1], world.poses[2]).float(), world.intrinsics)
    seen = visible[0] & (depth > 0)
    assert float((flow[0] - true).norm(dim=0)[seen].max()) < 0.02


def test_what_contradicts_the_prior_is_not_believed() -> None:
    prior = torch.full((1, 3), 4.0)
    log_depth = torch.tensor([[4.4, 9.0, 4.0]]).log()
    found = Measured(log_depth, torch.tensor([[1e4, 1e4, 0.0]]))
    depth = combined(prior, [found])
    assert abs(float(depth[0, 0]) - 4.4) < 0.01
    assert float(depth[0, 1]) == 0
    assert float(depth[0, 2]) == 4
