"""New views against slices, planes and a scene at infinity whose views are known, and the built-in world."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.geometry.synthesis import depth_buffer, fill, new_view
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (48, 64)
K = torch.tensor([[100.0, 0, 31.0], [0, 90.0, 23.0], [0, 0, 1]])[None]


def motion(x=0.0, y=0.0, z=0.0, turn=(0.0, 0.0, 0.0)):
    T_old_new = torch.eye(4)[None].clone()
    T_old_new[0, :3, :3] = torch.from_numpy(Rotation.from_rotvec(turn).as_matrix())
    T_old_new[0, :3, 3] = torch.tensor([x, y, z])
    return T_old_new


def noise(batch=1, size=SIZE):
    return torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(0))


def slope(a=0.01, b=0.006):
    """An image that changes evenly from pixel to pixel, so that values between pixels are exact."""
    y, x = torch.meshgrid(torch.arange(float(SIZE[0])), torch.arange(float(SIZE[1])), indexing="ij")
    return (a * x + b * y).expand(1, 3, *SIZE)


def uneven_depth(batch=1):
    """Depths of 1 to 6 metres, a quarter of them filled from those around."""
    generator = torch.Generator().manual_seed(1)
    depth = 1 + 5 * torch.rand(batch, 1, *SIZE, generator=generator)
    known = torch.rand(depth.shape, generator=generator) > 0.25
    return fill(depth * known, known)


@pytest.mark.parametrize("depth", [None, uneven_depth()])
def test_no_motion_gives_the_image(depth):
    image = noise()
    view, seen = new_view(image, depth, K, motion(), K, SIZE)
    assert (view.dtype, seen.dtype) == (torch.float32, torch.bool)
    assert seen.shape == (1, 1, *SIZE)
    assert seen.all()
    torch.testing.assert_close(view, image, atol=1e-4, rtol=0)


@pytest.mark.parametrize("depth", [None, uneven_depth()])
@pytest.mark.parametrize(("top", "left"), [(0, 0), (5, 9), (16, 24)])
def test_a_window_is_a_slice_of_the_image(depth, top, left):
    image, window = noise(), (32, 40)
    view, seen = new_view(image, depth, K, motion(), K - torch.tensor([[0.0, 0, left], [0, 0, top], [0, 0, 0]]), window)
    assert seen.all()
    torch.testing.assert_close(view, image[..., top : top + 32, left : left + 40], atol=1e-4, rtol=0)


@pytest.mark.parametrize("depth", [None, uneven_depth()])
def test_a_window_that_leaves_the_image_is_0_there(depth):
    image = noise()
    shift = torch.tensor([[0.0, 0, 10], [0, 0, -6], [0, 0, 0]])
    view, seen = new_view(image, depth, K, motion(), K - shift, SIZE)
    expected = torch.zeros(1, 1, *SIZE, dtype=torch.bool)
    expected[..., 6:, :-10] = True
    assert torch.equal(seen, expected)
    assert (view.masked_select(~seen) == 0).all()
    torch.testing.assert_close(view[..., 6:, :-10], image[..., :-6, 10:], atol=1e-4, rtol=0)


def far_scene(size, intrinsics, R_scene_cam):
    """(3, H, W) float32: colours that depend on the direction in the scene alone."""
    y, x = np.mgrid[: size[0], : size[1]]
    rays = np.stack([(x - intrinsics[0, 2]) / intrinsics[0, 0], (y - intrinsics[1, 2]) / intrinsics[1, 1], 1.0 + 0 * x])
    direction = np.einsum("ij,jhw->ihw", R_scene_cam, rays / np.linalg.norm(rays, axis=0))
    wave = np.array([[3.0, 0, 1], [0, 4, 1], [2, 2, 0]])
    return torch.from_numpy(0.5 + 0.4 * np.sin(np.einsum("ij,jhw->ihw", wave, direction))).float()


@pytest.mark.parametrize("with_depth", [False, True])
def test_a_turned_camera_sees_what_lies_in_its_direction(with_depth):
    turns = Rotation.from_rotvec([[0, 0, 0], [0.05, -0.1, 0.2], [-0.03, 0.3, 0.1], [0, 0, math.pi]])
    new_K = torch.tensor([[80.0, 0, 20.0], [0, 85.0, 17.0], [0, 0, 1]])
    start = Rotation.from_rotvec([0.3, -0.2, 0.5])
    image = far_scene(SIZE, K[0].numpy(), start.as_matrix()).repeat(4, 1, 1, 1)
    T_old_new = torch.cat([motion(turn=turn.as_rotvec()) for turn in turns])
    y, x = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
    depth = (2 + 0.02 * x + 0.01 * y).expand(4, 1, *SIZE) if with_depth else None
    if not with_depth:
        T_old_new[:, :3, 3] = torch.tensor([3.0, -2.0, 1.0])
    views, seen = new_view(image, depth, K.expand(4, 3, 3), T_old_new, new_K.expand(4, 3, 3), (36, 44))
    for i, turn in enumerate(turns):
        ground_truth = far_scene((36, 44), new_K.numpy(), (start * turn).as_matrix())
        y, x = np.mgrid[:36, :44]
        rays = np.stack([(x - 20) / 80, (y - 17) / 85, 1.0 + 0 * x], -1) @ turn.as_matrix().T
        x, y = rays[..., 0] / rays[..., 2] * 100 + 31, rays[..., 1] / rays[..., 2] * 90 + 23
        room = np.minimum(np.minimum(x, SIZE[1] - 1 - x), np.minimum(y, SIZE[0] - 1 - y))
        # half a pixel beyond the outermost centres the border is repeated
        assert (room >= 0).sum() > 200
        assert (views[i] - ground_truth).abs().numpy()[:, room >= 0].max() < 1e-3
        clear = np.abs(room + 0.5) > 1e-3
        assert (seen[i, 0].numpy() == (room > -0.5))[clear].all()


def test_the_translation_is_left_aside_without_depth():
    image = noise()
    still, _ = new_view(image, None, K, motion(turn=(0.1, 0.2, 0.0)), K, SIZE)
    moved, _ = new_view(image, None, K, motion(5.0, 1.0, -2.0, turn=(0.1, 0.2, 0.0)), K, SIZE)
    assert torch.equal(still, moved)


def test_a_plane_seen_from_the_side_is_shifted():
    # 5 pixels at 2 metres with a focal length of 100 are 10 cm
    image, depth = noise(), torch.full((1, 1, *SIZE), 2.0)
    view, seen = new_view(image, depth, K, motion(x=0.1), K, SIZE)
    torch.testing.assert_close(view[..., :-5], image[..., 5:], atol=2e-4, rtol=0)
    assert seen[..., :-5].all()
    assert not seen[..., -5:].any()
    assert (view[..., -5:] == 0).all()
    # 3 pixels down at a focal length of 90, and a quarter of a pixel more
    view, seen = new_view(slope(), depth, K, motion(y=2 * 3.25 / 90), K, SIZE)
    torch.testing.assert_close(view[..., :-4, :], slope()[..., :-4, :] + 3.25 * 0.006, atol=1e-5, rtol=0)
    assert seen[..., :-3, :].all()
    assert not seen[..., -3:, :].any()


@pytest.mark.parametrize("nearer", [2.0, 4.0])
def test_a_plane_seen_from_nearer_is_magnified_about_the_principal_point(nearer):
    """The points that are drawn lie ``nearer`` pixels apart: between them are holes."""
    depth = torch.full((1, 1, *SIZE), 8.0)
    view, seen = new_view(slope(), depth, K, motion(z=8.0 - 8.0 / nearer), K, SIZE)
    assert seen.all()
    middle = 0.01 * 31 + 0.006 * 23
    torch.testing.assert_close(view, middle + (slope() - middle) / nearer, atol=1e-4, rtol=0)


def test_a_plane_seen_from_farther_fills_the_middle():
    depth = torch.full((1, 1, *SIZE), 4.0)
    view, seen = new_view(slope(), depth, K, motion(z=-4.0), K, SIZE)
    # pixel x of the view shows 31 + 2 (x - 31): 0 to 63 for x of 16 to 47, and so for 23 + 2 (y - 23) of 0 to 47
    expected = torch.zeros(1, 1, *SIZE, dtype=torch.bool)
    expected[..., 12:36, 16:48] = True
    assert torch.equal(seen, expected)
    middle = 0.01 * 31 + 0.006 * 23
    ground_truth = middle + 2 * (slope() - middle)
    torch.testing.assert_close(view[..., 12:35, 16:47], ground_truth[..., 12:35, 16:47], atol=1e-4, rtol=0)


@pytest.mark.parametrize("side", [-1, 1])
def test_the_nearer_surface_hides_the_farther_one(side):
    image, depth = slope().clone(), torch.full((1, 1, *SIZE), 10.0)
    image[..., 14:34, 24:40], depth[..., 14:34, 24:40] = 1.0, 2.0
    # 20 cm: the square moves by 10 pixels, the wall behind it by 2
    view, seen = new_view(image, depth, K, motion(x=side * 0.2), K, SIZE)
    assert view.isfinite().all()
    # what was behind the square and no longer is, and 2 pixels at the border, are not seen
    expected = torch.ones(1, 1, *SIZE, dtype=torch.bool)
    expected[..., 14:34, slice(30, 38) if side == 1 else slice(26, 34)] = False
    expected[..., slice(-2, None) if side == 1 else slice(0, 2)] = False
    assert torch.equal(seen, expected)
    assert (view * ~seen == 0).all()
    square = slice(24 - side * 10 + 1, 40 - side * 10 - 1)
    assert (view[..., 15:33, square] - 1).abs().max() < 1e-3
    wall = slope() + side * 2 * 0.01
    for rows in (slice(0, 12), slice(37, 48)):
        torch.testing.assert_close(view[..., rows, 4:-4], wall[..., rows, 4:-4], atol=1e-4, rtol=0)
    # the wall on the side that the square moves to; on the other it was hidden
    columns = slice(4, 11) if side == 1 else slice(53, 60)
    torch.testing.assert_close(view[..., columns], wall[..., columns], atol=1e-4, rtol=0)


def test_unknown_depths_may_be_filled_from_around_them():
    image, depth = noise(), torch.full((1, 1, *SIZE), 2.0)
    depth[..., 10:30, 20:50] = 0.0
    view, seen = new_view(image, fill(depth, depth > 0), K, motion(x=0.1), K, SIZE)
    assert seen[..., :-5].all()
    torch.testing.assert_close(view[..., :-5], image[..., 5:], atol=1e-3, rtol=0)
    # the colours of unknown depths are lost, what is drawn around them is not
    _, seen = new_view(image, depth, K, motion(x=0.1), K, SIZE)
    assert not seen[..., 12:28, 17:43].any()
    assert seen[..., :9, :-5].all()


@pytest.mark.parametrize("step", [(0.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (0.3, -0.2, -0.5)])
def test_without_any_known_depth_nothing_is_seen(step):
    depth = torch.cat([torch.zeros(1, 1, *SIZE), torch.full((1, 1, *SIZE), 2.0)])
    T_old_new = motion(*step, turn=(0.2, -0.3, 0.1)).expand(2, 4, 4)
    views, seen = new_view(noise(2), depth, K.expand(2, 3, 3), T_old_new, K.expand(2, 3, 3), SIZE)
    assert not seen[0].any()
    assert (views[0] == 0).all()
    assert seen[1].any()


@pytest.mark.parametrize("z", [1.0, -1.0])
def test_a_camera_that_turns_its_back_sees_nothing(z):
    depth = torch.full((1, 1, *SIZE), 5.0)
    for given in (None, depth):
        view, seen = new_view(noise(), given, K, motion(z=z, turn=(0.0, math.pi, 0.0)), K, SIZE)
        assert not seen.any()
        assert (view == 0).all()


def test_a_sample_does_not_depend_on_its_batch():
    images, depth = noise(3), uneven_depth(3)
    T_old_new = torch.cat([motion(0.1, 0.02, -0.1, (0.02, 0.1, 0)), motion(z=0.4), motion(-0.2, turn=(0, 0, 0.3))])
    intrinsics = K * torch.tensor([1.0, 1.2, 0.8]).view(3, 1, 1)
    intrinsics[:, 2, 2] = 1.0
    for given in (None, depth):
        views, seen = new_view(images, given, intrinsics, T_old_new, intrinsics, (30, 50))
        assert views.shape == (3, 3, 30, 50)
        for i in range(3):
            rows = slice(i, i + 1)
            alone = new_view(
                images[rows],
                None if given is None else given[rows],
                intrinsics[rows],
                T_old_new[rows],
                intrinsics[rows],
                (30, 50),
            )
            torch.testing.assert_close(views[rows], alone[0], atol=1e-4, rtol=0)
            assert torch.equal(seen[rows], alone[1])


def test_the_depth_buffer_holds_the_depth_before_the_new_camera():
    depth = torch.full((1, 1, *SIZE), 10.0)
    torch.testing.assert_close(depth_buffer(depth, K, motion(z=4.0), K, SIZE), depth - 4)
    depth[..., 20, 30] = 3.0
    buffer = depth_buffer(depth, K, motion(x=0.06), K, SIZE)
    # 2 pixels to the left
    assert buffer[0, 0, 20, 28] == 3
    assert (buffer < 9).sum() <= 4
    assert buffer.max() == 10


def test_points_too_near_are_not_drawn():
    depth = torch.full((1, 1, *SIZE), 3.0)
    depth[..., 15:25, 20:30] = 1.0
    # 2 cm before the new camera, and behind it
    for z in (0.98, 1.5):
        buffer = depth_buffer(depth, K, motion(z=z), K, SIZE)
        torch.testing.assert_close(buffer[buffer > 0], torch.full_like(buffer, 3.0 - z)[buffer > 0])


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3), (17, 31), (32, 48)])
def test_filling_keeps_constants_and_what_is_known(size):
    generator = torch.Generator().manual_seed(0)
    known = torch.rand(4, 1, *size, generator=generator) < torch.tensor([0.0, 0.03, 0.3, 1.0]).view(4, 1, 1, 1)
    known[1, 0, -1, -1] = known[2, 0, 0, 0] = True
    filled = fill(torch.where(known, 7.0, 0.0), known)
    torch.testing.assert_close(filled[1:], torch.full((3, 1, *size), 7.0))
    assert (filled[0] == 0).all()
    values = 1 + torch.rand(4, 1, *size, generator=generator)
    filled = fill(values * known, known)
    assert torch.equal(filled[known], values[known])
    for i in (1, 2, 3):
        inside = values[i][known[i]]
        assert filled[i].min() >= inside.min() - 1e-6
        assert filled[i].max() <= inside.max() + 1e-6
    assert torch.equal(filled, fill(torch.where(known, values, 100.0), known))


def test_filling_by_hand():
    known = torch.tensor([[True, False], [False, True]]).view(1, 1, 2, 2)
    filled = fill(torch.tensor([[1.0, 0.0], [0.0, 3.0]]).view(1, 1, 2, 2), known)
    assert filled[0, 0].tolist() == [[1, 2], [2, 3]]
    # what is near counts more than what is far
    values = torch.zeros(1, 1, 16, 16)
    values[..., :2, :], values[..., -2:, :] = 1.0, 5.0
    filled = fill(values, values > 0)
    assert (filled[..., 2, :] < 2.5).all()
    assert (filled[..., -3, :] > 3.5).all()


@pytest.mark.parametrize(("old", "new"), [(0, 1), (1, 0)])
def test_a_frame_of_the_built_in_world_is_told_by_its_neighbour(old, new):
    sequence = WorldSequence(1, WorldOptions(size=(64, 192), frames=2, speed=(10.0, 15.0), moving=False))
    T_old_new = (torch.linalg.inv(sequence.poses[old]) @ sequence.poses[new]).float()[None]
    intrinsics, ground_truth, image = sequence.intrinsics[None], sequence.frame(new)[None], sequence.frame(old)[None]
    depth = sequence.depth(old)[None]
    view, seen = new_view(image, fill(depth, depth > 0), intrinsics, T_old_new, intrinsics, sequence.size)
    assert view.isfinite().all()
    assert seen.float().mean() > 0.6

    def error(estimate):
        return ((estimate - ground_truth).abs() * seen).sum() / (3 * seen.sum())

    assert error(view) < 0.5 * error(image)
