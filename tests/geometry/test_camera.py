"""Camera conventions, against OpenCV, hand-computed cases and pictures that are really resized or flipped."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vode.geometry.camera import (
    crop_intrinsics,
    flip_intrinsics,
    pixel_grid,
    project,
    rays,
    resize_intrinsics,
    transform,
    unproject,
)

K = torch.tensor([[718.856, 0.0, 607.1928], [0.0, 710.5, 185.2157], [0.0, 0.0, 1.0]], dtype=torch.float64)


def blob(x: float, y: float, size: tuple[int, int], width: float = 4.0) -> torch.Tensor:
    """A picture (1, 1, H, W) of one bright spot whose centre is the pixel coordinate (x, y)."""
    grid = pixel_grid(*size, dtype=torch.float64)
    return torch.exp(-((grid[0] - x) ** 2 + (grid[1] - y) ** 2) / (2 * width**2))[None, None]


def centre(visualization: torch.Tensor) -> torch.Tensor:
    """Centre of mass (x, y) of a picture (1, 1, H, W)."""
    grid = pixel_grid(*visualization.shape[-2:], dtype=visualization.dtype)
    return (grid * visualization[0]).sum(dim=(1, 2)) / visualization.sum()


def test_pixel_grid_is_x_then_y_from_zero():
    grid = pixel_grid(2, 3)
    assert grid.dtype == torch.float32
    assert grid.tolist() == [[[0, 1, 2], [0, 1, 2]], [[0, 0, 0], [1, 1, 1]]]


def test_project_agrees_with_opencv():
    points = np.random.default_rng(0).uniform([-5, -2, 1], [5, 2, 40], size=(50, 3))
    expected = cv2.projectPoints(points, np.zeros(3), np.zeros(3), K.numpy(), None)[0][:, 0]
    pixels, depth = project(torch.from_numpy(points), K)
    np.testing.assert_allclose(pixels.numpy(), expected, atol=1e-9)
    np.testing.assert_array_equal(depth.numpy(), points[:, 2])


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_rays_and_project_are_inverse_for_any_batch(batch):
    pixels = torch.rand(*batch, 7, 2, dtype=torch.float64) * 100
    intrinsics = K.expand(*batch, 3, 3)
    back, depth = project(rays(pixels, intrinsics) * 12.5, intrinsics)
    torch.testing.assert_close(back, pixels)
    torch.testing.assert_close(depth, torch.full((*batch, 7), 12.5, dtype=torch.float64))


def test_points_behind_the_camera_stay_finite_and_keep_their_depth():
    points = torch.tensor([[1.0, 1.0, -2.0], [1.0, 1.0, 0.0]])
    pixels, depth = project(points, K.float())
    assert torch.isfinite(pixels).all()
    assert depth.tolist() == [-2.0, 0.0]


def test_unproject_gives_the_point_seen_by_each_pixel():
    depth = 1 + torch.rand(2, 1, 5, 6, dtype=torch.float64)
    intrinsics = torch.stack([K, K * torch.tensor([2.0, 3.0, 1.0], dtype=torch.float64)[:, None]])
    points = unproject(depth, intrinsics)
    pixels, z = project(points.flatten(2).mT, intrinsics)
    grid = pixel_grid(5, 6, dtype=torch.float64).flatten(1).mT
    torch.testing.assert_close(pixels, grid.expand(2, -1, -1))
    torch.testing.assert_close(z, depth.flatten(1))


def test_transform_turns_then_moves():
    # A quarter turn about y takes z to x, then 1 m down.
    T_b_a = torch.tensor([[0.0, 0, 1, 0], [0, 1, 0, 1], [-1, 0, 0, 0], [0, 0, 0, 1]])
    points = transform(T_b_a, torch.tensor([[0.0, 0.0, 2.0], [3.0, 0.0, 0.0]]))
    assert points.tolist() == [[2.0, 1.0, 0.0], [0.0, 1.0, -3.0]]
    assert transform(T_b_a.expand(4, 4, 4), torch.zeros(4, 9, 3)).shape == (4, 9, 3)


@pytest.mark.parametrize("new_size", [(60, 120), (40, 100), (240, 360)])
def test_resized_intrinsics_follow_a_resized_picture(new_size):
    size, (x, y) = (120, 240), (131.0, 47.0)
    resized = F.interpolate(blob(x, y, size), new_size, mode="bilinear", align_corners=False, antialias=True)
    pixel = torch.tensor([[x, y]], dtype=torch.float64)
    moved, _ = project(rays(pixel, K), resize_intrinsics(K, size, new_size))
    torch.testing.assert_close(centre(resized), moved[0], atol=0.01, rtol=0)


def test_resized_intrinsics_by_hand():
    resized = resize_intrinsics(torch.tensor([[100.0, 0, 31.5], [0, 90, 15.5], [0, 0, 1]]), (32, 64), (16, 16))
    assert resized.tolist() == [[25, 0, 7.5], [0, 45, 7.5], [0, 0, 1]]


def test_flipped_intrinsics_follow_a_flipped_picture():
    x, y, size = 31.0, 20.0, (48, 80)
    mirrored = rays(torch.tensor([[x, y]], dtype=torch.float64), K) * torch.tensor([-1.0, 1.0, 1.0])
    moved, _ = project(mirrored, flip_intrinsics(K, size[1]))
    torch.testing.assert_close(centre(blob(x, y, size).flip(-1)), moved[0], atol=1e-3, rtol=0)
    torch.testing.assert_close(flip_intrinsics(flip_intrinsics(K, 80), 80), K)


def test_cropped_intrinsics_follow_a_cropped_picture():
    x, y = 40.0, 30.0
    moved, _ = project(rays(torch.tensor([[x, y]], dtype=torch.float64), K), crop_intrinsics(K, top=7, left=11))
    torch.testing.assert_close(centre(blob(x, y, (64, 80), 2.0)[..., 7:, 11:]), moved[0], atol=1e-3, rtol=0)


def test_intrinsics_are_changed_in_copies_and_in_batches():
    before = K.expand(2, 3, 3).clone()
    for changed in (
        resize_intrinsics(before, (10, 10), (5, 20)),
        flip_intrinsics(before, 10),
        crop_intrinsics(before, 1, 2),
    ):
        assert changed.shape == (2, 3, 3)
        assert not torch.equal(changed, before)
    assert torch.equal(before, K.expand(2, 3, 3))


def test_gradients():
    points = torch.tensor([[[0.3, -0.2, 2.0], [1.0, 0.5, 5.0]]], dtype=torch.float64, requires_grad=True)
    intrinsics = K[None].clone().requires_grad_()
    depth = (1 + torch.rand(1, 1, 2, 3, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda p, k: project(p, k), (points, intrinsics))
    assert torch.autograd.gradcheck(unproject, (depth, intrinsics))
