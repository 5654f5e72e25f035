"""Checkpoints: what survives a kill at any moment, which are kept, and where a run goes on."""

import json
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from vode.errors import InputError
from vode.networks.flow import FlowNet
from vode.networks.options import DepthOptions
from vode.run_folder import RunFolder
from vode.training import loop, video
from vode.training.checkpoint import checkpoints, read_checkpoint
from vode.training.config import VideoConfig, VideoStage
from vode.training.data import validation_sequences
from vode.training.options import MotionOptions
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

TINY = VideoConfig(
    sequences=("0",),
    size=(64, 96),
    world=WorldOptions(frames=4, scenes=("tunnel",)),
    batch=2,
    flow_stage=VideoStage(steps=4, learning_rate=1e-3),
    depth_stage=VideoStage(steps=2, learning_rate=1e-3),
    motion=MotionOptions(count=500, threshold=0.45),
    depth=DepthOptions("test_efficientnet", decoder=(4, 8, 8, 16, 16)),
    save_every=1,
    log_every=1,
    device="cpu",
)

KILLED = """
import os, random, resource, signal, sys
from dataclasses import replace
from pathlib import Path
from vode.networks import flow
from vode.networks.options import DepthOptions
from vode.run_folder import RunFolder
from vode.training import checkpoint, loop, video
from vode.training.config import VideoConfig, VideoStage
from vode.training.options import MotionOptions
from vode.world.options import WorldOptions

root, kills = Path(sys.argv[1]), int(sys.argv[2])
flow.PYRAMID, flow.DECODER, flow.CONTEXT = (8,) * 6, (8,) * 5, ((8, 1), (8, 2))
config = VideoConfig(
    sequences=("0", "1"), size=(64, 96), world=WorldOptions(frames=4, scenes=("tunnel",)), batch=2, workers=1,
    save_every=2, log_every=3,
    flow_stage=VideoStage(steps=7, learning_rate=1e-4), depth_stage=VideoStage(steps=4, learning_rate=1e-4),
    motion=MotionOptions(count=500, threshold=0.45), device="cpu", keep=2, ema=0.9,
    depth=DepthOptions("test_efficientnet", decoder=(4, 8, 8, 16, 16)),
)
video.score_run = lambda *_: {}

def child(work, seconds=0.0):
    # After seconds of its own processor time, whatever else the machine does, the child is killed by the timer.
    number = os.fork()
    if number:
        return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        os._exit(work())
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(250)

def train(folder):
    loop.resume(folder, VideoConfig) if (folder / "config.json").exists() else loop.train(config, folder)
    return 0

def reached(folder):
    path, content, problems = checkpoint.read_checkpoint(RunFolder(folder))
    return 201 if problems else content["done"]

# This process imports and renders what its children share.
loop.train(replace(config, workers=0), root / "whole")
before = resource.getrusage(resource.RUSAGE_CHILDREN)
assert child(lambda: train(root / "child")) == 0
after = resource.getrusage(resource.RUSAGE_CHILDREN)
longest = 0.5 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
draw, killed, runs, done = random.Random(5), 0, 0, 0
# A run that was begun is taken to its end, also one that was killed before its first step.
while killed < kills or (root / f"cut{runs}").exists():
    folder = root / f"cut{runs}"
    status = child(lambda: train(folder), draw.uniform(1e-6, longest) if killed < kills else 0.0)
    assert status in (0, -signal.SIGPROF), status
    if status == 0:
        runs, done = runs + 1, 0
        continue
    killed += 1
    if (folder / "config.json").exists():
        now = child(lambda: reached(folder))
        assert done <= now <= 11, (done, now)
        done = now
    print("killed", runs, done, flush=True)
"""


def last(folder):
    return torch.load(checkpoints(RunFolder(folder))[0], weights_only=True)


@pytest.fixture(autouse=True)
def no_score(monkeypatch):
    monkeypatch.setattr(video, "score_run", lambda *_: {})


