"""Training by name, and folders of runs."""

import pytest

import vode
from vode.pipelines.train import free_folder
from vode.training import video
from vode.training.config import VideoStage


def test_runs_get_folders_of_their_own(tmp_path):
    assert free_folder(tmp_path / "world") == tmp_path / "world"
    (tmp_path / "world").mkdir()
    assert free_folder(tmp_path / "world") == tmp_path / "world-2"


def test_a_recipe_is_trained_with_changes_and_resumed(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "score_run", lambda *_: {"ate_m": 1.5})
    monkeypatch.chdir(tmp_path)
    stage = VideoStage(steps=1)
    changes = {"sequences": ("0",), "size": (64, 96), "batch": 2, "device": "cpu", "stages": ("flow",)}
    folder, results = vode.train("world", flow_stage=stage, **changes)
    assert folder.path.parts == ("runs", "world")
    assert results["ate_m"] == 1.5
    assert vode.resume(folder.path)[1]["ate_m"] == 1.5
    with pytest.raises(vode.InputError, match="runs/world: holds a run already"):
        vode.train("world", "runs/world", flow_stage=stage, **changes)
    again = vode.train("world", "runs/world", flow_stage=stage, existing="resume", **changes)
    assert again[1]["ate_m"] == 1.5
    with pytest.raises(vode.InputError, match="runs/world: batch, seed of its run differ from what is asked for"):
        vode.train("world", "runs/world", flow_stage=stage, existing="resume", **changes | {"batch": 4, "seed": 7})
    with pytest.raises(vode.InputError, match="whose folder is named"):
        vode.train("world", flow_stage=stage, existing="resume", **changes)


def test_wrong_names_are_input_errors(tmp_path):
    with pytest.raises(vode.InputError, match="'batches'"):
        vode.train("world", tmp_path / "run", batches=3)
    with pytest.raises(vode.InputError, match="no recipe is called 'nothing'; choose one of world, kitti-odom"):
        vode.train("nothing", tmp_path / "run")
