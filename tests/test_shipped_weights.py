"""Weights that ship with the package: taken by name wherever a run's folder is, and never written to."""

import json
import shutil

import pytest
import torch

import vode
from vode import run_folder
from vode.cli import main
from vode.io.image import write_image
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import DepthOptions
from vode.pipelines import depth, evaluation_data
from vode.recipes import recipe
from vode.run_folder import RunFolder, find_run
from vode.training import video
from vode.training.config import VideoConfig
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

NAME, OPTIONS = "vode-tiny", DepthOptions(decoder=(8, 8, 16, 16, 16), canonical_focal=60.0)


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    return {"depth": DepthNet(OPTIONS).eval(), "flow": FlowNet().eval()}


@pytest.fixture
def shipped(tmp_path, monkeypatch, networks):
    """A package with weights of one name; the current folder is another, empty one."""
    monkeypatch.setattr(run_folder, "SHIPPED", tmp_path / "weights")
    folder = RunFolder(tmp_path / "weights" / NAME)
    folder.write_config(VideoConfig(size=(64, 96), depth=OPTIONS))
    folder.write_weights(networks, half=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    sequence = WorldSequence(99, WorldOptions(size=(64, 96), frames=3))
    monkeypatch.setattr(video, "scoring_sequence", lambda config: sequence)
    for module in (depth, evaluation_data):
        monkeypatch.setattr(module, "held_out_sequence", lambda size: sequence)
    return folder


def content(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.path.rglob("*")}


def test_a_name_is_loaded_in_float32(shipped, networks):
    model = vode.load(NAME, device="cpu")
    assert (model.size, model.metric, model.source) == ((64, 96), True, NAME)
    for name, value in networks["depth"].state_dict().items():
        loaded = model.depth.state_dict()[name]
        assert loaded.dtype == value.dtype
        torch.testing.assert_close(loaded, value, rtol=1e-3, atol=1e-6)


def test_an_unknown_name_lists_those_there_are(shipped, tmp_path):
    for source in ("vode-tinny", "../weights/nothing", tmp_path / "nothing"):
        with pytest.raises(vode.InputError, match="nor shipped weights of that name; shipped are vode-tiny"):
            vode.load(source)
    shutil.rmtree(shipped.path)
    with pytest.raises(vode.InputError, match="shipped are none"):
        vode.load(NAME)


def test_a_run_of_that_name_wins_and_another_folder_does_not(shipped, tmp_path):
    (tmp_path / "here" / NAME).mkdir()
    assert find_run(NAME).is_shipped
    RunFolder(NAME).write_config(recipe("world"))
    assert not find_run(NAME).is_shipped
    assert find_run(NAME).output("depth").resolve() == tmp_path / "here" / NAME / "depth"


def test_damaged_and_foreign_files_are_refused_by_name(shipped):
    file = shipped.path / "depth.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])
    with pytest.raises(vode.InputError, match=r"vode-tiny/depth\.safetensors: damaged weights"):
        vode.load(NAME)
    file.write_bytes((shipped.path / "flow.safetensors").read_bytes())
    with pytest.raises(vode.InputError, match=r"vode-tiny/depth\.safetensors: weights of kind 'flow'"):
        vode.load(NAME)


def test_verbs_take_the_name_and_write_beside_the_package(shipped, tmp_path, capfd):
    before = content(shipped)
    for arguments in (["odom", NAME, "--alignment", "none"], ["depth", NAME, "--scaling", "none"]):
        assert main([*arguments, "--device", "cpu"]) == 0
    out = tmp_path / "here" / "runs" / "shipped" / NAME
    assert {path.name for path in out.iterdir()} == {"odometry", "depth"}
    write_image(tmp_path / "here" / "a.png", torch.rand(3, 70, 120))
    capfd.readouterr()
    assert main(["predict", "depth", "a.png", "--model", NAME, "--device", "cpu"]) == 0
    assert "a focal length of 96 pixels is assumed" in capfd.readouterr().out
    assert main(["predict", "depth", "a.png", "--model", NAME, "--fov", "90", "--out", "known"]) == 0
    assert "assumed" not in capfd.readouterr().out
    assert json.loads((tmp_path / "here" / "known" / "prediction.json").read_text())["unit"] == "metres"
    assert content(shipped) == before


def test_training_starts_from_the_name(shipped, tmp_path, networks):
    arguments = "--sequences 0 --size 64 96 --world.frames 3 --batch 2 --flow-stage.steps 1 --depth-stage.steps 0"
    arguments += f" --joint-stage.steps 0 --device cpu --start-from {NAME} --run started"
    assert main(["train", "world", *arguments.split()]) == 0
    config = json.loads((tmp_path / "here" / "started" / "config.json").read_text())
    assert config["start_from"] == NAME
    assert config["depth"]["canonical_focal"] == 60
    started = RunFolder("started").load_network(DepthNet)
    torch.testing.assert_close(started.heads[0].weight, networks["depth"].heads[0].weight, rtol=1e-3, atol=1e-5)
