"""Recipes of depth and motion by view synthesis, as the papers and their released code have them."""

from __future__ import annotations

from dataclasses import replace

from vode.augmentation.options import Augment
from vode.networks.options import DepthOptions, PoseOptions
from vode.recipes.video import WORLD
from vode.view_synthesis.config import SynthesisStage, ViewSynthesisConfig
from vode.view_synthesis.options import SnippetOptions, SynthesisOptions, SynthesisWeights

PLAIN = Augment(flip=0.0, brightness=0, contrast=0, saturation=0, hue=0, gamma=0)


def small(config: ViewSynthesisConfig, *, steps: int = 800, rate: float = 4e-4) -> ViewSynthesisConfig:
    """A recipe on the built-in world: minutes on two CPU cores, from random weights.

    In images of 1/n of the size first differences from pixel to pixel are n times as large, second ones n^2 times: the
    weight of the smoothness is less by so much. Motion is learned first, as depth and motion wait for each other, and
    by a PoseCNN, which needs fewer samples than a ResNet18 from random weights.
    """
    order = 2 if config.synthesis.smoothness == "second" else 1
    smoothness = config.depth_stage.weights.smoothness * (WORLD.size[0] / config.size[0]) ** order
    weights = replace(config.depth_stage.weights, smoothness=smoothness)
    stage = replace(config.depth_stage, steps=steps, learning_rate=rate, decay="cosine", warm_up=20, weights=weights)
    if config.snippet.length > 1:
        first = replace(
            stage, steps=steps // 2, decay="constant", weights=replace(weights, smoothness=0, consistency=0)
        )
        config = replace(config, motion_stage=first, depth=replace(config.depth, scales=4))
        if config.pose.input == "images":
            pose = replace(config.pose, network="posecnn", frames=3, encoder_weights="none")
            config = replace(config, pose=pose)
    return replace(
        config,
        dataset="world",
        sequences=WORLD.sequences,
        camera=(),
        size=WORLD.size,
        batch=WORLD.batch,
        workers=0,
        depth=replace(config.depth, encoder_weights="none"),
        pose=replace(config.pose, encoder_weights="none"),
        depth_stage=stage,
        augment=WORLD.augment,
        precision="auto",
    )


SFMLEARNER = ViewSynthesisConfig(
    dataset="kitti-raw",
    camera=(2, 3),
    size=(128, 416),
    batch=4,
    workers=4,
    clip=0.0,
    augment=replace(PLAIN, crop=0.13),
    snippet=SnippetOptions(length=3),
    depth=DepthOptions(encoder="dispnet", scales=4, disparity=(0.01, 10.0)),
    pose=PoseOptions(network="posecnn", frames=3, rotation="euler", explainability=True),
    synthesis=SynthesisOptions(error="l1", compared_at="own", smoothness="second"),
    depth_stage=SynthesisStage(
        200_000, 2e-4, weights=SynthesisWeights(photometric=1.0, smoothness=0.125, explainability=0.1)
    ),
)
"""SfMLearner on KITTI (Zhou et al., CVPR 2017), on a GPU."""

SFMLEARNER_SMALL = small(replace(SFMLEARNER, depth=replace(SFMLEARNER.depth, encoder="resnet18")))
"""The same on the built-in world, by a ResNet18, which begins sooner than a DispNet without normalisation."""

FRAMES = 39_810
"""of Monodepth2's training list, of both colour cameras"""

MONODEPTH2 = ViewSynthesisConfig(
    dataset="kitti-raw",
    camera=(2, 3),
    size=(192, 640),
    batch=12,
    workers=4,
    clip=0.0,
    augment=Augment(flip=0.5, brightness=0.2, contrast=0.2, saturation=0.2, hue=0.1, gamma=0.0),
    depth=DepthOptions(encoder_weights="imagenet", scales=4, upsampling="nearest"),
    pose=PoseOptions(network="resnet18", rotation="axis-angle", encoder_weights="imagenet"),
    synthesis=SynthesisOptions(sources="minimum", outside="border", auto_mask=True),
    depth_stage=SynthesisStage(
        20 * FRAMES // 12, 1e-4, "step", decay_every=15 * FRAMES // 12, decay_factor=0.1, weights=SynthesisWeights()
    ),
)
"""Monodepth2 on KITTI, from monocular video (Godard et al., ICCV 2019): 20 epochs, on a GPU."""

MONODEPTH2_SMALL = small(MONODEPTH2)
"""The same on the built-in world."""

SC_SFMLEARNER = ViewSynthesisConfig(
    dataset="kitti-raw",
    camera=(2, 3),
    size=(256, 832),
    batch=4,
    workers=4,
    clip=0.0,
    augment=replace(PLAIN, flip=0.5, crop=0.13),
    depth=DepthOptions(encoder_weights="imagenet", upsampling="nearest", disparity=(0.01, 10.0)),
    pose=PoseOptions(network="resnet18", rotation="axis-angle", encoder_weights="imagenet"),
    synthesis=SynthesisOptions(auto_mask=True, both_directions=True, consistency_mask=True),
    depth_stage=SynthesisStage(200_000, 1e-4, weights=SynthesisWeights(smoothness=0.075, consistency=0.5)),
)
"""SC-SfMLearner on KITTI (Bian et al., NeurIPS 2019, as its code was released): 200 epochs of 1000 steps, on a GPU."""

SC_SFMLEARNER_SMALL = small(SC_SFMLEARNER)
"""The same on the built-in world."""
