"""The ground plane of exact points and of corrupted ones."""

import pytest
import torch

from tests.geometry.road import SIZE, K, view
from vode.geometry.camera import rays
from vode.geometry.ground import fit_ground, ground_of_depth, on_ground


@pytest.mark.parametrize("wall", [None, 15.0])
@pytest.mark.parametrize("tilt", [(0.0, 0.0, 0.0), (0.2, 0.0, 0.0), (-0.1, 0.1, 0.15)])
def test_the_plane_of_exact_depth_is_exact(tilt, wall):
    depth, normal = view(tilt=tilt, wall=wall)
    ground = ground_of_depth(depth, K[None])
    assert ground.height == pytest.approx(1.65, rel=1e-6)
    assert ground.normal @ normal > 1 - 1e-9
    assert ground.spread < 1e-6
    assert ground.fraction > 0.3


def test_noise_and_things_on_the_ground_do_not_move_it():
    depth, _ = view(wall=40.0)
    generator = torch.Generator().manual_seed(0)
    depth = depth * (0.05 * torch.randn(depth.shape, generator=generator, dtype=torch.float64)).exp()
    depth[..., 36:56, 20:70] = 6.0
    depth[..., 40:60, 120:150] = 4.0
    ground = ground_of_depth(depth, K[None])
    assert ground.height == pytest.approx(1.65, rel=0.01)
    assert 0.02 < ground.spread < 0.08


@pytest.mark.parametrize("what", ["wall", "noise", "few", "nothing", "table"])
def test_no_plane_is_seen_where_there_is_none(what):
    generator = torch.Generator().manual_seed(0)
    depth, _ = view(wall=40.0)
    if what == "wall":
        depth = torch.full_like(depth, 5.0)
    elif what == "noise":
        depth = 2 + 20 * torch.rand(depth.shape, generator=generator, dtype=torch.float64)
    elif what == "few":
        depth[..., ::2, :] = depth[..., :, ::2] = depth[..., 40:, :] = 0
    elif what == "nothing":
        depth = torch.zeros_like(depth)
    else:
        near, _ = view(height=0.5)
        depth[..., 36:, 60:130] = near[..., 36:, 60:130]
        depth[..., 36:, :60] = 30.0
    ground = ground_of_depth(depth, K[None])
    assert ground is None or what in ("table", "few")
    if what == "table" and ground is not None:
        assert ground.height == pytest.approx(1.65, rel=0.02)


def test_points_may_be_sparse():
    depth, _ = view(wall=40.0)
    v, u = torch.meshgrid(torch.arange(0, 64, 3), torch.arange(0, 192, 3), indexing="ij")
    pixels = torch.stack([u, v], -1).reshape(-1, 2)
    points = rays(pixels.double(), K) * depth[0, 0, pixels[:, 1], pixels[:, 0], None]
    assert fit_ground(points).height == pytest.approx(1.65, rel=1e-6)
    assert fit_ground(points[:50]) is None


def test_points_of_the_road_are_on_the_ground_and_those_of_the_wall_are_not():
    depth, normal = view(wall=15.0)
    v, u = torch.meshgrid(*(torch.arange(float(n)) for n in depth.shape[-2:]), indexing="ij")
    pixels = torch.stack([u, v], -1).reshape(1, -1, 2)
    found = on_ground(depth, depth.reshape(1, -1), pixels, K[None])[0]
    heights = (rays(pixels.double(), K[None])[0] * depth.reshape(-1, 1)) @ normal
    assert torch.equal(found, (heights / 1.65 - 1).abs() < 0.1)
    assert 0.2 < found.double().mean() < 0.5


def test_no_point_lies_on_the_ground_of_a_wall():
    wall, points = torch.full((1, 1, *SIZE), 5.0), torch.tensor([[[10.0, 60.0], [96.0, 31.0]]])
    assert not on_ground(wall, torch.full((1, 2), 5.0), points, K[None]).any()
