"""``vode train``: recipes with some values changed, on tiny data."""

import json

from vode.cli import main


def test_kitti_layout_is_trained_and_evaluated_through_its_reader(run, kitti, tmp_path, tiny):
    arguments = [*tiny, "--sequences", "03", "04", "--data", str(kitti), "--camera", "0"]
    arguments += ["--start-from", str(run), "--run", str(tmp_path / "run")]
    assert main(["train", "kitti-odom-small", *arguments]) == 0
    where = ["--data", str(kitti), "--sequences", "03", "04", "--camera", "0"]
    for verb in ("odom", "depth"):
        file = tmp_path / f"{verb}.json"
        extra = ["--alignment", "none"] if verb == "odom" else []
        assert main([verb, str(tmp_path / "run"), *where, *extra, "--json", str(file)]) == 0
        assert json.loads(file.read_text())["sequences"].keys() == {"03", "04"}


def test_test_sets_that_were_trained_on_are_refused(run, kitti, tmp_path, refused, tiny):
    root = tmp_path / "kitti"
    for part in ("sequences", "poses"):
        (root / part).mkdir(parents=True)
    for old, new in (("03", "05"), ("04", "09")):
        (root / "sequences" / new).symlink_to(kitti / "sequences" / old)
        (root / "poses" / f"{new}.txt").symlink_to(kitti / "poses" / f"{old}.txt")
    where = ["--data", str(root), "--camera", "0"]
    seen = [*tiny, "--sequences", "09", *where, "--start-from", str(run)]
    assert "odometry 09): a test drive" in refused("train", "kitti-odom-small", *seen, "--run", tmp_path / "no")
    assert not (tmp_path / "no").exists()
    assert main(["train", "kitti-odom-small", *seen, "--allow-leak", "--run", str(tmp_path / "run")]) == 0
    test = ["odom", str(tmp_path / "run"), *where, "--sequences", "09", "--alignment", "none"]
    assert "trained on" in refused(*test)
    assert main([*test, "--allow-leak"]) == 0
    later = [
        *tiny,
        "--sequences",
        "05",
        *where,
        "--start-from",
        str(tmp_path / "run"),
        "--run",
        str(tmp_path / "later"),
    ]
    assert main(["train", "kitti-odom-small", *later]) == 0
    assert "odometry 09" in refused("odom", tmp_path / "later", *where, "--sequences", "09")
    assert "Eigen" not in refused("depth", tmp_path / "later", "--data", root, "--dataset", "kitti-eigen")


def test_resume_goes_on_with_a_finished_run(run):
    assert main(["train", "--resume", str(run)]) == 0


def test_depth_is_trained_on_ground_truth_in_several_shapes(tmp_path):
    arguments = "--sequences 0 1 --size 64 96 --crops 64 64 32 96 --world.frames 4 --batch 2 --depth-stage.steps 2"
    more = "--block 4 --reuse 2 --clip-every 2 --depth-stage.loss.far 50 --device cpu --precision float32"
    words = [*arguments.split(), *more.split(), "--run", str(tmp_path / "run")]
    assert main(["train", "depth-supervised", *words]) == 0
    saved = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (saved["family"], saved["crops"]) == ("supervised", [[64, 64], [32, 96]])
    assert saved["depth_stage"]["loss"]["far"] == 50


def test_a_run_that_was_stopped_ends_with_a_status_of_its_own(monkeypatch, tmp_path):
    for results, status in (({}, 130), ({"minutes": 1.0}, 0)):
        monkeypatch.setattr("vode.pipelines.train.resume", lambda run, results=results: (run, results))
        assert main(["train", "--resume", str(tmp_path)]) == status
