"""Recipes of depth and odometry from video."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vode.augmentation.options import Augment
from vode.losses.options import RELEASED_FLOW_LOSS, RELEASED_GEOMETRY_LOSS, FlowLossOptions
from vode.networks.options import TRIANFLOW as TRIANFLOW_FLOW
from vode.networks.options import DepthOptions
from vode.training.config import VideoConfig, VideoStage
from vode.training.options import LossWeights, MotionOptions

# Images that are small hold flows that bend more from pixel to pixel, which the paper's smoothness would flatten;
# and depth that has been trained for minutes would pull the flow away from the truth.
WORLD_WEIGHTS = LossWeights(flow_smoothness=1.0, reprojection_flow=0.001)
HALF_WEIGHTS = LossWeights(flow_smoothness=5.0)
START = Path("vode-small")
"""what real video starts from; None gives the random weights of the paper"""
# Coarse images lead to large flows, and away from the true ones by a little: the joint stage looks at the finest alone.
SEARCH, FINISH = FlowLossOptions(scales=4, decay=0.5), FlowLossOptions(scales=1)
FLIPS = Augment(flip=0.5, brightness=0, contrast=0, saturation=0, hue=0, gamma=0)
"""mirrored images, and their intrinsics"""


def _stage(steps: int, rate: float, weights: LossWeights, flow_loss: FlowLossOptions = SEARCH) -> VideoStage:
    return VideoStage(steps, rate, decay="cosine", warm_up=20, weights=weights, flow_loss=flow_loss)


def _pixels(threshold: float, *, width: int) -> float:
    """A RANSAC threshold given at the paper's width, in pixels of images of another one."""
    return threshold * width / 832


WORLD = VideoConfig(
    dataset="world",
    sequences=tuple(str(seed) for seed in range(64)),
    size=(64, 192),
    batch=4,
    flow_stage=_stage(1600, 1e-3, WORLD_WEIGHTS),
    depth_stage=_stage(400, 4e-4, WORLD_WEIGHTS),
    joint_stage=_stage(250, 3e-4, WORLD_WEIGHTS, FINISH),
    augment=FLIPS,
    motion=MotionOptions(fraction=0.5, threshold=_pixels(0.65, width=192)),
    precision="auto",
)
"""The built-in world from random weights, in minutes on two CPU cores."""

KITTI_ODOM_SMALL = VideoConfig(
    dataset="kitti-odom",
    start_from=START,
    size=(128, 416),
    batch=4,
    flow_stage=_stage(200, 3e-4, HALF_WEIGHTS),
    depth_stage=_stage(100, 1e-4, HALF_WEIGHTS),
    joint_stage=_stage(50, 1e-4, HALF_WEIGHTS, FINISH),
    motion=MotionOptions(fraction=0.5, threshold=_pixels(0.3, width=416)),
    precision="auto",
)
"""KITTI odometry at half size: minutes on a CPU."""

ODOMETRY_WEIGHTS = LossWeights(depth_smoothness=1e-4)

KITTI_ODOM = VideoConfig(
    dataset="kitti-odom",
    start_from=START,
    size=(256, 832),
    workers=4,
    augment=FLIPS,
    flow_stage=VideoStage(steps=51_000, learning_rate=1e-4),
    depth_stage=VideoStage(steps=51_000, learning_rate=1e-4, weights=ODOMETRY_WEIGHTS),
    joint_stage=VideoStage(steps=25_500, learning_rate=1e-4, weights=ODOMETRY_WEIGHTS),
)
"""KITTI odometry with the schedule of the paper: 20, 20 and 10 epochs of sequences 00-08, for a GPU."""

KITTI_EIGEN = VideoConfig(
    dataset="kitti-raw",
    start_from=START,
    camera=(2, 3),
    size=(256, 832),
    workers=4,
    augment=Augment(),
    flow_stage=VideoStage(steps=99_270, learning_rate=1e-4),
    depth_stage=VideoStage(steps=99_270, learning_rate=1e-4),
    joint_stage=VideoStage(steps=49_635, learning_rate=1e-4),
)
"""Depth for the Eigen test: 20, 20 and 10 epochs of Zhou's training frames from both colour cameras, for a GPU."""

RELEASED_WEIGHTS = LossWeights(reprojection_flow=0.0)
RELEASED_JOINT_WEIGHTS = LossWeights(triangulated_depth=0.0, reprojection_depth=0.0, depth_smoothness=0.0)


def _released(steps: int, weights: LossWeights = RELEASED_WEIGHTS) -> VideoStage:
    return VideoStage(steps, 1e-4, weights=weights, flow_loss=RELEASED_FLOW_LOSS)


TRIANFLOW = VideoConfig(
    dataset="kitti-raw",
    camera=(2,),
    size=(256, 832),
    workers=4,
    augment=FLIPS,
    replacement=True,
    clip=0.0,
    flow=TRIANFLOW_FLOW,
    depth=DepthOptions(encoder_weights="imagenet"),
    flow_stage=_released(200_000),
    depth_stage=_released(200_000),
    joint_stage=_released(200_000, RELEASED_JOINT_WEIGHTS),
    joint_flow_only=True,
    motion=MotionOptions(solver="fundamental", threshold=0.1, min_parallax=0.0),
    triangulation_loss="square",
    geometry_loss=RELEASED_GEOMETRY_LOSS,
)
"""TrianFlow as its code was released, for depth on KITTI, on a GPU."""

TRIANFLOW_SMALL = replace(
    TRIANFLOW,
    dataset="world",
    sequences=WORLD.sequences,
    camera=(),
    size=WORLD.size,
    batch=WORLD.batch,
    workers=0,
    depth=DepthOptions(),
    flow_stage=replace(TRIANFLOW.flow_stage, steps=1600),
    depth_stage=replace(TRIANFLOW.depth_stage, steps=400),
    joint_stage=replace(TRIANFLOW.joint_stage, steps=250),
    precision="auto",
)
"""The same on the built-in world, with the steps of the recipe world: minutes on two CPU cores."""

NYU = replace(
    KITTI_EIGEN,
    dataset="nyu",
    camera=(),
    size=(448, 576),
    stride=10,
    motion=MotionOptions(threshold=_pixels(0.1, width=576)),
)
"""Rooms, filmed by hand at 20 to 30 frames a second: pairs lie 10 frames apart; as many steps as for KITTI."""

TUM = replace(NYU, dataset="tum", size=(240, 320), stride=3, motion=MotionOptions(threshold=_pixels(0.1, width=320)))
"""One or a few sequences of a room, with poses and depth to score with; other sets of rooms too (--dataset 7scenes)."""

FOLDER = replace(
    NYU, dataset="folder", size=(256, 448), stride=1, motion=MotionOptions(threshold=_pixels(0.1, width=448))
)
"""Somebody's own images or videos; mapped scenes too (--dataset colmap)."""
