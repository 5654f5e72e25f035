"""The verb relocalize: what it prints and writes, and bad input in one line with status 2."""

import csv
import json
import shlex

import numpy as np
import pytest

from vode.cli import main

TINY = shlex.split(
    "--dataset world --world.frames 10 --size 48 48 --views.resize 64 --views.block 2 --batch 4 --device cpu "
    "--coarse-stage.steps 0 --pose-stage.steps 2 --pose.features 32 --precision float32"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("relocalize") / "run"
    assert main(["train", "posenet", *TINY, "--run", str(folder)]) == 0
    return folder


def refused(capfd, *arguments):
    capfd.readouterr()
    assert main([str(argument) for argument in arguments]) == 2
    err = [line for line in capfd.readouterr().err.splitlines() if line]
    assert len(err) == 1, err
    return err[0]


def test_a_run_is_scored_and_drawn(run, tmp_path, capfd):
    assert main(["relocalize", str(run), "--json", str(tmp_path / "numbers.json"), "--saliency", "2"]) == 0
    out = capfd.readouterr().out
    assert "ms_per_image" in out
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    trained = json.loads((run / "results.json").read_text())
    for name in ("median_position_m", "median_rotation_deg", "constant_position_m", "nearest_image_rotation_deg"):
        assert numbers[name] == pytest.approx(trained[name], rel=1e-5)
    assert numbers["images"] == 2
    rows = list(csv.DictReader((run / "relocalization" / "test.csv").open()))
    assert [row["image"] for row in rows] == ["world0/000008", "world0/000009"]
    median = np.median([float(row["position_m"]) for row in rows])
    assert numbers["median_position_m"] == pytest.approx(median, abs=1e-5)
    for name in ("test-places.png", "test-errors.png", "test-saliency.png"):
        assert (run / "relocalization" / name).stat().st_size > 3000


def test_the_training_images_can_be_scored_too(run, tmp_path, capfd):
    assert main(["relocalize", str(run), "--split", "train", "--out", str(tmp_path), "--plot-format", "pdf"]) == 0
    assert len((tmp_path / "train.csv").read_text().splitlines()) == 1 + 8
    assert (tmp_path / "train-places.pdf").read_bytes()[:4] == b"%PDF"


def test_bad_input_is_one_line(run, tmp_path, capfd):
    assert "no such run" in refused(capfd, "relocalize", tmp_path / "nothing")
    line = refused(capfd, "relocalize", run, "--dataset", "7scenes", "--data", tmp_path)
    assert str(tmp_path) in line
    line = refused(capfd, "train", "posenet", "--data", tmp_path, "--run", tmp_path / "run")
    assert "TrainSplit.txt" in line
    line = refused(capfd, "train", "posenet", *TINY, "--views.resize", "40", "--run", tmp_path / "run")
    assert "do not hold a view" in line
    line = refused(
        capfd, "train", "posenet", *TINY, "--pose.backbone-weights", tmp_path / "w.pth", "--run", tmp_path / "r"
    )
    assert "w.pth: no such weights file" in line
    assert not (tmp_path / "run").exists()


def test_a_run_of_depth_is_no_run_of_places(run, tmp_path, capfd):
    (tmp_path / "config.json").write_text((run / "config.json").read_text())
    assert "pose.safetensors: no such weights" in refused(capfd, "relocalize", tmp_path)
