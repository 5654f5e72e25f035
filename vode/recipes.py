"""Named training runs."""

from __future__ import annotations

from vode.data.transforms import Augment
from vode.errors import InputError
from vode.losses.flow import FlowLossOptions
from vode.training.config import StageConfig, TrainConfig
from vode.training.stages import LossWeights, MotionOptions

# The paper's smoothness is for images 832 wide: second differences of a flow in pixels grow as the image shrinks.
SMALL_WEIGHTS = LossWeights(flow_smoothness=10.0 * 192 / 832)
HALF_WEIGHTS = LossWeights(flow_smoothness=10.0 * 416 / 832)

WORLD = TrainConfig(
    dataset="world",
    sequences=tuple(str(seed) for seed in range(64)),
    size=(64, 192),
    batch=4,
    flow_stage=StageConfig(steps=1600, learning_rate=1e-3, decay="cosine", warm_up=20, weights=SMALL_WEIGHTS),
    depth_stage=StageConfig(steps=500, learning_rate=4e-4, decay="cosine", warm_up=20, weights=SMALL_WEIGHTS),
    joint_stage=StageConfig(steps=200, learning_rate=2e-4, decay="cosine", warm_up=20, weights=SMALL_WEIGHTS),
    flow_loss=FlowLossOptions(scales=4, decay=0.5),
    augment=Augment(flip=0.5, brightness=0, contrast=0, saturation=0, hue=0, gamma=0),
    motion=MotionOptions(share=0.5, threshold=0.65),
    precision="auto",
)
"""The built-in world from random weights, in minutes on two CPU cores."""

KITTI_ODOM = TrainConfig(
    dataset="kitti-odom",
    size=(128, 416),
    batch=4,
    flow_stage=StageConfig(steps=200, learning_rate=3e-4, decay="cosine", warm_up=10, weights=HALF_WEIGHTS),
    depth_stage=StageConfig(steps=100, learning_rate=1e-4, decay="cosine", warm_up=10, weights=HALF_WEIGHTS),
    joint_stage=StageConfig(steps=50, learning_rate=1e-4, decay="cosine", warm_up=10, weights=HALF_WEIGHTS),
    flow_loss=FlowLossOptions(scales=4, decay=0.5),
    motion=MotionOptions(share=0.5, threshold=0.3),
    precision="auto",
)
"""KITTI odometry at half size, for a start from the world's weights (--start-from runs/world): minutes on a CPU."""

ODOMETRY_WEIGHTS = LossWeights(epipolar=0.1, depth_smoothness=1e-4)

KITTI_ODOM_FULL = TrainConfig(
    dataset="kitti-odom",
    size=(256, 832),
    workers=4,
    flow_stage=StageConfig(steps=51_000, learning_rate=1e-4),
    depth_stage=StageConfig(steps=51_000, learning_rate=1e-4, weights=ODOMETRY_WEIGHTS),
    joint_stage=StageConfig(steps=25_500, learning_rate=1e-4, weights=ODOMETRY_WEIGHTS),
)
"""KITTI odometry with the schedule of the paper: 20, 20 and 10 epochs of sequences 00-08, for a GPU."""

RECIPES = {"world": WORLD, "kitti-odom": KITTI_ODOM, "kitti-odom-full": KITTI_ODOM_FULL}


def recipe(name: str) -> TrainConfig:
    """The recipe of that name; InputError lists those there are."""
    if name not in RECIPES:
        raise InputError(f"no recipe is called {name!r}; choose one of {', '.join(RECIPES)}")
    return RECIPES[name]
