"""Training on tiny sequences: losses fall, a resumed run equals an uninterrupted one, nothing is overwritten."""

import json
import os
import signal
from dataclasses import replace

import pytest
import torch
from torch import nn

from vode.errors import InputError
from vode.io.atomic import make_folder
from vode.losses.options import FlowLossOptions
from vode.networks.flow import FlowNet
from vode.networks.options import DepthOptions, FlowOptions
from vode.run_folder import RunFolder
from vode.training import loop, video
from vode.training.checkpoint import checkpoints
from vode.training.config import VideoConfig, VideoStage
from vode.training.log import RunLog
from vode.training.options import MotionOptions
from vode.training.sampler import ResumableSampler, Shuffled
from vode.training.step import learning_rate
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (64, 96)
TINY = VideoConfig(
    dataset="world",
    sequences=("0", "1"),
    size=SIZE,
    world=WorldOptions(frames=4),
    batch=2,
    flow_stage=VideoStage(steps=3, learning_rate=1e-3),
    depth_stage=VideoStage(steps=3, learning_rate=1e-3),
    joint_stage=VideoStage(steps=2, learning_rate=1e-3),
    motion=MotionOptions(count=500, threshold=0.45),
    depth=DepthOptions("test_efficientnet", decoder=(4, 8, 8, 16, 16)),
    save_every=100,
    log_every=1,
    visualize_every=2,
    device="cpu",
)


@pytest.fixture(autouse=True, scope="module")
def short_score():
    """The final score on a few frames instead of a whole sequence."""
    sequence = WorldSequence(99, WorldOptions(size=SIZE, frames=4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(video, "scoring_sequence", lambda config: sequence)
        yield


@pytest.fixture(scope="module")
def run(short_score, tmp_path_factory):
    """The folder of a finished run of TINY."""
    folder = tmp_path_factory.mktemp("loop") / "run"
    loop.train(TINY, folder)
    return folder


@pytest.fixture
def interrupt(monkeypatch):
    """A function that makes Ctrl-C, or another signal, arrive after a given step."""

    def after(step, number=signal.SIGINT):
        log_step = RunLog.step

        def interrupted_step(self, done):
            log_step(self, done)
            if done == step:
                os.kill(os.getpid(), number)

        monkeypatch.setattr(RunLog, "step", interrupted_step)

    return after


def weights(folder):
    return torch.load(checkpoints(RunFolder(folder))[0], weights_only=True)["networks"]


def test_a_run_leaves_its_configuration_logs_weights_and_results(run):
    names = {path.name for path in run.iterdir()}
    expected = {"config.json", "data.json", "log.jsonl", "tensorboard", "checkpoints", "results.json"}
    assert expected | {"flow.safetensors", "depth.safetensors"} <= names
    assert not [name for name in names if name.endswith(".tmp")]
    saved = json.loads((run / "results.json").read_text())
    asked = "flow_epe_px depth_abs_rel depth_abs_rel_constant t_err_percent r_err_deg_per_100m ate_m minutes"
    assert {*asked.split(), "peak_memory_gib"} <= saved.keys()
    assert 0 < saved["peak_memory_gib"] < 64
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 9))
    assert [line["stage"] for line in lines] == ["flow"] * 3 + ["depth"] * 3 + ["joint"] * 2
    assert RunFolder(run).read_config(VideoConfig) == TINY


def test_a_run_stopped_in_each_stage_and_resumed_equals_an_uninterrupted_one(run, tmp_path, interrupt):
    cut = tmp_path / "cut"
    interrupt(2)
    assert loop.train(TINY, cut) == {}
    for stop in (5, 7):
        assert not (cut / "results.json").exists()
        interrupt(stop)
        assert loop.resume(cut, VideoConfig) == {}
    results = loop.resume(cut, VideoConfig)
    whole, resumed = weights(run), weights(cut)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert results["flow_epe_px"] == json.loads((run / "results.json").read_text())["flow_epe_px"]


def test_the_end_of_a_machine_is_announced_and_saved_for(tmp_path, interrupt):
    interrupt(2, signal.SIGTERM)
    assert loop.train(TINY, tmp_path / "run") == {}
    assert checkpoints(RunFolder(tmp_path / "run"))[0].name == "00000002.pt"


