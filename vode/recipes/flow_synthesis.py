"""Recipes of depth, motion and flow by view synthesis: GeoNet, and the pose network of flow of TrianFlow's paper."""

from __future__ import annotations

from dataclasses import replace

from vode.augmentation.options import Augment
from vode.networks.options import DepthOptions, PoseOptions
from vode.recipes.video import KITTI_ODOM, WORLD
from vode.recipes.view_synthesis import small
from vode.view_synthesis.config import ResidualStage, SynthesisStage, ViewSynthesisConfig
from vode.view_synthesis.options import SynthesisOptions, SynthesisWeights

GEONET = ViewSynthesisConfig(
    dataset="kitti-raw",
    camera=(2, 3),
    size=(128, 416),
    batch=4,
    workers=4,
    clip=0.0,
    augment=Augment(flip=0.0, brightness=0.5, contrast=0.0, saturation=0.0, hue=0.0, gamma=0.2, crop=0.13, balance=0.2),
    depth=DepthOptions(scales=4, upsampling="nearest", disparity=(0.1, 50.0)),
    pose=PoseOptions(network="posecnn", frames=3, rotation="euler"),
    synthesis=SynthesisOptions(compared_at="own", outside="border", both_directions=True),
    depth_stage=SynthesisStage(350_000, 2e-4, weights=SynthesisWeights(smoothness=0.25)),
    residual_stage=ResidualStage(400_000, 2e-4),
)
"""GeoNet on KITTI (Yin and Shi, CVPR 2018, as its code was released), on a GPU."""

_SHORT = small(GEONET)

GEONET_SMALL = replace(
    _SHORT,
    depth_stage=replace(_SHORT.depth_stage, weights=SynthesisWeights(smoothness=0.01)),
    residual_stage=replace(GEONET.residual_stage, steps=400, learning_rate=4e-4, decay="cosine"),
)
"""The same on the built-in world, less smooth: with the weight for KITTI, depth is flat before motion is found."""

POSENET_FLOW = ViewSynthesisConfig(
    dataset="kitti-odom",
    size=KITTI_ODOM.size,
    batch=KITTI_ODOM.batch,
    workers=4,
    augment=KITTI_ODOM.augment,
    pose=PoseOptions(network="resnet18", input="flow", rotation="axis-angle"),
    flow_stage=KITTI_ODOM.flow_stage,
    depth_stage=SynthesisStage(KITTI_ODOM.depth_stage.steps, 1e-4),
)
"""PoseNet-Flow on KITTI odometry (Zhao et al., CVPR 2020), with the flow of the recipe kitti-odom, on a GPU."""

POSENET_FLOW_SMALL = replace(small(POSENET_FLOW), flow_stage=WORLD.flow_stage)
"""The same on the built-in world, with the flow of the recipe world."""
