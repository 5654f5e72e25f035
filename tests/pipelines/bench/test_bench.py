"""A bench of two tiny recipes: stopped in the middle, gone on with, extended, refused."""

import json
import os
import shutil
import signal
from dataclasses import replace

import pytest

from vode.cli import main
from vode.errors import DivergedError, InputError
from vode.networks.options import DepthOptions
from vode.pipelines.bench import bench as module
from vode.pipelines.bench.bench import bench
from vode.pipelines.bench.entries import entries
from vode.pipelines.bench.options import BenchOptions
from vode.pipelines.bench.scoring import trained, trained_seconds
from vode.pipelines.bench.trial import render, step_seconds
from vode.recipes import recipe
from vode.run_folder import RunFolder
from vode.training.config import SupervisedDepthStage, VideoStage
from vode.training.log import RunLog
from vode.visualization.plots import new_figure
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

OPTIONS = BenchOptions(
    sequences=("0", "1"),
    test=("5",),
    size=(64, 96),
    world=WorldOptions(frames=3),
    samples=4,
    batch=1,
    points=2,
    shown=1,
    device="cpu",
)
SMALL = DepthOptions(encoder="lcnet_035", decoder=(8, 8, 16, 16, 32))
DEPTH = replace(recipe("depth-supervised"), depth=SMALL, depth_stage=SupervisedDepthStage(steps=4, learning_rate=1e-3))
VIDEO = replace(
    recipe("world"),
    depth=SMALL,
    flow_stage=VideoStage(steps=1),
    depth_stage=VideoStage(steps=1),
    joint_stage=VideoStage(),
    stages=("flow",),
)
FILES = {"table.txt", "table.md", "table.tex", "table.csv", "results.json", "curves.png", "depth.png", "bench.json"}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder, what a bench that was stopped in it gave, and what it gave when it was called again with more."""
    out = tmp_path_factory.mktemp("bench") / "out"
    usual = RunLog.step

    def stopped(log, done):
        usual(log, done)
        if done == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunLog, "step", stopped)
        first = bench({"depth": DEPTH}, out, OPTIONS)
    return out, first, bench({"depth": DEPTH, "video": VIDEO}, out, OPTIONS)


def test_a_bench_that_was_stopped_goes_on_in_the_middle_of_a_run(done):
    out, first, second = done
    assert not first.complete
    assert not first.runs["depth"]
    assert second.complete
    lines = [json.loads(line) for line in (out / "depth" / "0" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]


def test_the_folder_has_tables_pictures_and_numbers(done):
    out, _, found = done
    assert FILES | {"depth", "video"} == {path.name for path in out.iterdir()}
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    numbers = json.loads((out / "results.json").read_text())
    assert numbers["recipes"]["video"]["schedule"]["steps"] == {"flow": 4}
    depth, video = (found.runs[name][0] for name in ("depth", "video"))
    assert numbers["recipes"]["depth"]["mean"]["abs_rel"] == depth["scores"]["abs_rel"] > 0
    assert (depth["beside"], video["beside"]) == (["flow"], ["depth"])
    assert depth["scores"]["ate_m"] > 0
    assert "flow_epe_px" not in depth["scores"]
    assert video["scores"].keys() == {"flow_epe_px"}
    assert depth["samples"] == video["samples"] == 4


def test_the_curve_goes_from_the_start_to_what_is_scored(done):
    out, _, found = done
    curve = found.runs["depth"][0]["curve"]
    assert [point["samples"] for point in curve] == [0, 2, 4]
    assert curve[-1]["abs_rel"] == pytest.approx(found.runs["depth"][0]["scores"]["abs_rel"], rel=1e-3)
    assert curve[0]["abs_rel"] != curve[-1]["abs_rel"]
    assert 0 == curve[0]["minutes"] < curve[1]["minutes"] < curve[2]["minutes"] == found.runs["depth"][0]["minutes"]
    assert not list((out / "depth" / "0" / "checkpoints").iterdir())


def test_finished_runs_are_not_repeated(done, monkeypatch):
    monkeypatch.setattr(module, "train", None)
    monkeypatch.setattr(module, "score", None)
    monkeypatch.setattr(module, "strip_figure", lambda *_: new_figure(1, 1))
    assert bench({"depth": DEPTH, "video": VIDEO}, done[0], OPTIONS).runs == done[2].runs


def test_a_run_that_diverges_is_told_and_the_others_go_on(done, tmp_path, monkeypatch):
    def train(config, folder, **_):
        raise DivergedError("no finite gradients")

    monkeypatch.setattr(module, "train", train)
    monkeypatch.setattr(module, "strip_figure", lambda folders, _: drawn.extend(folders) or new_figure(1, 1))
    out, drawn = tmp_path / "out", []
    shutil.copytree(done[0], out)
    found = bench({"bad": DEPTH, "depth": DEPTH}, out, OPTIONS)
    assert found.complete
    assert found.runs["bad"][0]["diverged"] == "no finite gradients"
    assert found.table.cells[found.table.rows.index("bad")] == ("-",) * len(found.table.measures)
    assert any("bad: diverged with seed 0" in note for note in found.table.notes)
    assert [name for name, _ in drawn] == ["depth"]


def test_a_folder_of_another_bench_is_refused(done, tmp_path):
    with pytest.raises(InputError, match="out: holds another bench, with other size, samples; name another folder"):
        bench({"depth": DEPTH}, done[0], replace(OPTIONS, samples=16, size=(64, 64)))
    with pytest.raises(InputError, match="0: holds a run; name another folder"):
        bench({"depth": DEPTH}, done[0] / "depth" / "0", OPTIONS)


def test_the_command_line_tells_what_is_wrong_in_one_line(tmp_path, capsys):
    for words, told in (
        (["nothing"], "no recipe is called 'nothing'"),
        (["posenet"], "a recipe of the family relocalization"),
        (["world", "--minutes", "-1"], "a bench needs a budget"),
        (["world", "--dataset", "moon"], "no data set is called 'moon'"),
        (["vode-small", "--test", "5"], "a crop of 416x128 from 192x64; choose a smaller"),
    ):
        assert main(["bench", *words, "--out", str(tmp_path / "out")]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert told in err
    assert not (tmp_path / "out").exists()


def test_only_networks_that_a_stage_trains_count_as_trained():
    assert trained(entries({"a": recipe("world")}, OPTIONS)["a"]) == {"flow", "depth"}
    assert trained(entries({"a": VIDEO}, OPTIONS)["a"]) == {"flow"}
    assert trained(entries({"a": DEPTH}, OPTIONS)["a"]) == {"depth"}


def test_seconds_of_training_are_those_of_the_log_where_a_run_was_killed(tmp_path):
    lines = [(10, 20.0), (20, 40.0), (15, 10.0), (25, 20.0)]
    records = [{"stage": "depth", "step": step, "samples_per_second": rate} for step, rate in lines]
    text = "\n".join([*map(json.dumps, records), '{"stage": "dep'])
    (tmp_path / "log.jsonl").write_text(text)
    # 10 steps of 4 samples at 20 a second, then 5 at 10, 5 at 40, 5 at 20
    assert trained_seconds(RunFolder(tmp_path), 4) == {0: 0, 10: 2, 15: 4, 20: 4.5, 25: 5.5}


def test_nothing_is_rendered_once_training_begins(monkeypatch):
    config = entries({"a": replace(DEPTH, stages=("depth", "flow"))}, replace(OPTIONS, sequences=("2",)))["a"]
    render(config)
    monkeypatch.setattr(WorldSequence, "_look", None)
    samples = config.functions().samples(config, RunFolder("."))
    clips = config.functions().stage_samples("depth", samples, config)
    assert [clips[i]["depth"].shape for i in range(len(clips))] == [(1, 1, 64, 96)] * 3


def test_a_trial_times_every_stage():
    seconds = step_seconds(entries({"a": DEPTH}, OPTIONS)["a"])
    assert seconds.keys() == {"depth"}
    assert seconds["depth"] > 0
