"""A step: accumulation, precision, running means, and numbers that are not finite."""

import copy
import dataclasses

import pytest
import torch
from torch import nn

from vode.datasets.sample import collate
from vode.training import loop
from vode.training.clip_dataset import ClipDataset
from vode.training.config import VideoConfig, VideoStage
from vode.training.distributed import Group
from vode.training.step import Averages, Stepper
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

ALONE = Group(0, 1, torch.device("cpu"))
OPTIONS = VideoStage(steps=10, learning_rate=1e-3)
TINY = VideoConfig(size=(64, 96), device="cpu", batch=2)


@pytest.fixture(scope="module")
def batches():
    """Three raw batches of two pairs."""
    pairs = ClipDataset([WorldSequence(1, WorldOptions(size=(64, 96), frames=7))], raw=True)
    return [collate([pairs[2 * k], pairs[2 * k + 1]]) for k in range(3)]


def stepper(config=TINY, name="flow", averages=None, networks=None):
    torch.manual_seed(0)
    networks = networks or loop.build_networks(config)
    stage = loop.build_task(name, config, networks)
    for network in networks.values():
        network.requires_grad_(network in stage.trained()).train(network in stage.trained())
    return networks, Stepper(stage, config, OPTIONS, ALONE, averages)


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_gradients_are_clipped_to_a_norm_or_left_as_they_are(batches):
    norms = {}
    for clip in (0.0, 1e-3):
        _, step = stepper(dataclasses.replace(TINY, clip=clip))
        told = step(iter(batches[:1]), 0)[0]["gradient_norm"]
        norms[clip] = torch.stack([p.grad.norm() for p in step.parameters if p.grad is not None]).norm()
        assert told > 0.01
    torch.testing.assert_close(norms[0.0], told)
    torch.testing.assert_close(norms[1e-3], torch.tensor(1e-3), rtol=1e-3, atol=0)


