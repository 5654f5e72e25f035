"""Places in a scene: the stage's losses, which images are trained on, and runs from beginning to end."""

import json
import shutil
from dataclasses import replace

import pytest
import torch

from vode.augmentation.options import Augment
from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.sample import collate
from vode.errors import InputError
from vode.io.depth import write_depth
from vode.io.image import write_image
from vode.networks.weights import load_weights
from vode.recipes import recipe
from vode.relocalization import family
from vode.relocalization.config import RelocalizationConfig
from vode.relocalization.data import scene_sequences
from vode.relocalization.losses import LearnedWeights
from vode.relocalization.network import PoseNet
from vode.relocalization.options import PoseLossOptions, PoseNetOptions, ViewOptions
from vode.run_folder import RunFolder
from vode.training import loop
from vode.training.checkpoint import checkpoints
from vode.training.config import StageConfig
from vode.training.tasks.base import total_loss
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

TINY = RelocalizationConfig(
    dataset="world",
    size=(48, 48),
    world=WorldOptions(frames=10),
    views=ViewOptions(resize=64, turn=5, shift=0.3, block=2),
    batch=4,
    pose_stage=StageConfig(steps=6, learning_rate=1e-3),
    pose=PoseNetOptions(features=32),
    save_every=2,
    log_every=2,
    device="cpu",
)


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    """A scene in the layout of 7-Scenes with 12 training and 4 test images, cut out of one sequence of the world."""
    root = tmp_path_factory.mktemp("scene")
    sequence = WorldSequence(1, WorldOptions(size=(480, 640), frames=4, moving=False))
    for name, count in (("seq-01", 12), ("seq-02", 4)):
        folder = root / name
        folder.mkdir()
        for i in range(count):
            write_image(folder / f"frame-{i:06d}.color.jpg", sequence.frame(i % 4))
            write_depth(folder / f"frame-{i:06d}.depth.png", sequence.depth(i % 4).clamp(max=60), unit=1000)
            rows = sequence.poses[i % 4].tolist()
            (folder / f"frame-{i:06d}.pose.txt").write_text("\n".join(" ".join(map(str, row)) for row in rows))
    (root / "TrainSplit.txt").write_text("sequence1\n")
    (root / "TestSplit.txt").write_text("sequence2\n")
    return root


def batch(config):
    samples = family.samples(config, RunFolder("."))
    return samples, to_float_and_augment(collate([samples[(i, i)] for i in range(4)]))


@pytest.mark.parametrize("kind", ["learned", "beta", "geometric"])
@pytest.mark.parametrize("rotation", ["quaternion", "log", "6d"])
def test_every_loss_reaches_the_weights_that_it_trains(kind, rotation):
    config = replace(TINY, pose_loss=PoseLossOptions(kind), pose=PoseNetOptions(features=32, rotation=rotation))
    torch.manual_seed(0)
    networks = loop.build_networks(config)
    samples, sample = batch(config)
    family.begin(networks, samples)
    networks["pose"].train()
    stage = family.task("pose", config, networks)
    losses, metrics, visualizations = stage(sample)
    total_loss(losses, stage.weights).backward()
    assert all(value.isfinite() for value in losses.values())
    assert visualizations["image"].shape == (3, 48, 48)
    reached = {name for name, p in networks["pose"].named_parameters() if p.grad is not None and p.grad.any()}
    assert {"backbone.conv1.weight", "head.3.weight"} <= reached
    learned = [p.grad is not None for p in networks["balance"].parameters()]
    assert all(learned) if kind == "learned" else not any(learned)
    assert (networks["balance"] in stage.trained()) == (kind == "learned")
    assert ("too_few_points" in metrics) == (kind == "geometric")


