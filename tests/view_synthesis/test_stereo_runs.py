"""Runs with stereo: depth in metres for whoever loads them, from the world and from KITTI's pairs."""

import dataclasses

import pytest
import torch

import vode
from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.networks.depth import DepthNet
from vode.networks.options import DepthOptions
from vode.recipes import recipe
from vode.run_folder import RunFolder
from vode.training.loop import train
from vode.view_synthesis.config import ViewSynthesisConfig
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (32, 96)
WORLD = WorldOptions(size=SIZE, frames=3)


@pytest.fixture(autouse=True)
def scored_on(monkeypatch):
    """A short sequence that finished runs are scored on."""
    monkeypatch.setattr("vode.view_synthesis.family.scoring_sequence", lambda config: WorldSequence(3, WORLD))


def tiny(name, **changes):
    config = recipe(name)
    stage = dataclasses.replace(config.depth_stage, steps=1)
    small = dataclasses.replace(config, size=SIZE, batch=1, sequences=("3",), world=WORLD, depth_stage=stage)
    return dataclasses.replace(small, workers=0, visualize_every=1, precision="float32", **changes)


@pytest.mark.parametrize("name", ["monodepth", "monodepth2-stereo", "monodepth2-mono-stereo"])
def test_runs_have_depth_in_metres(tmp_path, name):
    results = train(tiny(f"{name}-small"), tmp_path / "run")
    assert 0 < results["depth_abs_rel"] < 2
    # as they are, in metres
    assert 0 < results["depth_abs_rel_metres"] < 2
    config = RunFolder(tmp_path / "run").read_config(ViewSynthesisConfig)
    focal = float(WorldSequence(3, WORLD).intrinsics[1, 1])
    assert config.depth.canonical_focal == pytest.approx(focal)
    model = vode.load(tmp_path / "run")
    assert model.metric
    assert (model.pose is not None) == name.endswith("mono-stereo")
    image = torch.rand(*SIZE, 3)
    near, far = (model.predict_depth(image, camera=factor * focal) for factor in (1, 2))
    torch.testing.assert_close(far, 2 * near)
    motions = "pose-network" if model.pose is not None else "vode"
    assert model.tracker.tracker == motions


def test_real_pairs_are_trained_on(tmp_path, real_data):
    if not (real_data / "kitti_2015").is_dir():
        pytest.skip(f"not there: {real_data / 'kitti_2015'}")
    kitti = {"dataset": "kitti-2015", "data": real_data / "kitti_2015", "sequences": ()}
    train(tiny("monodepth-small", **kitti), tmp_path / "run")
    depth = RunFolder(tmp_path / "run").load_network(DepthNet)
    assert depth.options.canonical_focal == pytest.approx(721.5377 * 32 / 375, rel=1e-3)
    with pytest.raises(InputError, match="too few for clips that span 3"):
        train(tiny("monodepth2-mono-stereo-small", **kitti), tmp_path / "other")


def test_a_start_must_be_metric(tmp_path):
    start = tmp_path / "start"
    vode.Model(DepthNet(DepthOptions(scales=4)), vode.load("vode-small").flow, size=SIZE).save_pretrained(start)
    with pytest.raises(InputError, match="its depth is up to scale, that of stereo in metres"):
        train(tiny("monodepth2-stereo-small", start_from=start, depth=DepthOptions()), tmp_path / "run")


def test_sequences_of_one_camera_are_refused(tmp_path, real_data):
    if not (real_data / "kitti_odometry").is_dir():
        pytest.skip(f"not there: {real_data / 'kitti_odometry'}")
    data = DataOptions("kitti-odom", real_data / "kitti_odometry", sequences=("00",), camera=(0,))
    options = {field.name: getattr(data, field.name) for field in dataclasses.fields(data)}
    with pytest.raises(InputError, match="00: no camera on its right"):
        train(tiny("monodepth-small", **options), tmp_path / "run")
