"""Runs with stereo: depth in metres for whoever loads them, from the world and from KITTI's pairs."""

import dataclasses

import pytest
import torch

import vode
from vode.datasets.sample import collate
from vode.errors import InputError
from vode.geometry.resize import resize_images
from vode.io.depth import write_depth
from vode.io.image import write_image
from vode.networks.depth import DepthNet
from vode.networks.options import DepthOptions
from vode.recipes import recipe
from vode.run_folder import RunFolder
from vode.training.loop import build_networks, train
from vode.view_synthesis import family
from vode.view_synthesis.config import ViewSynthesisConfig
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (32, 96)
WORLD = WorldOptions(size=SIZE, frames=3)
SEQUENCE = WorldSequence(3, WORLD)


@pytest.fixture(autouse=True)
def scored_on(monkeypatch):
    """A short sequence that finished runs are scored on."""
    monkeypatch.setattr("vode.view_synthesis.family.scoring_sequence", lambda config: SEQUENCE)


def tiny(name, **changes):
    config = recipe(name)
    stage = dataclasses.replace(config.depth_stage, steps=1)
    small = dataclasses.replace(config, size=SIZE, batch=1, sequences=("3",), world=WORLD, depth_stage=stage)
    return dataclasses.replace(small, **{"workers": 0, "visualize_every": 1, "precision": "float32"} | changes)


def test_a_run_of_frames_and_pairs_tells_depth_and_motion_in_metres(tmp_path):
    results = train(tiny("monodepth2-mono-stereo-small"), tmp_path)
    assert 0 < results["depth_abs_rel"] < 2
    # as they are, in metres
    assert 0 < results["depth_abs_rel_metres"] < 2
    focal = float(SEQUENCE.intrinsics[1, 1])
    config = RunFolder(tmp_path).read_config(ViewSynthesisConfig)
    assert config.depth.canonical_focal == pytest.approx(focal)
    model = vode.load(tmp_path)
    assert model.metric
    assert model.pose is not None
    assert model.tracker.tracker == "pose-network"
    image = torch.rand(*SIZE, 3)
    near, far = (model.predict_depth(image, camera=factor * focal) for factor in (1, 2))
    torch.testing.assert_close(far, 2 * near)


def test_a_run_of_pairs_from_files_is_tracked_by_geometry(tmp_path):
    """Two frames of the world as KITTI's stereo set, at twice the size."""
    root, size = tmp_path / "kitti", (2 * SIZE[0], 2 * SIZE[1])
    for folder in ("image_2", "image_3", "disp_occ_0", "calib_cam_to_cam"):
        (root / folder).mkdir(parents=True)
    focal = 2 * float(SEQUENCE.intrinsics[0, 0])
    for i, scene in enumerate(("000000", "000001")):
        for folder, image in (("image_2", SEQUENCE.frame(i)), ("image_3", SEQUENCE.right(i))):
            write_image(root / folder / f"{scene}_10.png", resize_images(image[None], size)[0])
        depth = SEQUENCE.depth(i).repeat_interleave(2, -1).repeat_interleave(2, -2)
        write_depth(root / "disp_occ_0" / f"{scene}_10.png", torch.where(depth > 0, focal * 0.54 / depth, 0.0))
        rows = (f"P_rect_0{k}: {focal} 0 95 {-focal * 0.54 * (k - 2)} 0 {focal} 31 0 0 0 1 0\n" for k in (2, 3))
        (root / "calib_cam_to_cam" / f"{scene}.txt").write_text("".join(rows))
    train(tiny("monodepth-small", dataset="kitti-2015", data=root, sequences=()), tmp_path / "run")
    model = vode.load(tmp_path / "run")
    assert model.depth.options.canonical_focal == pytest.approx(focal / 2)
    assert model.metric
    assert (model.pose, model.tracker.tracker) == (None, "vode")
    assert RunFolder(tmp_path / "run").read_config(ViewSynthesisConfig).objective == "left-right"


def test_real_pairs_are_samples(tmp_path, real_data):
    if not (real_data / "kitti_2015").is_dir():
        pytest.skip(f"not there: {real_data / 'kitti_2015'}")
    kitti = {"dataset": "kitti-2015", "data": real_data / "kitti_2015", "sequences": ()}
    config = family.prepare(tiny("monodepth-small", **kitti), RunFolder(tmp_path))
    assert config.depth.canonical_focal == pytest.approx(721.5377 * 32 / 375, rel=1e-3)
    samples = family.samples(config, RunFolder(tmp_path))
    assert len(samples) == len(samples.sequences)
    raw = dataclasses.replace(config, augment=None)
    batch = collate([family.snippets(raw, samples.sequences[:1])[0]])
    assert batch["right"].dtype == torch.uint8
    assert batch["baseline"].item() == pytest.approx(0.5327)
    with pytest.raises(InputError, match="too few for clips that span 3"):
        family.samples(tiny("monodepth2-mono-stereo-small", **kitti), RunFolder(tmp_path))


def test_a_start_must_be_metric(tmp_path):
    start = tmp_path / "start"
    RunFolder(start).write_weights({"depth": DepthNet(DepthOptions(decoder=(8, 8, 8, 8, 8)))})
    with pytest.raises(InputError, match="its depth is up to scale, that of stereo in metres"):
        build_networks(tiny("monodepth2-stereo-small", start_from=start, depth=DepthOptions()))


def test_sequences_of_one_camera_are_refused(tmp_path, real_data):
    if not (real_data / "kitti_odometry").is_dir():
        pytest.skip(f"not there: {real_data / 'kitti_odometry'}")
    grey = {"dataset": "kitti-odom", "data": real_data / "kitti_odometry", "sequences": ("00",), "camera": (0,)}
    with pytest.raises(InputError, match="00: no camera on its right"):
        train(tiny("monodepth-small", **grey), tmp_path)
