"""The built-in world: its images, depth, flow, stereo and poses agree with each other."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.kitti.writer import GroundTruth, write_kitti_sequence
from vode.geometry import warp
from vode.world import sequence as module
from vode.world.imaging import Imaging
from vode.world.kept import Kept
from vode.world.options import KINDS, WorldOptions
from vode.world.sequence import WorldSequence, held_out_sequence

OPTIONS = WorldOptions(size=(64, 192), frames=5)
STILL = replace(OPTIONS, moving=False)


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


def off_static(sequence, i, j):
    """How far the flow from i to j is from that of a static world, pixels (H, W); 0 in the sky."""
    depth = sequence.depth(i)[0].numpy().astype(float)
    T_b_a = torch.linalg.inv(sequence.poses[j]) @ sequence.poses[i]
    target, pixels = rigid_target(depth, T_b_a, sequence.intrinsics)
    off = np.abs(target - pixels - sequence.flow_between(i, j)[0].permute(1, 2, 0).numpy()).max(-1)
    return np.where(depth > 0, off, 0.0)


def test_a_sequence_is_a_pure_function_of_its_seed():
    options = replace(OPTIONS, effects=1.0, exposure=0.1, focal=(0.5, 1.0), scenes=("town", "room"))
    sequence = WorldSequence(2, options)
    forwards = [sequence.frame(i) for i in range(5)], sequence.depth(3), sequence.flow(1)[0], sequence.poses
    module._RESULTS.get("other", lambda: None, lambda made: 10**12)
    module._WORLDS.get("other", lambda: None, lambda made: 10**12)
    again = WorldSequence(2, options)
    backwards = [again.frame(i) for i in reversed(range(5))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(forwards[0], backwards, strict=True))
    assert torch.equal(forwards[1], again.depth(3))
    assert torch.equal(forwards[2], again.flow(1)[0])
    assert torch.equal(forwards[3], again.poses)
    assert not torch.equal(again.frame(0), WorldSequence(3, options).frame(0))


@pytest.mark.parametrize("kind", KINDS)
def test_warping_another_frame_by_exact_flow_gives_this_one(kind):
    sequence = WorldSequence(4, replace(OPTIONS, scenes=(kind,), size=(96, 160), focal=(0.7, 0.7), rate=20.0))
    a, b = sequence.frame(1), sequence.frame(2)
    flow, seen = sequence.flow(1)
    assert sequence.kind == kind
    assert seen.float().mean() > 0.5
    warped = (warp.backward_warp(b[None], flow[None])[0] - a).abs().mean(0)[seen[0]]
    assert warped.median() < 0.02
    assert warped.mean() < 0.06


@pytest.mark.parametrize("kind", ["town", "highway", "room"])
def test_depth_and_poses_give_the_flow_of_a_static_world_between_any_frames(kind):
    sequence = WorldSequence(1, replace(STILL, scenes=(kind,)))
    for i, j in ((0, 1), (0, 4), (3, 1)):
        assert off_static(sequence, i, j)[sequence.flow_between(i, j)[1][0].numpy()].max() < 0.02
    assert not sequence.moving(1).any()


def test_what_breaks_the_static_flow_is_marked_as_moving():
    found = 0
    for seed in range(8):
        sequence = WorldSequence(seed, replace(OPTIONS, scenes=("town", "highway")))
        off, moving = off_static(sequence, 0, 1), sequence.moving(0)[0].numpy()
        seen = sequence.flow(0)[1][0].numpy()
        assert off[~moving & seen].max() < 0.02
        found += ((off > 0.3) & moving & seen).sum()
    assert found > 100


@pytest.mark.parametrize(("i", "j"), [(1, 2), (4, 0)])
def test_visible_pixels_are_those_that_the_way_back_leads_home_from(sequence, i, j):
    flow, seen = sequence.flow_between(i, j)
    back = warp.sample(sequence.flow_between(j, i)[0][None], warp.flow_target(flow[None]))[0]
    away = (flow + back).norm(dim=0)
    assert 0.4 < seen.float().mean() < 0.999
    # the flow back is sampled between pixels, which at the edges of objects mixes two of them
    assert (away[seen[0]] < 1).float().mean() > 0.9
    inside = warp.inside(warp.flow_target(flow[None]), sequence.size)[0, 0] > 0
    hidden = inside & ~seen[0]
    if hidden.sum() > 30:
        assert away[hidden].median() > 3 * away[seen[0]].median()


def test_hidden_points_are_not_called_visible(sequence):
    flow, seen = sequence.flow_between(1, 2)
    there = warp.sample(sequence.depth(2)[None], warp.flow_target(flow[None]))[0, 0]
    depth = sequence.depth(1)[0]
    known = seen[0] & (depth > 0) & (there > 0)
    # the camera comes nearer by at most 1.5 m a frame; a nearer surface in front would show
    assert ((depth - there)[known] < 4.0).float().mean() > 0.97


def test_the_stereo_partner_sees_points_to_the_left_by_their_disparity():
    sequence = WorldSequence(3, STILL)
    left, right, depth = sequence.frame(1), sequence.right(1), sequence.depth(1)
    focal = sequence.intrinsics[0, 0]
    disparity = torch.where(depth > 0, focal * sequence.baseline / depth.clamp(min=0.1), 0.0)
    flow = torch.cat([-disparity, torch.zeros_like(disparity)])
    inside = warp.inside(warp.flow_target(flow[None]), sequence.size)[0, 0] > 0
    error = (warp.backward_warp(right[None], flow[None])[0] - left).abs().mean(0)[inside]
    assert error.median() < 0.02
    assert error.mean() < 0.5 * (right - left).abs().mean()
    assert sequence.baseline == pytest.approx(0.54)


@pytest.mark.parametrize("height", [1.2, 1.65, 2.2])
def test_ground_lies_a_camera_height_below(height):
    sequence = WorldSequence(2, replace(STILL, height=(height, height)))
    depth = sequence.depth(0)[0, -1].median().item()
    row = (sequence.size[0] - 1 - sequence.intrinsics[1, 2]) / sequence.intrinsics[1, 1]
    # the camera is mounted with a pitch and a roll of a few degrees
    assert depth * row.item() == pytest.approx(height, rel=0.35)
    assert sequence.height == pytest.approx(height)


def test_poses_begin_at_the_first_frame_and_timestamps_follow_the_rate():
    sequence = WorldSequence(1, replace(OPTIONS, frames=30, rate=20.0))
    assert torch.allclose(sequence.poses[0], torch.eye(4, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(sequence.timestamps.diff(), torch.tensor(0.05, dtype=torch.float64))
    turn = sequence.poses[:, :3, :3]
    assert torch.allclose(turn @ turn.mT, torch.eye(3, dtype=torch.float64).expand_as(turn), atol=1e-9)


def test_focal_lengths_are_drawn_between_their_bounds():
    options = replace(OPTIONS, size=(8, 100), focal=(0.45, 1.2))
    focals = [WorldSequence(seed, options).intrinsics[0, 0].item() for seed in range(40)]
    assert 45 <= min(focals) < 55
    assert 100 < max(focals) <= 120


def test_exposure_is_a_gain(sequence):
    varied = WorldSequence(2, replace(OPTIONS, exposure=0.3))
    ratios = []
    for i in range(5):
        before, after = sequence.frame(i), varied.frame(i)
        open_range = (before > 0.2) & (after < 0.99) & (before < 0.99)
        gain = (after[open_range] / before[open_range]).median()
        ratios.append(gain.item())
        # both images are rounded to 256 levels
        assert (after - gain * before)[open_range].abs().max() < 1.5 / 255
    assert max(ratios) - min(ratios) > 0.01
    assert torch.equal(varied.poses, sequence.poses)
    assert torch.equal(varied.flow(0)[0], sequence.flow(0)[0])


def test_effects_change_images_alone(sequence):
    bad = WorldSequence(2, replace(OPTIONS, effects=1.0))
    assert (bad.frame(1) - sequence.frame(1)).abs().mean() > 0.005
    assert torch.equal(bad.depth(1), sequence.depth(1))
    assert torch.equal(bad.poses, sequence.poses)


def test_the_held_out_sequence_is_long():
    sequence = held_out_sequence((64, 192))
    assert sequence.poses[:, :3, 3].diff(dim=0).norm(dim=-1).sum() > 200
    assert (sequence.size, len(sequence)) == ((64, 192), 300)


@pytest.fixture
def rendered(monkeypatch):
    """The numbers of the frames that were rendered, as they are; nothing has been before."""
    monkeypatch.setattr(module, "_RESULTS", Kept(10**9))
    render, numbers = WorldSequence._render, []
    monkeypatch.setattr(WorldSequence, "_render", lambda self, i, eye=0: numbers.append(i) or render(self, i, eye))
    return numbers


def test_sequences_are_rendered_once_for_all_epochs(rendered):
    sequences = [WorldSequence(seed, replace(OPTIONS, frames=3)) for seed in range(2)]
    for _ in range(3):
        for sequence in sequences:
            [sequence.raw(i, (32, 96)) for i in range(3)]
    assert rendered == [*range(3)] * 2


def test_threads_that_share_a_small_memory_get_the_right_images(monkeypatch):
    options = WorldOptions(size=(16, 48), frames=8)
    whole = [WorldSequence(2, options).frame(i) for i in range(8)]
    monkeypatch.setattr(module, "_RESULTS", Kept(0))
    monkeypatch.setattr(module, "_WORLDS", Kept(1))
    sequence = WorldSequence(2, options)
    numbers = np.random.default_rng(0).integers(8, size=48).tolist()
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


def test_frames_beyond_the_sequence():
    sequence = WorldSequence(2, WorldOptions(size=(8, 24), frames=2))
    assert sequence.flow(1) is None
    assert sequence.flow_back(1) is None
    for i in (-1, 2):
        with pytest.raises(IndexError, match=f"frame {i} of a sequence of 2"):
            sequence.frame(i)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_device_renders_the_same_world_and_hands_it_to_the_host(sequence):
    there = WorldSequence(2, OPTIONS, device="cuda")
    assert all(x.device.type == "cpu" for x in (there.frame(0), there.depth(0), *there.flow(0), there.poses))
    assert ((there.depth(0) - sequence.depth(0)).abs() < 1e-3 * sequence.depth(0) + 1e-3).float().mean() > 0.99
    assert ((there.frame(0) - sequence.frame(0)).abs() <= 2 / 255).float().mean() > 0.97
    assert ((there.flow(0)[0] - sequence.flow(0)[0]).abs() < 0.01).float().mean() > 0.99


def test_the_sky_is_unknown_depth_at_infinity():
    sequence = WorldSequence(2, replace(STILL, scenes=("country",)))
    sky = (sequence.depth(1) == 0)[0].numpy()
    assert sky.sum() > 200
    assert not sky[55:].any()
    turn = torch.linalg.inv(sequence.poses[2]) @ sequence.poses[1]
    turn[:3, 3] = 0
    target, pixels = rigid_target(np.ones(sky.shape), turn, sequence.intrinsics)
    assert np.abs(target - pixels - sequence.flow(1)[0].permute(1, 2, 0).numpy())[sky].max() < 0.01


@pytest.mark.parametrize("kind", ["town", "country"])
def test_a_closed_way_comes_back_to_its_place_and_heading(kind):
    options = WorldOptions(size=(8, 24), frames=1500, scenes=(kind,), speed=(6.0, 8.0), closed=True, moving=False)
    poses = WorldSequence(5, options).poses
    travelled = torch.cat([torch.zeros(1), poses[:, :3, 3].diff(dim=0).norm(dim=-1).cumsum(0)])
    away = poses[:, :3, 3].norm(dim=-1)
    turned = torch.arccos(((poses[:, :3, :3].diagonal(dim1=1, dim2=2).sum(-1) - 1) / 2).clamp(-1, 1)).rad2deg()
    back = (travelled > 500) & (away < 2.0) & (turned < 12)
    assert back.any(), f"nearest {away[travelled > 500].min():.1f} m"


def test_a_camera_that_stands_sees_all_of_what_it_saw(sequence):
    flow, seen = sequence.flow_between(3, 3)
    assert flow.abs().max() < 1e-3
    assert seen.all()


def test_the_right_image_is_blurred_by_its_own_motion_and_has_noise_of_its_own():
    slow = replace(STILL, speed=(0.0, 0.05), scenes=("town",))
    plain = WorldSequence(2, slow)
    blurred = WorldSequence(2, slow)
    blurred._key = "blurred"
    blurred.imaging = Imaging(shutter=0.5, noise=0.03)
    changes = [(blurred.frame(1) - plain.frame(1)), (blurred.right(1) - plain.right(1))]
    # the noise alone, for hardly anything moves
    assert changes[1].std() < 1.2 * changes[0].std()
    assert torch.corrcoef(torch.stack([change.flatten() for change in changes]))[0, 1].abs() < 0.05
