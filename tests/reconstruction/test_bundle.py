"""All keyframes refined together come to the exact cameras that saw exact points."""

import numpy as np
import pytest
import torch

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.geometry.pose import from_rotation_translation, inverse, se3_exp
from vode.reconstruction.bundle import adjust, carried
from vode.reconstruction.options import BundleOptions
from vode.reconstruction.points import Observations

SIZE, FOCAL, CENTRE = (240, 320), (260.0, 280.0), (162.0, 117.0)
CAMERA = Camera(SIZE, FOCAL, CENTRE)
VIEWS, POINTS = 12, 160


def path():
    """A camera that goes forward, sways and looks around; (V, 4, 4)."""
    t = torch.linspace(0, 1, VIEWS, dtype=torch.float64)
    twist = torch.stack([0.8 * torch.sin(4 * t), 0.2 * t, 3 * t, 0.05 * t, 0.1 * torch.sin(5 * t), 0.02 * t], -1)
    return se3_exp(twist)


def scene(k1=0.0, seed=0):
    """Exact observations of random points by the path's cameras, whose lens has k1."""
    rng = np.random.default_rng(seed)
    points = rng.uniform([-6, -4, 4], [6, 4, 14], (POINTS, 3))
    rows = []
    for view, T in enumerate(inverse(path()).numpy()):
        local = points @ T[:3, :3].T + T[:3, 3]
        xy = local[:, :2] / local[:, 2:]
        xy = xy * (1 + k1 * np.square(xy).sum(1, keepdims=True))
        pixels = xy * FOCAL + CENTRE
        seen = (local[:, 2] > 0.5) & (pixels > 0).all(1) & (pixels < SIZE[::-1]).all(1)
        rows += [(k, view, *pixels[k]) for k in np.flatnonzero(seen)]
    table = torch.tensor(rows, dtype=torch.float64)
    return Observations(table[:, 0].long(), table[:, 1].long(), table[:, 2:])


def drifted():
    """The path by odometry whose scale and heading drift."""
    motions = inverse(path()[:-1]) @ path()[1:]
    grown = motions[:, :3, 3] * torch.linspace(0.97, 1.03, VIEWS - 1, dtype=torch.float64)[:, None]
    turn = se3_exp(torch.tensor([0, 0, 0, 0.001, 0.002, 0.0], dtype=torch.float64))
    poses = [path()[0]]
    for motion in from_rotation_translation(motions[:, :3, :3], grown):
        poses.append(poses[-1] @ motion @ turn)
    return torch.stack(poses)


def errors(found):
    """Largest errors of the motions from the first camera, relative to the path, and of the rotations."""
    exact, poses = (inverse(x[:1]) @ x for x in (path(), found))
    scale = exact[-1, :3, 3].norm() / poses[-1, :3, 3].norm()
    away = (scale * poses[:, :3, 3] - exact[:, :3, 3]).norm(dim=-1).max() / exact[-1, :3, 3].norm()
    return float(away), float((poses[:, :3, :3] - exact[:, :3, :3]).abs().max())


def test_drift_is_gone_and_the_start_and_the_level_of_the_scale_stay():
    start = drifted()
    assert errors(start)[0] > 0.01
    bundle = adjust(scene(), start, CAMERA)
    assert max(errors(bundle.T_world_cam)) < 1e-5
    torch.testing.assert_close(bundle.T_world_cam[0], start[0], atol=1e-9, rtol=0)
    lengths = [(x[1:, :3, 3] - x[:-1, :3, 3]).norm(dim=-1) for x in (start, bundle.T_world_cam)]
    assert float((lengths[0] / lengths[1]).log().median()) == pytest.approx(0, abs=1e-9)
    assert bundle.camera is CAMERA
    assert bundle.error < 1e-3 < bundle.error_before


def test_what_the_lens_distorts_is_found():
    seen = scene(k1=0.04)
    plain = adjust(seen, drifted(), CAMERA)
    bundle = adjust(seen, drifted(), CAMERA, BundleOptions(camera="distortion"))
    assert bundle.camera.distortion[0] == pytest.approx(0.04, abs=1e-5)
    assert bundle.camera.focal == pytest.approx(FOCAL)
    assert max(errors(bundle.T_world_cam)) < 1e-4 < 0.1 * max(errors(plain.T_world_cam))
    # a camera that is known already is taken as it is
    again = adjust(seen, drifted(), bundle.camera)
    assert max(errors(again.T_world_cam)) < 1e-4


def test_the_focal_length_is_found_where_the_camera_turns():
    wrong = Camera(SIZE, (1.03 * FOCAL[0], 1.03 * FOCAL[1]), CENTRE)
    bundle = adjust(scene(), drifted(), wrong, BundleOptions(camera="focal"))
    assert bundle.camera.focal == pytest.approx(FOCAL, rel=1e-4)


def test_wrong_observations_do_not_count():
    seen = scene()
    wrong = torch.rand(len(seen.pixels), generator=torch.Generator().manual_seed(1)) < 0.03
    pixels = torch.where(wrong[:, None], seen.pixels + torch.tensor([7.0, -5.0], dtype=torch.float64), seen.pixels)
    bundle = adjust(seen._replace(pixels=pixels), drifted(), CAMERA)
    assert max(errors(bundle.T_world_cam)) < 1e-3
    assert bundle.observations <= int((~wrong).sum())


def test_too_little_is_refused():
    seen = scene()
    few = Observations(*(x[seen.point < 40] for x in seen))
    with pytest.raises(InputError, match="too few to refine all together"):
        adjust(few, drifted(), CAMERA)


def test_frames_in_between_are_carried_along():
    every = path()
    frames = torch.tensor([2, 5, 9])
    moved = se3_exp(torch.tensor([3.0, -1.0, 2.0, 0.1, 0.4, 0.0], dtype=torch.float64))
    after = moved @ every[frames]
    found = carried(frames, every[frames], after, every)
    torch.testing.assert_close(found, moved @ every)
    # the last part grows to twice its size
    after[2, :3, 3] += after[2, :3, 3] - after[1, :3, 3]
    found = carried(frames, every[frames], after, every)
    torch.testing.assert_close(found[frames], after)
    torch.testing.assert_close(found[:6], (moved @ every)[:6])
    steps = (found[6:10, :3, 3] - found[5:9, :3, 3]).norm(dim=-1)
    torch.testing.assert_close(steps, 2 * (every[6:10, :3, 3] - every[5:9, :3, 3]).norm(dim=-1), rtol=0.05, atol=0)


def test_who_is_asked_to_stop_leaves_what_is_there_by_then():
    seen = scene()
    whole, early = adjust(seen, drifted(), CAMERA), adjust(seen, drifted(), CAMERA, stopped=[2])
    assert whole.error < early.error < early.error_before
    assert early.T_world_cam.shape == (VIEWS, 4, 4)
    assert errors(early.T_world_cam)[0] < errors(drifted())[0]