def test_a_run_killed_at_twenty_random_moments_ends_as_one_that_was_not(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    command = [sys.executable, str(script), str(tmp_path), "20"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    reached = [int(line.split()[2]) for line in done.stdout.splitlines() if line.startswith("killed")]
    assert len(reached) == 20
    # Kills in the middle of a run that had saved something, not only at its beginning.
    assert any(0 < steps < 11 for steps in reached)
    whole = last(tmp_path / "whole")
    for folder in (tmp_path / "child", *tmp_path.glob("cut*")):
        cut = last(folder)
        for part in ("networks", "averages"):
            assert all(torch.equal(cut[part][name], value) for name, value in whole[part].items())


def test_the_newest_few_are_kept_and_a_damaged_one_is_passed_over(tmp_path):
    folder = tmp_path / "run"
    loop.train(replace(TINY, keep=3), folder)
    names = [path.name for path in checkpoints(RunFolder(folder))]
    assert names == ["00000006.pt", "00000005.pt", "00000004.pt"]
    content = last(folder)
    assert RunFolder(folder).read_config(VideoConfig).keep == 3
    assert content["versions"]["torch"] == version("torch")
    newest = checkpoints(RunFolder(folder))[0]
    newest.write_bytes(newest.read_bytes()[:1000])
    path, content, problems = read_checkpoint(RunFolder(folder))
    assert (path.name, content["done"]) == ("00000005.pt", 5)
    assert "00000006.pt: damaged checkpoint" in problems[0]
    loop.resume(folder, VideoConfig)
    assert last(folder)["done"] == 6


def test_single_stages_and_the_start_from_another_run(tmp_path):
    loop.train(replace(TINY, stages=("flow",)), tmp_path / "flow")
    assert last(tmp_path / "flow")["done"] == 4
    loop.train(replace(TINY, stages=("depth",), start_from=tmp_path / "flow"), tmp_path / "depth")
    flow, depth = (last(tmp_path / name)["networks"] for name in ("flow", "depth"))
    changed = {name.split(".")[0] for name in flow if not torch.equal(flow[name], depth[name])}
    assert changed == {"depth"}
    with pytest.raises(InputError, match=r"nothing to train: every stage has 0 steps; set flow_stage\.steps, say"):
        loop.train(replace(TINY, stages=("joint",)), tmp_path / "joint")


def test_validation_keeps_the_best_and_ends_a_stage_that_gains_nothing(tmp_path):
    folder = tmp_path / "run"
    # A rate of zero gains nothing after the first validation.
    still = VideoStage(steps=9, learning_rate=0.0)
    config = replace(TINY, flow_stage=still, validate_every=2, patience=2, validation=("7",), validation_samples=2)
    loop.train(replace(config, stages=("flow",)), folder)
    assert last(folder)["done"] == 6
    assert RunFolder(folder / "best").read_config(VideoConfig).patience == 2
    assert (folder / "best" / "flow.safetensors").is_file()
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    validations = [line for line in lines if line["stage"] == "flow validation"]
    assert [line["step"] for line in validations] == [2, 4, 6]
    assert len({line["loss"] for line in validations}) == 1
    best, now = (RunFolder(path).load_network(FlowNet).state_dict() for path in (folder / "best", folder))
    assert all(torch.equal(best[name], value) for name, value in now.items())


def test_frames_that_a_data_set_keeps_are_validated_on_and_not_trained_on():
    config = replace(TINY, dataset="kitti-raw", data=Path("raw"))
    one, two = (WorldSequence(seed, TINY.world) for seed in (1, 2))
    one.starts, one.validation = (0, 2), (1,)
    kept = validation_sequences(config, [one, two])
    assert [(sequence.name, sequence.starts) for sequence in kept] == [("world1", (1,))]
    assert one.starts == (0, 2)
    with pytest.raises(InputError, match="kitti-raw keeps no frames for validation; name sequences for it") as refusal:
        validation_sequences(config, [two])
    assert refusal.value.parameters == ("validation",)


def test_gradients_that_are_never_finite_end_the_run_and_leave_it_good(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    steps = []

    def corrupt(batch):
        steps.append(1)
        images = batch["images"].float() / 255
        return {**batch, "images": images * (torch.nan if len(steps) > 2 else 1)}

    monkeypatch.setattr("vode.training.step.to_float_and_augment", corrupt)
    config = replace(TINY, stages=("flow",), flow_stage=VideoStage(steps=30, learning_rate=1e-3), bad_steps=5)
    with pytest.raises(InputError, match="5 steps in a row without finite gradients"):
        loop.train(config, folder)
    assert len(steps) == 7
    assert all(value.isfinite().all() for value in last(folder)["networks"].values())
