"""The built-in world: its depth, flow and poses agree with each other and with its images."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.kitti.writer import GroundTruth, write_kitti_sequence
from vode.geometry import warp
from vode.world import renderer
from vode.world import sequence as module
from vode.world.options import WorldOptions
from vode.world.sequence import CAMERA_HEIGHT, WorldSequence, held_out_sequence

OPTIONS = WorldOptions(size=(64, 192), frames=5)


@pytest.fixture(scope="module")
def sequence():
    return WorldSequence(2, OPTIONS)


def rigid_target(depth, T_b_a, intrinsics):
    """Where static points of a lie in b, pixel by pixel, in plain numpy float64."""
    K, T = intrinsics.double().numpy(), T_b_a.numpy()
    height, width = depth.shape
    y, x = np.mgrid[:height, :width].astype(float)
    rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones_like(x)], -1)
    points = (rays * depth[..., None]) @ T[:3, :3].T + T[:3, 3]
    seen = points @ K.T
    return seen[..., :2] / seen[..., 2:], np.stack([x, y], -1)


def test_a_sequence_is_a_pure_function_of_its_seed(sequence):
    again = WorldSequence(2, OPTIONS)
    backwards = [again.frame(i) for i in reversed(range(5))][::-1]
    assert all(torch.equal(sequence.frame(i), backwards[i]) for i in range(5))
    assert torch.equal(sequence.depth(3), again.depth(3))
    assert torch.equal(sequence.flow(1)[0], again.flow(1)[0])
    assert torch.equal(sequence.poses, again.poses)
    assert not torch.equal(sequence.frame(0), WorldSequence(3, OPTIONS).frame(0))


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_warping_the_next_frame_by_exact_flow_gives_this_one(seed):
    sequence = WorldSequence(seed, OPTIONS)
    a, b = sequence.frame(1), sequence.frame(2)
    flow, seen = sequence.flow(1)
    assert seen.float().mean() > 0.5
    warped = (warp.backward_warp(b[None], flow[None])[0] - a).abs().mean(0)[seen[0]]
    still = (b - a).abs().mean(0)[seen[0]]
    assert warped.median() < 0.01
    assert warped.mean() < still.mean() / 2


@pytest.mark.parametrize("seed", [1, 4])
def test_depth_and_poses_give_the_flow_of_a_static_world(seed):
    sequence = WorldSequence(seed, WorldOptions(size=(64, 192), frames=3, moving=False))
    flow, _ = sequence.flow(0)
    depth = sequence.depth(0)[0].numpy().astype(float)
    target, pixels = rigid_target(depth, torch.linalg.inv(sequence.poses[1]) @ sequence.poses[0], sequence.intrinsics)
    known = depth > 0
    error = np.abs(target - pixels - flow.permute(1, 2, 0).numpy())[known]
    assert error.max() < 0.02


def test_moving_cars_break_the_static_flow_and_nothing_else_does():
    found = 0
    for seed in range(6):
        sequence = WorldSequence(seed, OPTIONS)
        flow, seen = sequence.flow(0)
        depth = sequence.depth(0)[0].numpy().astype(float)
        target, pixels = rigid_target(
            depth, torch.linalg.inv(sequence.poses[1]) @ sequence.poses[0], sequence.intrinsics
        )
        off = (np.abs(target - pixels - flow.permute(1, 2, 0).numpy()).max(-1) > 0.3) & (depth > 0) & seen[0].numpy()
        assert off.mean() < 0.15
        found += off.sum() > 20
    assert found >= 2


def test_hidden_points_are_not_called_visible(sequence):
    flow, seen = sequence.flow(1)
    there = warp.sample(sequence.depth(2)[None], warp.flow_target(flow[None]))[0, 0]
    depth = sequence.depth(1)[0]
    known = seen[0] & (depth > 0) & (there > 0)
    # a camera at 5 to 15 m/s comes nearer by at most 1.5 m a frame; a nearer surface in front would show
    assert ((depth - there)[known] < 6.0).float().mean() > 0.97


def test_ground_lies_a_camera_height_below(sequence):
    depth = sequence.depth(0)[0, -1].median().item()
    row = (OPTIONS.size[0] - 1 - sequence.intrinsics[1, 2]) / sequence.intrinsics[1, 1]
    assert depth * row.item() == pytest.approx(CAMERA_HEIGHT, rel=0.15)
    assert (sequence.depth(0)[0, 0] == 0).any(), "no sky"


@pytest.mark.parametrize("seed", range(4))
def test_the_camera_moves_as_stated(seed):
    sequence = WorldSequence(seed, WorldOptions(size=(8, 24), frames=200))
    assert torch.allclose(sequence.poses[0], torch.eye(4, dtype=torch.float64), atol=1e-12)
    speed = sequence.poses[:, :3, 3].diff(dim=0).norm(dim=-1) * 10
    assert speed.min() > 4.8
    assert speed.max() < 15.4
    forward = sequence.poses[:, :3, 2]
    assert forward[:, 1].abs().max() < 0.05
    moved = sequence.poses[:, :3, 3].diff(dim=0)
    assert ((moved * forward[:-1]).sum(-1) > 0.98 * moved.norm(dim=-1)).all()
    assert sequence.timestamps.diff().allclose(torch.tensor(0.1, dtype=torch.float64))


def test_exposure_changes_brightness_alone():
    plain = WorldSequence(2, OPTIONS)
    varied = WorldSequence(2, WorldOptions(size=OPTIONS.size, frames=5, exposure=0.3))
    ratios = [(varied.frame(i).mean() / plain.frame(i).mean()).item() for i in range(5)]
    assert max(ratios) - min(ratios) > 0.01
    assert torch.equal(varied.depth(2), plain.depth(2))


def test_the_held_out_sequence_is_long():
    sequence = held_out_sequence((64, 192))
    assert sequence.poses[:, :3, 3].diff(dim=0).norm(dim=-1).sum() > 200
    assert sequence.size == (64, 192)


@pytest.fixture
def rendered(monkeypatch):
    """The numbers of the frames that were rendered, as they are."""
    render, numbers = WorldSequence._render, []
    monkeypatch.setattr(WorldSequence, "_render", lambda self, i: numbers.append(i) or render(self, i))
    return numbers


def test_a_sequence_of_the_training_set_is_rendered_once_for_all_epochs(rendered):
    sequences = [WorldSequence(seed, WorldOptions(size=(64, 192), frames=20)) for seed in range(2)]
    for _ in range(3):
        for sequence in sequences:
            [sequence.raw(i, (32, 96)) for i in range(20)]
    assert rendered == [*range(20)] * 2
    assert module.KEPT_BYTES >= 20 * 3 * 256 * 832


def test_no_more_images_are_kept_than_the_bytes_allow_and_those_used_last_stay(rendered, monkeypatch):
    options = WorldOptions(size=(16, 48), frames=6)
    whole = [WorldSequence(2, options).frame(i) for i in range(6)]
    monkeypatch.setattr(module, "KEPT_BYTES", 3 * 3 * 16 * 48)
    sequence = WorldSequence(2, options)
    rendered.clear()
    for i in (0, 1, 2, 0, 3, 0, 2, 1):
        assert torch.equal(sequence.frame(i), whole[i])
    assert rendered == [0, 1, 2, 3, 1]
    assert sum(image.nbytes for image in sequence._images.values()) <= module.KEPT_BYTES


def test_threads_that_share_a_small_memory_get_the_right_images(monkeypatch):
    options = WorldOptions(size=(16, 48), frames=8)
    whole = [WorldSequence(2, options).frame(i) for i in range(8)]
    monkeypatch.setattr(module, "KEPT_BYTES", 0)
    sequence = WorldSequence(2, options)
    numbers = np.random.default_rng(0).integers(8, size=96).tolist()
    with ThreadPoolExecutor(8) as pool:
        assert all(
            torch.equal(image, whole[i]) for i, image in zip(numbers, pool.map(sequence.frame, numbers), strict=True)
        )


def test_written_and_read_back(sequence, tmp_path):
    write_kitti_sequence(
        tmp_path,
        "00",
        0,
        (sequence.frame(i) for i in range(5)),
        sequence.intrinsics,
        sequence.timestamps,
        GroundTruth(sequence.poses, (sequence.depth(i) for i in range(5)), (sequence.flow(i) for i in range(4))),
    )
    read = KittiOdometry(tmp_path, "00", camera=0)
    assert torch.equal(read.frame(2), sequence.frame(2))
    assert torch.allclose(read.poses, sequence.poses, atol=1e-6)
    near = sequence.depth(2) < 200
    assert (read.depth(2) - sequence.depth(2)).abs()[near].max() < 1 / 256
    flow, seen = read.flow(2)
    assert torch.equal(seen.bool(), sequence.flow(2)[1])
    assert (flow - sequence.flow(2)[0]).abs()[seen.bool().expand(2, -1, -1)].max() <= 1 / 64


def test_the_road_is_a_plane_a_camera_height_away_whatever_pitch_and_roll():
    sequence = WorldSequence(2, WorldOptions(size=(64, 192), frames=31, moving=False))
    K = sequence.intrinsics.double().numpy()
    for i in (0, 15, 30):
        depth = sequence.depth(i)[0].numpy().astype(float)
        # the lower left of the image shows the road alone: parked cars stand beyond the right lane
        y, x = (grid.ravel() for grid in np.mgrid[52:64, 20:110])
        rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones(x.size)], -1)
        points = rays * depth[y, x][:, None]
        middle = points.mean(0)
        normal = np.linalg.svd(points - middle)[2][2]
        assert np.abs((points - middle) @ normal).max() < 1e-3
        assert abs(middle @ normal) == pytest.approx(CAMERA_HEIGHT, abs=0.035)
        assert abs(normal[1]) > np.cos(0.02)


def test_cars_stand_in_front_of_the_same_street_and_move():
    moving, still = (WorldSequence(2, WorldOptions(size=(64, 192), frames=3, moving=m)) for m in (True, False))
    assert torch.equal(moving.poses, still.poses)
    found = 0
    for i in range(2):
        nearer = (moving.depth(i) != still.depth(i))[0]
        behind = torch.where(still.depth(i) > 0, still.depth(i), torch.inf)
        assert (moving.depth(i)[0, nearer] < behind[0, nearer]).all()
        flow, seen = moving.flow(i)
        cars = nearer & seen[0]
        target, pixels = rigid_target(
            moving.depth(i)[0].numpy().astype(float),
            torch.linalg.inv(moving.poses[i + 1]) @ moving.poses[i],
            moving.intrinsics,
        )
        off = np.abs(target - pixels - flow.permute(1, 2, 0).numpy()).max(-1)
        assert off[~nearer.numpy() & (moving.depth(i)[0] > 0).numpy()].max() < 0.02
        found += cars.sum().item()
        assert np.median(off[cars.numpy()]) > 0.1
    assert found > 30


def test_exposure_is_a_gain():
    plain = WorldSequence(2, WorldOptions(size=(48, 160), frames=2))
    varied = WorldSequence(2, WorldOptions(size=(48, 160), frames=2, exposure=0.3))
    before, after = plain.frame(1), varied.frame(1)
    open_range = (before > 0.2) & (after < 0.99)
    gain = (after[open_range] / before[open_range]).median()
    assert abs(gain - 1) > 0.005
    # both images are rounded to 256 levels
    assert (after - gain * before)[open_range].abs().max() < 1.5 / 255
    assert torch.equal(varied.poses, plain.poses)
    assert torch.equal(varied.flow(0)[0], plain.flow(0)[0])


def test_frames_beyond_the_sequence():
    sequence = WorldSequence(2, WorldOptions(size=(8, 24), frames=2))
    assert sequence.flow(1) is None
    for i in (-1, 2):
        with pytest.raises(IndexError, match=f"frame {i} of a sequence of 2"):
            sequence.frame(i)


@pytest.mark.parametrize(
    "device",
    ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"))],
)
def test_a_device_renders_the_same_world_and_hands_it_to_the_host(sequence, device):
    there = WorldSequence(2, OPTIONS, device=torch.device(device))
    assert all(x.device.type == "cpu" for x in (there.frame(0), there.depth(0), *there.flow(0), there.poses))
    assert ((there.depth(0) - sequence.depth(0)).abs() < 1e-3 * sequence.depth(0) + 1e-3).float().mean() > 0.99
    assert ((there.frame(0) - sequence.frame(0)).abs() <= 2 / 255).float().mean() > 0.99
    assert ((there.flow(0)[0] - sequence.flow(0)[0]).abs() < 0.01).float().mean() > 0.99


def test_the_sky_is_unknown_depth_at_infinity():
    sequence = WorldSequence(2, WorldOptions(size=(64, 192), frames=12, moving=False))
    sky = (sequence.depth(10) == 0)[0].numpy()
    assert sky.sum() > 200
    assert not sky[40:].any()
    turn = torch.linalg.inv(sequence.poses[11]) @ sequence.poses[10]
    turn[:3, 3] = 0
    target, pixels = rigid_target(np.ones(sky.shape), turn, sequence.intrinsics)
    assert np.abs(target - pixels - sequence.flow(10)[0].permute(1, 2, 0).numpy())[sky].max() < 0.01


def test_no_solid_is_cut_by_the_rectangle_that_it_is_tried_in(monkeypatch):
    def everywhere(placed, T_map_cam, intrinsics, size):
        return [(0, size[0], 0, size[1])] * len(placed.solids)

    tried = WorldSequence(2, OPTIONS).depth(3)
    monkeypatch.setattr(renderer, "_rectangles", everywhere)
    whole = WorldSequence(2, OPTIONS).depth(3)
    known = (whole > 0) & (whole < renderer.MAX_VIEW - 30)
    assert torch.equal(tried[known], whole[known])


def test_a_car_carries_its_points_along_sideways_and_round():
    local = np.random.default_rng(0).normal(size=(20, 3))
    places = np.array([[3.0, 10.0, 0.2], [2.2, 11.5, 0.45]])
    here, there = (
        Rotation.from_euler("y", yaw).apply(local) + np.array([x, 0, z])  # the places of a solid are x, z and yaw
        for x, z, yaw in places
    )
    moved = module._move(torch.tensor(here), *torch.tensor(places))
    np.testing.assert_allclose(moved.numpy(), there, atol=1e-12)
