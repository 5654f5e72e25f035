"""Supervised runs: stages with samples of their own, any data set with ground truth, a refusal of those without."""

import json
import os
import signal
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

import vode
from vode.augmentation.options import Augment
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.io.depth import write_depth
from vode.io.flow import write_flow
from vode.io.image import write_image
from vode.networks.depth import DepthNet
from vode.recipes import recipe
from vode.run_folder import RunFolder
from vode.training import loop, supervised, video
from vode.training.checkpoint import checkpoints
from vode.training.config import SupervisedConfig, SupervisedDepthStage, SupervisedFlowStage
from vode.training.distributed import Group
from vode.training.log import RunLog
from vode.training.step import Stepper
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

TINY = SupervisedConfig(
    dataset="world",
    sequences=("0", "1", "2"),
    size=(64, 96),
    world=WorldOptions(frames=4),
    batch=2,
    depth_stage=SupervisedDepthStage(steps=3, learning_rate=1e-3, encoder_rate=0.3),
    flow_stage=SupervisedFlowStage(steps=3, learning_rate=1e-3),
    augment=Augment(blur=0.5, noise=0.02, independent=0.02),
    crops=((64, 64), (32, 96)),
    block=4,
    reuse=2,
    half=True,
    log_every=1,
    validate_every=3,
    validation=("7",),
    validation_samples=2,
    device="cpu",
)


@pytest.fixture(autouse=True)
def short_score(monkeypatch):
    """The final score on a few frames instead of a whole sequence."""
    sequence = WorldSequence(99, WorldOptions(size=(64, 96), frames=4))
    monkeypatch.setattr(video, "scoring_sequence", lambda config: sequence)


def test_a_run_trains_depth_then_flow_and_is_scored(tmp_path):
    results = loop.train(TINY, tmp_path / "run")
    assert results["depth_abs_rel"] > 0
    assert results["flow_epe_px"] > 0
    assert "geometry_failed_fraction" not in results
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["stage"] for line in lines] == [
        *["depth"] * 3, "depth validation", *["flow"] * 3, "flow validation"
    ]  # fmt: skip
    assert {"log_depth", "depth_gradient", "abs_rel"} <= lines[0].keys()
    assert {"flow_error", "epe_px"} <= lines[-1].keys()
    written = load_file(tmp_path / "run" / "depth.safetensors")
    assert (written["heads.0.weight"].dtype, written["heads.0.bias"].dtype) == (torch.float16, torch.float32)
    again = loop.build_networks(replace(TINY, start_from=tmp_path / "run")).state_dict()
    saved = torch.load(checkpoints(RunFolder(tmp_path / "run"))[0], weights_only=True)["networks"]
    for name, value in saved.items():
        torch.testing.assert_close(again[name], value, rtol=1e-3, atol=1e-6)


def test_every_stage_has_its_own_samples():
    samples = supervised.samples(TINY, RunFolder("."))
    depth, flow = (supervised.stage_samples(name, samples, TINY) for name in ("depth", "flow"))
    assert (len(depth), len(flow)) == (12, 9)
    assert depth[0, 0].keys() == {"images", "intrinsics", "depth", "colour"}
    assert flow[0, 0].keys() >= {"images", "intrinsics", "flow", "visible", "colour"}
    assert depth[0, 0]["images"].shape == (1, 3, 64, 64)
    assert flow[0, 2]["images"].shape == (2, 3, 32, 96)
    few = supervised.stage_samples("depth", samples, replace(TINY, clip_every=3))
    assert len(few) == 6
    held_out = supervised.stage_samples("depth", supervised.validation(TINY, samples), TINY)
    assert held_out[0].keys() == {"images", "intrinsics", "depth"}
    assert held_out[0]["images"].shape == (1, 3, 64, 96)


CALIBRATION = "P_rect_02: 80 0 47 40 0 80 31 0 0 0 1 0\nP_rect_03: 80 0 47 0 0 80 31 0 0 0 1 0\n"


def scenes(root):
    """Two scenes in the layout of KITTI 2015, whose first frames have depth and flow."""
    made = WorldSequence(3, WorldOptions(size=(64, 96), frames=3))
    for folder in ("image_2", "disp_occ_0", "flow_occ", "calib_cam_to_cam"):
        (root / folder).mkdir(parents=True)
    for number in range(2):
        name = f"{number:06d}_10.png"
        for i, file in enumerate((name, f"{number:06d}_11.png")):
            write_image(root / "image_2" / file, made.frame(number + i))
        write_depth(root / "disp_occ_0" / name, torch.full((1, 64, 96), 20.0))
        write_flow(root / "flow_occ" / name, *made.flow(number))
        (root / "calib_cam_to_cam" / f"{number:06d}.txt").write_text(CALIBRATION)
    return root


def test_a_data_set_of_files_is_learned_from_where_it_has_ground_truth(tmp_path):
    root = scenes(tmp_path / "kitti")
    config = replace(
        TINY, dataset="kitti-2015", data=root, sequences=(), validate_every=0, augment=Augment(), crops=(), block=0
    )
    samples = supervised.samples(config, RunFolder("."))
    depth, flow = (supervised.stage_samples(name, samples, config) for name in ("depth", "flow"))
    assert (len(depth), len(flow)) == (2, 2)
    assert depth[1]["depth"].min() > 0
    assert "flow_back" not in flow[0]
    short = replace(config, depth_stage=SupervisedDepthStage(steps=1), flow_stage=SupervisedFlowStage(steps=1))
    assert loop.train(short, tmp_path / "run")["minutes"] > 0


