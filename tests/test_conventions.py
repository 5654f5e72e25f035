"""Each convention of the README, pinned once."""

import torch
import torch.nn.functional as F

from vode.augmentation.geometric import flip_sample
from vode.geometry import pose, warp
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
from vode.view_synthesis.stereo import right_of_left
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

K = torch.tensor([[100.0, 0, 49.5], [0, 90.0, 31.5], [0, 0, 1]])


def test_pixel_centres_are_integers_and_coordinates_are_x_then_y():
    grid = pixel_grid(3, 5)
    assert grid.shape == (2, 3, 5)
    assert grid[:, 0, 0].tolist() == [0, 0]
    assert grid[:, 2, 4].tolist() == [4, 2]


def test_sampling_at_a_pixel_centre_gives_that_pixel():
    image = torch.rand(1, 2, 6, 9)
    torch.testing.assert_close(warp.sample(image, pixel_grid(6, 9)[None]), image)
    half = warp.sample(image, torch.tensor([2.5, 3.0]).view(1, 2, 1, 1))
    torch.testing.assert_close(half[..., 0, 0], (image[..., 3, 2] + image[..., 3, 3]) / 2)


def test_flow_leads_from_a_to_b():
    b = torch.zeros(1, 1, 4, 6)
    b[..., 2, 5] = 1.0
    flow = torch.zeros(1, 2, 4, 6)
    flow[:, :, 1, 3] = torch.tensor([2.0, 1.0])
    assert warp.backward_warp(b, flow)[0, 0, 1, 3] == 1.0
    splat = warp.forward_splat(F.pad(torch.ones(1, 1, 1, 1), (3, 2, 1, 2)), flow)
    assert splat[0, 0, 2, 5] == 1.0


def test_resized_flow_is_scaled_and_resized_by_pixel_areas():
    flow = torch.ones(1, 2, 4, 8) * torch.tensor([3.0, 2.0]).view(1, 2, 1, 1)
    resized = warp.resize_flow(flow, (8, 32))
    assert torch.allclose(resized[:, 0], torch.tensor(12.0))
    assert torch.allclose(resized[:, 1], torch.tensor(4.0))
    ramp = torch.arange(4.0).view(1, 1, 1, 4).expand(1, 2, 2, 4)
    expected = torch.tensor([0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.0]) * 2
    torch.testing.assert_close(warp.resize_flow(ramp, (2, 8))[0, 0, 0], expected)


def test_intrinsics_follow_the_image():
    point = torch.tensor([[0.4, -0.3, 5.0]])
    pixel, _ = project(point, K)
    resized, _ = project(point, resize_intrinsics(K, (64, 100), (32, 200)))
    torch.testing.assert_close(resized + 0.5, (pixel + 0.5) * torch.tensor([2.0, 0.5]))
    cropped, _ = project(point, crop_intrinsics(K, top=4, left=7))
    torch.testing.assert_close(cropped, pixel - torch.tensor([7.0, 4.0]))
    mirrored, _ = project(point * torch.tensor([-1.0, 1, 1]), flip_intrinsics(K, 100))
    torch.testing.assert_close(mirrored, torch.stack([99 - pixel[:, 0], pixel[:, 1]], -1))


def test_camera_axes_are_right_down_forward():
    right_low, depth = project(torch.tensor([[1.0, 1.0, 10.0]]), K)
    assert (right_low > K[:2, 2]).all()
    assert depth.item() == 10
    torch.testing.assert_close(rays(right_low, K)[0], torch.tensor([0.1, 0.1, 1.0]))
    torch.testing.assert_close(
        unproject(torch.full((1, 1, 64, 100), 2.0), K[None])[0, :, 0, 0], 2 * rays(torch.zeros(1, 2), K)[0]
    )


def test_T_b_a_takes_points_of_a_to_b_and_poses_are_world_from_camera():
    T_b_a = torch.eye(4)
    T_b_a[2, 3] = -1.0
    assert transform(T_b_a, torch.tensor([[0.0, 0, 5]])).tolist() == [[0, 0, 4]]
    # the camera moved forward by one metre, so in the world it is at z = +1
    assert pose.inverse(T_b_a)[2, 3] == 1.0


def test_quaternions_are_w_first():
    quarter_turn_about_z = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    root = 2**-0.5
    torch.testing.assert_close(pose.matrix_to_quaternion(quarter_turn_about_z), torch.tensor([root, 0, 0, root]))


def test_a_flipped_sample_has_a_flipped_pose_and_flow():
    poses = torch.eye(4).repeat(2, 1, 1)
    poses[1, 0, 3] = 2.0
    sample = {"images": torch.rand(2, 3, 4, 6), "intrinsics": K, "poses": poses, "flow": torch.ones(1, 2, 4, 6)}
    flipped = flip_sample(sample)
    assert flipped["poses"][1, 0, 3] == -2.0
    assert flipped["flow"][0, 0].eq(-1).all()
    assert flipped["flow"][0, 1].eq(1).all()


def test_relative_pose_of_world_from_camera_poses():
    T_world_a, T_world_b = torch.eye(4), torch.eye(4)
    T_world_a[:3, 3], T_world_b[:3, 3] = torch.tensor([1.0, 0, 0]), torch.tensor([1.0, 0, 2.0])
    # b stands two metres ahead of a: what is five metres before a is three before b
    assert transform(pose.relative(T_world_a, T_world_b), torch.tensor([[0.0, 0, 5]])).tolist() == [[0, 0, 3]]


def test_the_built_in_world_drives_forward_along_z():
    poses = WorldSequence(0, WorldOptions(size=(8, 24), frames=3)).poses
    assert poses.dtype == torch.float64
    assert (poses[1:, 2, 3] > 0.9 * poses[1:, :3, 3].norm(dim=-1)).all()


def test_the_right_camera_shows_a_point_farther_left_by_its_disparity():
    point = torch.tensor([[1.0, -0.5, 4.0]])
    there = transform(right_of_left(torch.tensor([0.6]))[0], point)
    (left, _), (right, _) = (project(each, K) for each in (point, there))
    torch.testing.assert_close(left - right, torch.tensor([[100 * 0.6 / 4, 0.0]]))
    # the pair mirrored: what was on the right is on the left, with the same distance
    pair = {"images": torch.zeros(1, 3, 4, 16), "right": torch.ones(1, 3, 4, 16), "baseline": torch.tensor(0.6)}
    flipped = flip_sample(pair | {"intrinsics": K})
    assert (flipped["images"].min(), flipped["right"].max(), flipped["baseline"]) == (1, 0, pair["baseline"])
