"""Clouds of a plane and what passes in front of it."""

from __future__ import annotations

import numpy as np
import torch

from vode.geometry.pose import se3_exp
from vode.reconstruction.depth_fit import fit_depth
from vode.reconstruction.fusion import DepthView, Keyframes, fuse
from vode.reconstruction.options import FusionOptions
from vode.reconstruction.voxels import VoxelGrid

SIZE = (48, 64)
K = torch.tensor([[60.0, 0, 31.5], [0, 60.0, 23.5], [0, 0, 1]])
PRIOR_ALONE = FusionOptions(pairs=())


def sideways(count: int, step: float = 0.3) -> torch.Tensor:
    twists = torch.zeros(count, 6, dtype=torch.float64)
    twists[:, 0] = step * torch.arange(count)
    return torch.stack([se3_exp(t) for t in twists])


def wall(row: int) -> DepthView:
    return DepthView(torch.full(SIZE, 5.0), np.full((*SIZE, 3), 90, np.uint8))


def test_a_wall_is_flat_and_has_its_colour() -> None:
    points, colors, _ = fuse(Keyframes(wall, sideways(5), K, PRIOR_ALONE))
    assert np.allclose(points[:, 2], 5, atol=1e-3)
    assert points[:, 0].max() - points[:, 0].min() > 5
    assert (colors == 90).all()


def test_what_only_one_keyframe_shows_is_left_out() -> None:
    def load(row: int) -> DepthView:
        view = wall(row)
        if row == 2:
            view.depth[20:30, 20:40] = 2.0
        return view

    points, _, _ = fuse(Keyframes(load, sideways(5), K, PRIOR_ALONE))
    assert len(points) > 2000
    assert points[:, 2].min() > 4.9


def test_what_moves_with_the_camera_is_left_out() -> None:
    def load(row: int) -> DepthView:
        view = wall(row)
        view.depth[20:34, 24:40] = 2.0
        return view

    points, _, _ = fuse(Keyframes(load, sideways(9, 0.5), K, PRIOR_ALONE))
    assert len(points) > 2000
    assert (points[:, 2] < 4.9).mean() < 0.02


def test_one_keyframe_is_taken_as_it_is() -> None:
    points, _, _ = fuse(Keyframes(wall, sideways(1), K, FusionOptions()))
    assert len(points) > 1000


def test_a_fit_takes_away_a_wrong_scale_and_slope_and_leaves_what_is_right() -> None:
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    true = 4 + 0.05 * x + 0.1 * y
    wrong = true * 1.2 * (1 + 0.002 * x)
    rng = torch.Generator().manual_seed(0)
    pixels = torch.rand(300, 2, generator=rng, dtype=torch.float64) * torch.tensor([63, 47])
    at = pixels.round().long()
    z = true[at[:, 1], at[:, 0]].double()
    z[:40] *= 3
    assert float((fit_depth(wrong, pixels, z) / true - 1).abs().max()) < 0.05
    assert float((fit_depth(true, pixels, z) / true - 1).abs().max()) < 0.01
    assert torch.equal(fit_depth(wrong, pixels[:3], z[:3]), wrong)


def test_cells_hold_means_and_grow_where_there_are_too_many() -> None:
    grid = VoxelGrid(1.0, 1000)
    grid.add(
        np.array([[0.2, 0.5, 0.5], [0.4, 0.5, 0.5], [5.5, 0.5, -0.5]]), np.array([[0, 0, 0], [100, 0, 0], [9, 9, 9]])
    )
    points, colors, counts = grid.cloud()
    order = np.argsort(points[:, 0])
    assert np.allclose(points[order], [[0.3, 0.5, 0.5], [5.5, 0.5, -0.5]])
    assert colors[order].tolist() == [[50, 0, 0], [9, 9, 9]]
    assert counts[order].tolist() == [2, 1]
    many = VoxelGrid(0.001, 100)
    many.add(np.random.default_rng(0).uniform(0, 1, (5000, 3)), np.zeros((5000, 3)))
    assert len(many.cloud()[0]) <= 100
    assert many.voxel > 0.1