def test_the_coarse_stage_learns_from_half_the_pixels_and_comes_first(tmp_path):
    config = replace(TINY, coarse_stage=TINY.pose_stage)
    assert [name for name, _ in config.plan()] == ["coarse", "pose"]
    samples, sample = batch(config)
    networks = loop.build_networks(config)
    stage = family.task("coarse", config, networks)
    assert stage(sample).visualizations["image"].shape == (3, 24, 24)
    seen = []
    networks["pose"].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-2:]))
    for name in ("coarse", "pose"):
        family.measures(name, networks, samples, config)
    assert set(seen) == {(24, 24), (48, 48)}
    loop.train(config, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert {line["stage"] for line in lines if "stage" in line} == {"coarse", "pose"}
    assert torch.load(checkpoints(RunFolder(tmp_path / "run"))[0], weights_only=True)["done"] == 12


def test_auxiliary_heads_count_with_their_weight():
    config = replace(TINY, size=(64, 64), pose=PoseNetOptions("googlenet", features=32, dropout=0.0))
    networks = loop.build_networks(config)
    _, sample = batch(config)
    totals = {}
    for weight in (0.0, 0.3, 0.6):
        stage = family.task("pose", replace(config, pose_loss=PoseLossOptions(auxiliary=weight)), networks)
        torch.manual_seed(1)
        networks["pose"].train()
        totals[weight] = stage(sample)[0]["pose"].item()
    assert totals[0.3] != totals[0.0]
    assert totals[0.6] - totals[0.0] == pytest.approx(2 * (totals[0.3] - totals[0.0]), rel=1e-3)


def test_a_scene_without_a_list_is_tested_on_blocks_of_time():
    trained, tested = scene_sequences(TINY)
    assert trained[0].starts == (0, 1, 2, 3, 4, 5, 6, 7)
    assert tested[0].starts == (8, 9)
    images = family.images(TINY, tested)
    assert images.names() == ["world0/000008", "world0/000009"]
    assert trained[0].size == (64, 85)
    with pytest.raises(InputError, match=r"world: 4 images with a place; at least 5 make a scene"):
        scene_sequences(replace(TINY, world=WorldOptions(frames=4)))


def test_a_scene_with_lists_is_tested_on_its_own(kitchen):
    config = replace(TINY, dataset="7scenes", data=kitchen)
    trained, tested = scene_sequences(config)
    assert [(s.name, len(s)) for s in trained] == [("seq-01", 12)]
    assert [(s.name, len(s)) for s in tested] == [("seq-02", 4)]
    with pytest.raises(InputError, match=r"seq-02: tested on in .*; train on others, or allow the leak"):
        scene_sequences(replace(config, sequences=("seq-01", "seq-02")))
    assert len(scene_sequences(replace(config, sequences=("seq-01", "seq-02"), allow_leak=True))[0]) == 2


def test_one_image_is_no_scene(kitchen):
    with pytest.raises(InputError, match=r"one training image; at least 2 make a scene"):
        scene_sequences(replace(TINY, dataset="7scenes", data=kitchen, end=1))


def test_a_run_learns_its_images_and_goes_on_bit_for_bit(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    results = loop.train(TINY, whole)
    assert {"median_position_m", "constant_position_m", "nearest_image_rotation_deg", "minutes"} <= results.keys()
    assert "geometry_failed_fraction" not in results
    loop.train(replace(TINY, keep=9), cut)
    for path in checkpoints(RunFolder(cut)):
        if int(path.stem) > 2:
            path.unlink()
    loop.resume(cut, RelocalizationConfig)
    ends = [torch.load(checkpoints(RunFolder(folder))[0], weights_only=True) for folder in (whole, cut)]
    assert ends[0]["done"] == ends[1]["done"] == 6
    for name, value in ends[0]["networks"].items():
        assert torch.equal(value, ends[1]["networks"][name]), name
    assert ends[0]["networks"]["balance.rotation"] != -3
    network = load_weights(whole / "pose.safetensors", PoseNet)
    assert torch.equal(network.centre, ends[0]["networks"]["pose.centre"])
    assert network.spread > 0
    assert not (whole / "balance.safetensors").exists()


def test_places_are_learned_in_the_units_and_about_the_middle_of_the_scene(tmp_path):
    # one step of no length leaves the network at the middle of its training images
    still = replace(TINY, pose_stage=StageConfig(steps=1, learning_rate=0.0), pose=PoseNetOptions(dropout=0.0))
    loop.train(still, tmp_path / "run")
    network = load_weights(tmp_path / "run" / "pose.safetensors", PoseNet)
    positions = family.samples(still, RunFolder(tmp_path)).poses()[:, :3, 3]
    torch.testing.assert_close(network.centre, positions.mean(0))
    assert network.spread.item() == pytest.approx(positions.var(0, correction=0).mean().sqrt().item(), rel=1e-5)


@pytest.mark.parametrize("spread", [0.9, 55.0, 3000.0])
def test_the_weight_of_position_rests_where_it_starts_in_a_scene_of_any_size(spread):
    for start, gradient in (("spread", 0.0), ("metre", 1 - spread)):
        weights = LearnedWeights(start)
        weights.fit_scene(torch.tensor(spread))
        weights(torch.tensor(spread), torch.tensor(0.1)).backward()
        assert weights.position.grad.item() == pytest.approx(gradient, rel=1e-5, abs=1e-5)


def test_the_learned_weight_of_position_begins_with_the_spread_of_the_scene(tmp_path):
    still = replace(TINY, pose_stage=StageConfig(steps=1, learning_rate=0.0))
    loop.train(still, tmp_path / "run")
    begun = torch.load(checkpoints(RunFolder(tmp_path / "run"))[0], weights_only=True)["networks"]
    spread = family.samples(still, RunFolder(tmp_path)).poses()[:, :3, 3].var(0, correction=0).mean().sqrt()
    assert begun["balance.position"].item() == pytest.approx(spread.log().item(), rel=1e-5)
    for start, expected in (("spread", spread.log().item()), ("metre", 0.0)):
        again = replace(still, start_from=tmp_path / "run", pose_loss=PoseLossOptions(start=start))
        balance = loop.build_networks(again)["balance"]
        assert balance.position.item() == pytest.approx(expected, rel=1e-5)
        assert balance.rotation.item() == -3


def test_the_geometric_loss_goes_on_from_a_learned_one(kitchen, tmp_path):
    plain = replace(recipe("posenet"), data=kitchen, batch=4, device="cpu", precision="float32", log_every=1)
    plain = replace(plain, coarse_stage=StageConfig(), pose_stage=replace(plain.pose_stage, steps=2))
    plain = replace(plain, size=(64, 64), views=ViewOptions(resize=64))
    loop.train(plain, tmp_path / "learned")
    config = replace(plain, pose_loss=recipe("posenet-geometric").pose_loss, start_from=tmp_path / "learned", batch=2)
    config = replace(config, pose=recipe("posenet-geometric").pose)
    assert config.pose_loss.kind == "geometric"
    loop.train(config, tmp_path / "geometric")
    first = json.loads((tmp_path / "geometric" / "log.jsonl").read_text().splitlines()[0])
    assert first["too_few_points"] == 0
    assert 0 < first["pose"] <= 200
    start, end = (load_weights(tmp_path / n / "pose.safetensors", PoseNet) for n in ("learned", "geometric"))
    assert torch.equal(start.centre, end.centre)
    assert (start.options.dropout, end.options.dropout) == (0.2, 0.0)
    assert not torch.equal(start.head[3].weight, end.head[3].weight)


def test_a_run_goes_on_with_the_networks_that_it_started_from(tmp_path):
    first = replace(TINY, pose=PoseNetOptions(features=16, rotation="log"), pose_stage=StageConfig(steps=1))
    loop.train(first, tmp_path / "first")
    second = replace(TINY, start_from=tmp_path / "first", pose_stage=StageConfig(steps=2), save_every=1)
    loop.train(second, tmp_path / "second")
    checkpoints(RunFolder(tmp_path / "second"))[0].unlink()
    shutil.rmtree(tmp_path / "first")
    loop.resume(tmp_path / "second", RelocalizationConfig)
    network = load_weights(tmp_path / "second" / "pose.safetensors", PoseNet)
    assert (network.options.features, network.options.rotation) == (16, "log")


def test_weights_decay_but_norms_biases_and_learned_losses_do_not(tmp_path):
    decaying = replace(TINY, pose_stage=StageConfig(steps=1, weight_decay=0.1))
    torch.manual_seed(0)
    networks = loop.build_networks(decaying)
    stage = family.task("pose", decaying, networks)
    step = loop.Stepper(stage, decaying, decaying.pose_stage, loop.distributed.join("cpu"), None)
    groups = step.optimiser.param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0]
    assert {p.ndim for p in groups[0]["params"]} == {2, 4}
    assert {p.ndim for p in groups[1]["params"]} == {0, 1}
    assert sum(len(group["params"]) for group in groups) == sum(1 for _ in networks.parameters())


def test_mirrored_scenes_are_refused(kitchen, tmp_path):
    with pytest.raises(InputError, match="mirrored"):
        loop.train(replace(TINY, augment=Augment()), tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()
