"""The command line: every verb on tiny data, and bad input in one line with status 2."""

import json
import re
import shlex
import shutil

import numpy as np
import pytest
import torch

from vode.cli import main
from vode.cli.train import free_folder
from vode.io.depth import write_depth
from vode.io.flow import read_flow, write_flow
from vode.io.image import write_image
from vode.training import video
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

TINY = shlex.split(
    "--sequences 0 --size 64 96 --world.frames 4 --batch 2 --flow-stage.steps 2 --depth-stage.steps 1 "
    "--joint-stage.steps 1 --motion.count 500 --device cpu"
)


@pytest.fixture(autouse=True, scope="module")
def short_drives():
    """Held-out drives of a few frames."""
    drive = WorldSequence(99, WorldOptions(size=(64, 96), frames=4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(video, "scoring_sequence", lambda config: drive)
        patch.setattr("vode.world.sequence.held_out_sequence", lambda size: drive)
        yield


@pytest.fixture(scope="module")
def run(short_drives, tmp_path_factory):
    """The folder of a finished tiny run."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    assert main(["train", "world", *TINY, "--run", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def kitti(tmp_path_factory):
    """Two drives of the world written in the KITTI odometry layout."""
    folder = tmp_path_factory.mktemp("cli") / "kitti"
    arguments = ["--seeds", "3", "4", "--size", "64", "96", "--frames", "4", "--camera", "0", "--device", "cpu"]
    assert main(["world", "--out", str(folder), *arguments]) == 0
    return folder


def refused(capfd, *arguments):
    """The one line that a refused call prints."""
    capfd.readouterr()
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    lines = [line for line in err.splitlines() if line]
    assert len(lines) == 1, err
    assert lines[0].startswith("vode: ")
    return lines[0]


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
    assert [row["frame"] for row in log] == list(range(1, len(poses)))
    assert {"how", "why", "inliers", "parallax", "scale_deviation"} <= log[0].keys()
    assert (run / "depth" / "world99.png").stat().st_size > 5000


def test_kitti_layout_is_trained_and_evaluated_through_its_reader(run, kitti, tmp_path):
    arguments = [*TINY, "--sequences", "03", "04", "--data", str(kitti), "--camera", "0"]
    arguments += ["--start-from", str(run), "--run", str(tmp_path / "run")]
    assert main(["train", "kitti-odom-small", *arguments]) == 0
    where = ["--data", str(kitti), "--sequences", "03", "04", "--camera", "0"]
    for verb in ("odom", "depth"):
        file = tmp_path / f"{verb}.json"
        extra = ["--alignment", "none"] if verb == "odom" else []
        assert main([verb, str(tmp_path / "run"), *where, *extra, "--json", str(file)]) == 0
        assert json.loads(file.read_text())["sequences"].keys() == {"03", "04"}


def test_a_prepared_copy_is_trained_on_and_tells_what_it_is(run, kitti, tmp_path, capfd):
    out = tmp_path / "copy"
    where = ["--data", str(kitti), "--sequences", "03", "04", "--camera", "0"]
    assert main(["prepare", "--out", str(out), *where, "--size", "64", "96", "--kind", "png"]) == 0
    assert "2 sequences, 8 images written" in capfd.readouterr().out
    arguments = [*TINY, "--sequences", "03", "04", "--data", str(out), "--camera", "0", "--run", str(tmp_path / "run")]
    assert main(["train", "kitti-odom-small", *arguments, "--start-from", str(run)]) == 0
    assert main(["data", "check", "--data", str(out), "--camera", "0", "--json", str(tmp_path / "report.json")]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert [sequence["frames"] for sequence in report["sequences"]] == [4, 4]
    assert "--out" in refused(capfd, "prepare", "--out", out, *where, "--size", "32", "48")


def test_data_is_checked_and_damage_is_named(kitti, tmp_path, capfd):
    broken = tmp_path / "kitti"
    shutil.copytree(kitti, broken)
    assert main(["data", "check", "--data", str(broken), "--camera", "0"]) == 0
    out = capfd.readouterr().out
    assert "03, camera 0: 4 frames; 96x64" in out
    assert "missing: 00: none of 4541 frames" in out
    image = broken / "sequences" / "04" / "image_0" / "000002.png"
    image.write_bytes(image.read_bytes()[:100])
    assert "1 problems" in refused(capfd, "data", "check", "--data", broken, "--camera", "0")
    arguments = [*TINY, "--sequences", "04", "--data", broken, "--camera", "0", "--run", tmp_path / "run"]
    assert "000002.png: the image is cut short" in refused(
        capfd, "train", "kitti-odom-small", *arguments, "--workers", "1"
    )
    assert "no verb is called 'data'" in refused(capfd, "data", "chek", "--data", broken)


def test_test_sets_that_were_trained_on_are_refused(run, kitti, tmp_path, capfd):
    root = tmp_path / "kitti"
    for part in ("sequences", "poses"):
        (root / part).mkdir(parents=True)
    for old, new in (("03", "05"), ("04", "09")):
        (root / "sequences" / new).symlink_to(kitti / "sequences" / old)
        (root / "poses" / f"{new}.txt").symlink_to(kitti / "poses" / f"{old}.txt")
    where = ["--data", str(root), "--camera", "0"]
    seen = [*TINY, "--sequences", "09", *where, "--start-from", str(run)]
    assert "odometry 09): a test drive" in refused(capfd, "train", "kitti-odom-small", *seen, "--run", tmp_path / "no")
    assert not (tmp_path / "no").exists()
    assert main(["train", "kitti-odom-small", *seen, "--allow-leak", "--run", str(tmp_path / "run")]) == 0
    test = ["odom", str(tmp_path / "run"), *where, "--sequences", "09", "--alignment", "none"]
    assert "trained on" in refused(capfd, *test)
    assert main([*test, "--allow-leak"]) == 0
    later = [
        *TINY,
        "--sequences",
        "05",
        *where,
        "--start-from",
        str(tmp_path / "run"),
        "--run",
        str(tmp_path / "later"),
    ]
    assert main(["train", "kitti-odom-small", *later]) == 0
    assert "odometry 09" in refused(capfd, "odom", tmp_path / "later", *where, "--sequences", "09")
    assert "Eigen" not in refused(capfd, "depth", tmp_path / "later", "--data", root, "--dataset", "kitti-eigen")


def test_own_images_are_trained_on_and_tracked(run, tmp_path, capfd):
    drive = WorldSequence(3, WorldOptions(size=(64, 96), frames=4))
    (tmp_path / "walk").mkdir()
    for i in range(4):
        write_image(tmp_path / "walk" / f"{i}.png", drive.frame(i))
    where = ["--dataset", "folder", "--data", str(tmp_path / "walk")]
    assert "(--calibration, --fov)" in refused(capfd, "odom", run, *where)
    assert main(["odom", str(run), *where, "--fov", "82", "--out", str(tmp_path / "out")]) == 0
    assert np.loadtxt(tmp_path / "out" / "walk.txt").shape == (4, 12)
    arguments = [*TINY, "--sequences", "walk", *where, "--fov", "82", "--run", str(tmp_path / "run")]
    assert main(["train", "world", *arguments]) == 0


def test_trajectory_files_are_scored_alone(kitti, tmp_path):
    ground_truth = kitti / "poses" / "03.txt"
    file = tmp_path / "out.json"
    assert (
        main(["odom", "--estimate", str(ground_truth), "--ground-truth", str(ground_truth), "--json", str(file)]) == 0
    )
    assert json.loads(file.read_text())["ate_m"] == pytest.approx(0, abs=1e-9)


def test_poses_can_be_refined_together(run, tmp_path, capfd):
    for way in ("none", "window"):
        assert main(["odom", str(run), "--alignment", "none", "--refine", way, "--out", str(tmp_path / way)]) == 0
    one, two = ((tmp_path / way / "world99.txt").read_text() for way in ("none", "window"))
    assert one.count("\n") == two.count("\n")
    assert "--refine" in refused(capfd, "odom", "--estimate", "a.txt", "--ground-truth", "a.txt", "--refine", "window")


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
    where = ["--data", str(kitti), "--sequences", "03", "--camera", "0", "--alignment", "none", "--format", "svg"]
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
    assert names == {"03.txt", "03.log.jsonl", "03.svg", "03-coordinates.svg", "03-error-vode.svg", "03-error-slam.svg"}
    assert "slam &" in files["table.tex"].read_text()


def test_depth_is_predicted_once_and_scored_again(run, kitti, tmp_path, capfd):
    where = ["--data", str(kitti), "--sequences", "03", "--camera", "0"]
    kept, files = tmp_path / "depth.npz", [tmp_path / "a.json", tmp_path / "b.json"]
    assert main(["depth", str(run), *where, "--save-predictions", str(kept), "--json", str(files[0])]) == 0
    assert main(["depth", *where, "--predictions", str(kept), "--json", str(files[1])]) == 0
    assert files[0].read_text() == files[1].read_text()
    several = ["--data", kitti, "--sequences", "03", "04", "--camera", "0"]
    assert "one sequence" in refused(capfd, "depth", "--predictions", kept, *several)
    assert "either" in refused(capfd, "depth", run, "--predictions", kept)
    assert "either" in refused(capfd, "depth")
    assert "frame 0" in refused(capfd, *["depth", *where[:3], "04", *where[4:], "--predictions", kept])


def test_depth_of_a_test_set_beside_published_rows(run, tmp_path, capfd):
    root = tmp_path / "kitti"
    for folder in ("image_2", "disp_occ_0"):
        (root / folder).mkdir(parents=True)
    for number in range(2):
        write_image(root / "image_2" / f"{number:06d}_10.png", torch.rand(3, 64, 96))
        write_depth(root / "disp_occ_0" / f"{number:06d}_10.png", torch.full((1, 64, 96), 10.0 + number))
    where = ["--data", str(root), "--dataset", "kitti-2015"]
    table, out = tmp_path / "table.md", tmp_path / "out"
    arguments = ["--published", "--flip", "--table", str(table), "--out", str(out), "--error-maps"]
    assert main(["depth", str(run), *where, *arguments]) == 0
    assert "| TrianFlow 832x256 [published] |" in table.read_text()
    assert {file.name for file in out.iterdir()} == {
        f"kitti-2015{end}" for end in (".png", ".csv", "-worst.png", "-errors")
    }
    (root / "image_2" / "000001_10.png").unlink()
    assert "000001_10.png" in refused(capfd, "depth", run, *where)
    assert main(["depth", str(run), *where, "--allow-missing"]) == 0
    assert "1 of the 2 of kitti-2015 are missing" in capfd.readouterr().out
    assert "not one of the 697" in refused(capfd, "depth", run, "--data", root, "--dataset", "kitti-eigen")
    assert "--annotated" in refused(capfd, "depth", run, "--data", root, "--dataset", "kitti-eigen-benchmark")
    assert "kitti-eigen, kitti-eigen-benchmark, kitti-2015" in refused(
        capfd, "depth", run, "--data", root, "--dataset", "kitti"
    )
    assert "larger cap" in refused(capfd, "depth", run, *where, "--allow-missing", "--cap", "0")


def test_flow_of_a_run_and_of_files(run, kitti, tmp_path, capfd):
    where = ["--data", str(kitti), "--sequences", "03", "--camera", "0"]
    file, out = tmp_path / "flow.json", tmp_path / "out"
    assert main(["flow", str(run)]) == 0
    assert main(["flow", str(run), *where, "--out", str(out), "--json", str(file)]) == 0
    assert {"flow_epe_px", "fl_percent"} <= json.loads(file.read_text()).keys()
    assert {entry.name for entry in out.iterdir()} == {"03.png", "wheel.png"}
    ground_truths, estimates = kitti / "sequences" / "03" / "flow_0", tmp_path / "estimates"
    estimates.mkdir()
    for ground_truth in ground_truths.iterdir():
        flow, valid = read_flow(ground_truth)
        write_flow(estimates / f"{ground_truth.stem}.flo", flow + torch.tensor([3.0, 4.0]).view(2, 1, 1), valid + 1)
    assert main(["flow", "--estimate", str(estimates), "--ground-truth", str(ground_truths), "--json", str(file)]) == 0
    assert json.loads(file.read_text())["flow_epe_px"] == pytest.approx(5, abs=1e-4)
    one = [
        "--estimate",
        estimates / "000001.flo",
        "--ground-truth",
        ground_truths / "000000.png",
        "--noc",
        ground_truths / "000000.png",
    ]
    assert main(["flow", *map(str, one)]) == 0
    assert "flow_noc_epe_px" in capfd.readouterr().out
    (estimates / "000001.flo").unlink()
    assert "000001" in refused(capfd, "flow", "--estimate", estimates, "--ground-truth", ground_truths)
    assert "both --estimate" in refused(capfd, "flow", "--estimate", estimates)
    assert "no flow_occ" in refused(capfd, "flow", run, "--data", tmp_path, "--dataset", "kitti-flow")


def test_resume_goes_on_with_a_finished_run(run):
    assert main(["train", "--resume", str(run)]) == 0


def test_runs_get_folders_of_their_own(tmp_path):
    assert free_folder(tmp_path / "world") == tmp_path / "world"
    (tmp_path / "world").mkdir()
    assert free_folder(tmp_path / "world") == tmp_path / "world-2"


def test_unknown_words_are_refused(capfd):
    assert "'nonsense'" in refused(capfd, "nonsense")
    assert "world, kitti-odom" in refused(capfd, "train", "nope")
    assert "--foo" in refused(capfd, "train", "world", "--foo", "3")
    assert "--batch" in refused(capfd, "train", "world", "--batch", "many")
    assert "0 steps" in refused(
        capfd, *["train", "world", "--flow-stage.steps", "0", "--depth-stage.steps", "0", "--joint-stage.steps", "0"]
    )
    assert "numbers" in refused(capfd, *["train", "world", "--sequences", "a"])
    assert "scale_7dof" in refused(capfd, "odom", "run", "--alignment", "8dof")
    assert "garg" in refused(capfd, "depth", "run", "--crop", "middle")


def test_missing_data_is_named(run, kitti, tmp_path, capfd):
    assert "--data" in refused(capfd, "train", "kitti-odom-small", "--run", tmp_path / "new")
    assert "nothing" in refused(capfd, "train", "kitti-odom-small", "--data", tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    assert "empty" in refused(capfd, "odom", run, "--data", tmp_path / "empty", "--sequences", "00")
    assert "image_2" in refused(capfd, "odom", run, "--data", kitti, "--sequences", "03", "--camera", "2")
    assert "config.json" in refused(capfd, "odom", tmp_path / "no-run")
    assert "both" in refused(capfd, "odom", "--estimate", kitti / "poses" / "03.txt")
    assert "--compare" in refused(capfd, "odom", run, "--estimate", kitti / "poses" / "03.txt")
    assert "missing.txt" in refused(capfd, "odom", run, "--compare", f"slam={tmp_path / 'missing.txt'}")
    assert not (tmp_path / "new").exists()


def test_weights_that_do_not_fit_are_named(run, tmp_path, capfd):
    broken = tmp_path / "run"
    broken.mkdir()
    for name in ("config.json", "flow.safetensors", "depth.safetensors"):
        (broken / name).write_bytes((run / name).read_bytes())
    (broken / "depth.safetensors").write_bytes((run / "flow.safetensors").read_bytes())
    assert "kind" in refused(capfd, "depth", broken)
    (broken / "depth.safetensors").write_bytes((run / "depth.safetensors").read_bytes()[:1000])
    assert re.search(r"depth\.safetensors: damaged", refused(capfd, "depth", broken))
    (broken / "depth.safetensors").unlink()
    assert "depth.safetensors" in refused(capfd, "depth", broken)
    torch.save({"a": 1}, broken / "depth.safetensors")
    assert "depth.safetensors" in refused(capfd, "odom", broken)


def test_a_written_world_is_not_overwritten(kitti, capfd):
    before = (kitti / "poses" / "03.txt").read_bytes()
    line = refused(capfd, *f"world --out {kitti} --seeds 3 --size 64 96 --frames 4 --camera 0".split())
    assert "not overwritten" in line
    assert (kitti / "poses" / "03.txt").read_bytes() == before


def test_a_file_where_a_folder_should_be(run, tmp_path, capfd):
    (tmp_path / "file").write_text("")
    assert "file" in refused(capfd, "depth", run, "--out", tmp_path / "file" / "out")


def test_help_is_not_an_error(capsys):
    assert main(["--help"]) == 0
    with pytest.raises(SystemExit) as end:
        main(["train", "--help"])
    assert end.value.code == 0
    assert "--flow-stage.steps" in capsys.readouterr().out
