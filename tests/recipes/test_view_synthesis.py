"""Recipes of view synthesis: the numbers of the papers, and a step of each at toy size on KITTI's layout."""

from dataclasses import replace

import pytest
from torch import nn

from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.kitti.splits import is_validation, read_split
from vode.datasets.kitti.writer import write_kitti_sequence
from vode.datasets.sample import collate
from vode.recipes import recipe, view_synthesis
from vode.recipes.view_synthesis import FRAMES
from vode.run_folder import RunFolder
from vode.training.tasks.base import total_loss
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

NAMES = ("sfmlearner", "monodepth2", "sc-sfmlearner")
SIZE = (32, 96)


def test_sfmlearner_is_that_of_the_paper():
    config = recipe("sfmlearner")
    assert (config.size, config.batch, config.snippet.length) == ((128, 416), 4, 3)
    assert (config.depth_stage.steps, config.depth_stage.learning_rate) == (200_000, 2e-4)
    assert (config.depth.encoder, config.depth.scales, config.depth.disparity) == ("dispnet", 4, (0.01, 10.0))
    assert (config.pose.network, config.pose.rotation, config.pose.explainability) == ("posecnn", "euler", True)
    assert (config.synthesis.error, config.synthesis.compared_at) == ("l1", "own")
    # released sums over 4 scales, of two frames each: 1 of images in -1..1, 0.5 of the smoothness of one map, and 0.2
    terms, images, weights = 4 * 2, 2, config.depth_stage.weights
    assert weights.smoothness / weights.photometric == 0.5 * 4 / terms / images
    assert weights.explainability / weights.photometric == 0.2 / images


def test_monodepth2_is_that_of_the_paper():
    config = recipe("monodepth2")
    frames = 2 * sum(not is_validation(frame) for frame in read_split("zhou"))
    # Monodepth2's own list, of 39,810 frames of both cameras, is a little longer
    assert 0 < FRAMES - frames < 0.003 * FRAMES
    assert (config.size, config.batch, config.depth_stage.steps) == ((192, 640), 12, 20 * FRAMES // 12)
    stage = config.depth_stage
    assert (stage.learning_rate, stage.decay, stage.decay_every, stage.decay_factor) == (
        1e-4,
        "step",
        15 * FRAMES // 12,
        0.1,
    )
    assert (stage.weights.smoothness, config.depth.scales, config.depth.upsampling) == (1e-3, 4, "nearest")
    assert {config.depth.encoder_weights, config.pose.encoder_weights} == {"imagenet"}
    assert (config.pose.network, config.pose.rotation) == ("resnet18", "axis-angle")
    options = config.synthesis
    assert (options.sources, options.outside, options.auto_mask, options.compared_at) == (
        "minimum",
        "border",
        True,
        "full",
    )


def test_sc_sfmlearner_is_that_of_its_released_code():
    config = recipe("sc-sfmlearner")
    assert (config.size, config.batch, config.depth_stage.steps) == ((256, 832), 4, 200_000)
    weights = config.depth_stage.weights
    # released sums: 1 and 0.5 of four pairs, 0.1 of three frames
    assert weights.consistency / weights.photometric == 0.5
    assert weights.smoothness / weights.photometric == pytest.approx(0.1 * 3 / 4)
    assert config.synthesis.both_directions
    assert config.synthesis.consistency_mask
    assert config.synthesis.auto_mask


@pytest.mark.parametrize("name", NAMES)
def test_small_recipes_are_the_same_methods_on_the_world(name):
    config, small = recipe(name), recipe(f"{name}-small")
    for field in ("snippet", "synthesis"):
        assert getattr(small, field) == getattr(config, field)
    # from random weights motion is learned first, by the network that takes fewest samples for it
    assert [stage for stage, _ in small.plan()] == ["motion", "depth"]
    assert replace(config.pose, network="posecnn", encoder_weights="none") == small.pose
    assert small.depth.scales == 4
    # the same scene has larger differences between the pixels of smaller images
    factor = {"sfmlearner": (64 / 128) ** 2, "monodepth2": 64 / 192, "sc-sfmlearner": 64 / 256}[name]
    weights = config.depth_stage.weights
    assert small.depth_stage.weights == replace(weights, smoothness=weights.smoothness * factor)
    assert (small.dataset, small.size, small.start_from) == ("world", (64, 192), None)
    assert small.depth.encoder_weights == "none"


@pytest.mark.parametrize("name", NAMES)
def test_recipes_take_a_step_at_toy_size(name, tmp_path):
    made = WorldSequence(3, WorldOptions(size=SIZE, frames=4))
    write_kitti_sequence(tmp_path / "data", "00", 2, [made.frame(i) for i in range(4)], made.intrinsics)
    config = recipe(name)
    config = replace(
        config,
        dataset="kitti-odom",
        data=tmp_path / "data",
        camera=(2,),
        size=SIZE,
        # nothing is downloaded here
        depth=replace(config.depth, encoder_weights="none"),
        pose=replace(config.pose, encoder_weights="none"),
    )
    functions = config.functions()
    samples = functions.samples(config, RunFolder(tmp_path / "run"))
    task = functions.task("depth", config, nn.ModuleDict(functions.networks(config)))
    output = task(to_float_and_augment(collate([samples[0], samples[1]])))
    total = total_loss(output.losses, task.weights)
    total.backward()
    assert total.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in task.parameters())


def test_a_recipe_is_made_small_with_steps_and_rate():
    made = view_synthesis.small(recipe("monodepth2"), steps=30, rate=1e-3)
    assert (made.depth_stage.steps, made.depth_stage.learning_rate) == (30, 1e-3)