def test_data_without_ground_truth_is_refused_by_name(tmp_path):
    root = scenes(tmp_path / "kitti")
    config = replace(TINY, dataset="kitti-2015", data=root, sequences=(), validate_every=0)
    (root / "disp_occ_0" / "000001_10.png").unlink()
    with pytest.raises(InputError, match=r"000001 of kitti-2015: no ground truth of depth .* choose") as refusal:
        loop.train(config, tmp_path / "run")
    assert refusal.value.parameters == ("sequences", "dataset")
    assert (
        len(
            supervised.stage_samples(
                "flow", supervised.samples(replace(config, stages=("flow",)), RunFolder(".")), config
            )
        )
        == 2
    )
    assert not (tmp_path / "run").exists()


def test_the_encoder_has_its_own_rate():
    torch.manual_seed(0)
    networks = loop.build_networks(TINY)
    task = loop.build_task("depth", TINY, networks)
    options = SupervisedDepthStage(10, 1e-3, weight_decay=0.1, decoupled=True, encoder_rate=0.25)
    step = Stepper(task, TINY, options, Group(0, 1, torch.device("cpu")), None)
    samples = supervised.stage_samples("depth", supervised.samples(TINY, RunFolder(".")), TINY)
    batch = {key: torch.stack([value, value]) for key, value in samples[0, 0].items()}
    step(iter([batch]), 0)
    depth = networks["depth"]
    encoder = {id(p) for p in depth.encoder.parameters()}
    seen = {}
    for group in step.optimiser.param_groups:
        for p in group["params"]:
            seen[id(p)] = (group["lr"], group["weight_decay"])
            assert group["weight_decay"] == (0.1 if p.ndim > 1 else 0)
    assert seen.keys() == {id(p) for p in depth.parameters()}
    assert {lr for key, (lr, _) in seen.items() if key in encoder} == {0.25e-3}
    assert {lr for key, (lr, _) in seen.items() if key not in encoder} == {1e-3}
    assert isinstance(step.optimiser, torch.optim.AdamW)


def test_equal_rates_make_one_group():
    task = loop.build_task("depth", TINY, loop.build_networks(TINY))
    step = Stepper(task, TINY, SupervisedDepthStage(10), Group(0, 1, torch.device("cpu")), None)
    assert [group["weight_decay"] for group in step.optimiser.param_groups] == [0]
    assert not isinstance(step.optimiser, torch.optim.AdamW)


def test_a_new_depth_network_starts_from_ten_metres_whatever_it_sees():
    networks = loop.build_networks(TINY)
    supervised.begin(networks, supervised.samples(TINY, RunFolder(".")))
    with torch.no_grad():
        depth = networks["depth"].eval().depth(torch.rand(2, 3, 64, 96))
    assert 4 < depth.median() < 25


def test_depth_is_learned(tmp_path):
    config = replace(
        TINY,
        sequences=("0",),
        stages=("depth",),
        world=WorldOptions(frames=2),
        depth_stage=SupervisedDepthStage(steps=20, learning_rate=1e-3, warm_up=10),
        augment=Augment(0, 0, 0, 0, 0, 0),
        crops=(),
        validate_every=0,
        save_every=1000,
    )
    loop.train(config, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    errors = [line["abs_rel"] for line in lines]
    assert sum(errors[-3:]) < 0.5 * sum(errors[:3])
    assert isinstance(RunFolder(tmp_path / "run").load_network(DepthNet), DepthNet)


def test_recipes_name_their_stages():
    assert [name for name, _ in recipe("depth-supervised").plan()] == ["depth"]
    assert [name for name, _ in recipe("flow-supervised").plan()] == ["flow"]
    small = recipe("vode-small")
    assert [name for name, _ in small.plan()] == ["depth", "flow"]
    world = open_dataset(small)
    assert len(world.chosen("train")) == 4000
    assert not set(world.chosen("train")) & {*world.names("test"), *world.names("validation")}


@pytest.mark.parametrize("stop", [2, 5])
def test_a_run_stopped_in_a_stage_is_resumed_to_the_bit_and_loads_as_a_model(stop, tmp_path, monkeypatch):
    short = replace(TINY, validate_every=0)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    loop.train(short, whole)
    log_step = RunLog.step

    def interrupted_step(self, done):
        log_step(self, done)
        if done == stop:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(RunLog, "step", interrupted_step)
        assert loop.train(short, cut) == {}
    assert loop.resume(cut, SupervisedConfig)["flow_epe_px"] > 0
    saved = [torch.load(checkpoints(RunFolder(run))[0], weights_only=True)["networks"] for run in (whole, cut)]
    assert all(torch.equal(value, saved[1][name]) for name, value in saved[0].items())
    assert RunFolder(cut).read_config(SupervisedConfig) == short
    model = vode.load(cut, device="cpu")
    assert model.predict_depth(torch.rand(3, 64, 96)).shape == (64, 96)