def test_a_batch_in_parts_is_the_whole_batch(batches):
    whole, step = stepper()
    parted, in_parts = stepper(dataclasses.replace(TINY, accumulate=2))
    halves = [{key: value[k : k + 1] for key, value in batches[0].items()} for k in range(2)]
    one, two = step(iter(batches[:1]), 0)[0], in_parts(iter(halves), 0)[0]
    torch.testing.assert_close(one["loss"], two["loss"], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(one["gradient_norm"], two["gradient_norm"], rtol=1e-4, atol=1e-6)
    changes = [torch.cat([(p.grad).flatten() for p in networks["flow"].parameters()]) for networks in (whole, parted)]
    assert (changes[0] - changes[1]).norm() < 1e-4 * changes[0].norm()


class PlainAdam(torch.optim.Adam):
    """Adam of a torch whose fused version cannot skip a step on the device."""

    def __init__(self, *arguments, fused, **options):
        super().__init__(*arguments, **options)


@pytest.mark.parametrize(
    ("name", "adam"), [("flow", torch.optim.Adam), ("joint", torch.optim.Adam), ("flow", PlainAdam)]
)
def test_a_step_without_finite_gradients_changes_nothing_and_is_counted(batches, monkeypatch, name, adam):
    monkeypatch.setattr(torch.optim, "Adam", adam)
    networks, step = stepper(name=name)
    step(iter(batches[:1]), 0)
    before, moments = state(networks), step.optimiser.state_dict()["state"][0]["exp_avg"].clone()
    corrupted = {**batches[1], "images": batches[1]["images"].float() / 255}
    corrupted["images"][0, 0, 0, :8, :8] = torch.nan
    for count in (1, 2):
        scalars, _ = step(iter([corrupted]), count)
        assert not scalars["gradient_norm"].isfinite()
        assert (int(step.bad), int(step.bad_in_a_row)) == (count, count)
    for key, value in networks.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(value, before[key]), key
    assert torch.equal(step.optimiser.state_dict()["state"][0]["exp_avg"], moments)
    step(iter(batches[2:]), 3)
    assert (int(step.bad), int(step.bad_in_a_row)) == (2, 0)
    weights = next(networks["flow"].parameters())
    assert not torch.equal(weights, before["flow.pyramid.0.0.0.weight"])


def test_plain_adam_takes_the_steps_of_the_fused_one(batches, monkeypatch):
    fused, step = stepper()
    monkeypatch.setattr(torch.optim, "Adam", PlainAdam)
    plain, in_host = stepper()
    for each in (step, in_host):
        each(iter(batches[:1]), 0)
    for one, two in zip(fused.state_dict().values(), plain.state_dict().values(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_networks_run_in_lower_precision_and_stay_near(batches, precision):
    (_, full), (_, mixed) = stepper(), stepper(dataclasses.replace(TINY, precision=precision))
    one, two = (step(iter(batches[:1]), 0)[0]["loss"] for step in (full, mixed))
    assert two.isfinite()
    assert two != one
    assert two == pytest.approx(float(one), rel=0.03)


@pytest.mark.parametrize(
    ("capabilities", "expected"), [({"avx512_bf16": True}, torch.bfloat16), ({"avx512_bf16": False}, None), ({}, None)]
)
def test_automatic_precision_follows_the_processor_and_stays_near_float32(batches, monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert loop.network_type("auto", ALONE.device) is expected
    (_, full), (networks, auto) = stepper(), stepper(dataclasses.replace(TINY, precision="auto"))
    before = state(networks)
    one, two = (step(iter(batches[:1]), 0)[0] for step in (full, auto))
    assert bool(two["loss"] == one["loss"]) is (expected is None)
    assert two["loss"] == pytest.approx(float(one["loss"]), rel=0.03)
    assert two["gradient_norm"] == pytest.approx(float(one["gradient_norm"]), rel=0.2)
    # weights, and their changes, stay float32
    changed = [name for name, value in networks.state_dict().items() if not torch.equal(value, before[name])]
    assert "flow.context.0.0.weight" in changed
    assert {value.dtype for value in networks["flow"].state_dict().values()} == {torch.float32}


def test_automatic_precision_is_float32_where_torch_does_not_describe_the_processor(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert loop.network_type("auto", torch.device("cpu")) is None


@pytest.mark.parametrize(
    ("capability", "expected"), [((7, 5), None), ((8, 0), torch.bfloat16), ((9, 0), torch.bfloat16)]
)
def test_automatic_precision_follows_the_gpu(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert loop.network_type("auto", torch.device("cuda")) is expected
    assert loop.network_type("float16", torch.device("cuda")) is torch.float16


def test_running_means_follow_the_weights(batches):
    networks = loop.build_networks(TINY)
    averages = Averages(networks, 0.75)
    _, step = stepper(averages=averages, networks=networks)
    expected = None
    for k in range(3):
        step(iter(batches[k : k + 1]), k)
        now = state(networks)["flow.context.0.0.weight"]
        expected = now if expected is None else 0.75 * expected + 0.25 * now
    torch.testing.assert_close(averages.module.state_dict()["flow.context.0.0.weight"], expected)
    assert not torch.equal(expected, now)


def test_the_gradient_is_clipped_to_a_length(batches):
    networks, step = stepper(dataclasses.replace(TINY, clip=1e-3))
    norm = step(iter(batches[:1]), 0)[0]["gradient_norm"]
    assert norm > 1e-2
    clipped = nn.utils.clip_grad_norm_(networks["flow"].parameters(), 1e9)
    assert clipped == pytest.approx(1e-3, rel=1e-3)


def test_a_resumed_optimiser_takes_the_same_step(batches):
    networks, step = stepper()
    step(iter(batches[:1]), 0)
    weights, saved = state(networks), copy.deepcopy(step.state_dict())
    again, other = stepper()
    again.load_state_dict(weights)
    other.load_state_dict(saved)
    for each in (step, other):
        each(iter(batches[1:]), 1)
    assert all(
        torch.equal(a, b) for a, b in zip(networks.state_dict().values(), again.state_dict().values(), strict=True)
    )