def test_training_reduces_the_losses(tmp_path):
    # over pixels of which hardly any cease to count: consistent ones are few at first, and then more and harder ones
    options = FlowLossOptions(mask="inside")
    config = VideoConfig(
        **{**vars(TINY), "flow_stage": VideoStage(steps=25, learning_rate=3e-4, warm_up=10, flow_loss=options)}
        | {"depth_stage": VideoStage(), "joint_stage": VideoStage()}
        # one pair again and again: losses of different pairs differ more than training changes them
        | {"world": WorldOptions(frames=2)}
    )
    loop.train(config, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_compiled_networks_are_trained_and_saved_under_the_same_names(tmp_path, monkeypatch):
    compiled, compile_network = [], nn.Module.compile

    def compile_without_a_compiler(network, **options):
        compiled.append(type(network).__name__)
        compile_network(network, backend="eager", **options)

    monkeypatch.setattr(nn.Module, "compile", compile_without_a_compiler)
    monkeypatch.setattr(video, "score_run", lambda *_: {})
    short = replace(TINY, stages=("flow",), flow_stage=VideoStage(steps=2, learning_rate=1e-3))
    loop.train(short, tmp_path / "plain")
    assert compiled == []
    loop.train(replace(short, compile=True), tmp_path / "compiled")
    assert compiled == ["FlowNet", "DepthNet"]
    torch.compiler.reset()
    plain, found = weights(tmp_path / "plain"), weights(tmp_path / "compiled")
    torch.manual_seed(TINY.seed)
    start = loop.build_networks(TINY).state_dict()
    assert plain.keys() == found.keys() == start.keys()
    changed = [name for name in found if not torch.equal(found[name], start[name])]
    assert changed
    assert all(name.startswith("flow.") for name in changed)
    for name, value in plain.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-4)
    loaded = RunFolder(tmp_path / "compiled").load_network(FlowNet).state_dict()
    assert all(torch.equal(value, found[f"flow.{name}"]) for name, value in loaded.items())


def test_a_run_is_never_overwritten(run):
    before = checkpoints(RunFolder(run))[0].read_bytes()
    with pytest.raises(InputError, match="holds a run already"):
        loop.train(TINY, run)
    assert checkpoints(RunFolder(run))[0].read_bytes() == before


def test_the_start_can_be_another_runs_weights(run):
    config = VideoConfig(**{**vars(TINY), "start_from": run})
    one, two = weights(run), loop.build_networks(config).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_random_weights_that_are_not_used_do_not_matter_to_a_start(run):
    config = replace(TINY, start_from=run, flow=FlowOptions(start="kaiming"))
    assert loop.build_networks(config)["flow"].options == RunFolder(run).load_network(FlowNet).options
    other = replace(config, flow=FlowOptions(start="kaiming", cost="mean"))
    with pytest.raises(InputError, match="options cannot change its flow network"):
        loop.build_networks(other)


def test_bad_checkpoints_are_named(run, tmp_path):
    (tmp_path / "config.json").write_bytes((run / "config.json").read_bytes())
    path = make_folder(tmp_path / "checkpoints") / "00000008.pt"
    with pytest.raises(InputError, match="no checkpoint"):
        loop.resume(tmp_path, VideoConfig)
    data = checkpoints(RunFolder(run))[0].read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"00000008\.pt: damaged"):
        loop.resume(tmp_path, VideoConfig)
    torch.save({"model": {}}, path)
    with pytest.raises(InputError, match="not a checkpoint"):
        loop.resume(tmp_path, VideoConfig)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config\.json: not JSON"):
        loop.resume(tmp_path, VideoConfig)
    (tmp_path / "config.json").write_text('{"batches": 3}')
    with pytest.raises(InputError, match=r"config\.json: unknown key 'batches'"):
        loop.resume(tmp_path, VideoConfig)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(InputError, match=r"config\.json: not the configuration of a run"):
        loop.resume(tmp_path, VideoConfig)


def test_the_order_of_samples_continues_and_reshuffles():
    whole = list(ResumableSampler(Shuffled(5, seed=3), first=0, count=20))
    tail = list(ResumableSampler(Shuffled(5, seed=3), first=7, count=13))
    assert tail == whole[7:]
    epochs = [[index for index, _ in whole[k : k + 5]] for k in range(0, 20, 5)]
    assert all(sorted(epoch) == list(range(5)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_learning_rate_schedule():
    constant = VideoStage(steps=10, learning_rate=2.0)
    assert [learning_rate(constant, step) for step in (0, 5, 9)] == [2.0, 2.0, 2.0]
    stepped = VideoStage(steps=10, learning_rate=2.0, decay="step", decay_every=4, decay_factor=0.1)
    assert [learning_rate(stepped, step) for step in (0, 3, 4, 8)] == pytest.approx([2.0, 2.0, 0.2, 0.02])
    cosine = VideoStage(steps=100, learning_rate=1.0, decay="cosine", warm_up=10)
    assert learning_rate(cosine, 0) == pytest.approx(0.1)
    assert learning_rate(cosine, 50) == pytest.approx(0.02 + 0.98 / 2)
    assert learning_rate(cosine, 100) == pytest.approx(0.02)
