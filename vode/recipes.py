"""Named training runs."""

from __future__ import annotations

from dataclasses import replace

from vode.augmentation.options import Augment
from vode.errors import InputError
from vode.losses.options import FlowLossOptions
from vode.relocalization.options import PoseLossOptions, PoseNetOptions, ViewOptions
from vode.training.config import StageConfig, TrainConfig
from vode.training.options import LossWeights, MotionOptions

# Images that are small hold flows that bend more from pixel to pixel, which the paper's smoothness would flatten;
# and depth that has been trained for minutes would pull the flow away from the truth.
WORLD_WEIGHTS = LossWeights(flow_smoothness=1.0, reprojection_flow=0.001)
HALF_WEIGHTS = LossWeights(flow_smoothness=5.0)
# Coarse images lead to large flows, and away from the true ones by a little: the joint stage looks at the finest alone.
SEARCH, FINISH = FlowLossOptions(scales=4, decay=0.5), FlowLossOptions(scales=1)


def _stage(steps: int, rate: float, weights: LossWeights, flow_loss: FlowLossOptions = SEARCH) -> StageConfig:
    return StageConfig(steps, rate, decay="cosine", warm_up=20, weights=weights, flow_loss=flow_loss)


WORLD = TrainConfig(
    dataset="world",
    sequences=tuple(str(seed) for seed in range(64)),
    size=(64, 192),
    batch=4,
    flow_stage=_stage(1600, 1e-3, WORLD_WEIGHTS),
    depth_stage=_stage(400, 4e-4, WORLD_WEIGHTS),
    joint_stage=_stage(250, 3e-4, WORLD_WEIGHTS, FINISH),
    augment=Augment(flip=0.5, brightness=0, contrast=0, saturation=0, hue=0, gamma=0),
    motion=MotionOptions(share=0.5, threshold=0.65),
    precision="auto",
)
"""The built-in world from random weights, in minutes on two CPU cores."""

KITTI_ODOM_SMALL = TrainConfig(
    dataset="kitti-odom",
    size=(128, 416),
    batch=4,
    flow_stage=_stage(200, 3e-4, HALF_WEIGHTS),
    depth_stage=_stage(100, 1e-4, HALF_WEIGHTS),
    joint_stage=_stage(50, 1e-4, HALF_WEIGHTS, FINISH),
    motion=MotionOptions(share=0.5, threshold=0.3),
    precision="auto",
)
"""KITTI odometry at half size, for a start from the world's weights (--start-from runs/world): minutes on a CPU."""

ODOMETRY_WEIGHTS = LossWeights(epipolar=0.1, depth_smoothness=1e-4)

KITTI_ODOM = TrainConfig(
    dataset="kitti-odom",
    size=(256, 832),
    workers=4,
    flow_stage=StageConfig(steps=51_000, learning_rate=1e-4),
    depth_stage=StageConfig(steps=51_000, learning_rate=1e-4, weights=ODOMETRY_WEIGHTS),
    joint_stage=StageConfig(steps=25_500, learning_rate=1e-4, weights=ODOMETRY_WEIGHTS),
)
"""KITTI odometry with the schedule of the paper: 20, 20 and 10 epochs of sequences 00-08, for a GPU."""

KITTI_EIGEN = TrainConfig(
    dataset="kitti-raw",
    camera=(2, 3),
    size=(256, 832),
    workers=4,
    augment=Augment(),
    flow_stage=StageConfig(steps=99_270, learning_rate=1e-4),
    depth_stage=StageConfig(steps=99_270, learning_rate=1e-4),
    joint_stage=StageConfig(steps=49_635, learning_rate=1e-4),
)
"""Depth for the Eigen test: 20, 20 and 10 epochs of Zhou's training frames from both colour cameras, for a GPU."""

NYU = replace(KITTI_EIGEN, dataset="nyu", camera=(2,), size=(448, 576), stride=10)
"""Rooms, filmed by hand at 20 to 30 frames a second: pairs lie 10 frames apart; as many steps as for KITTI."""

TUM = replace(NYU, dataset="tum", size=(240, 320), stride=3)
"""One or a few sequences of a room, with poses and depth to score with; other sets of rooms too (--dataset 7scenes)."""

FOLDER = replace(NYU, dataset="folder", size=(256, 448), stride=1)
"""Somebody's own images or videos; mapped scenes too (--dataset colmap)."""

POSENET = TrainConfig(
    dataset="7scenes",
    size=(224, 224),
    batch=32,
    augment=Augment(flip=0, brightness=0.3, contrast=0.3, saturation=0.2, hue=0.02, gamma=0.2),
    views=ViewOptions(turn=25, shift=0.6),
    # less than the published half: with new views at every step there is less to overfit to
    pose=PoseNetOptions(dropout=0.2),
    coarse_stage=StageConfig(steps=2200, learning_rate=1e-3, decay="cosine", warm_up=20, weight_decay=1e-5),
    pose_stage=StageConfig(steps=350, learning_rate=3e-4, decay="cosine", warm_up=20, weight_decay=1e-5),
    precision="auto",
)
"""Places in a mapped scene, with learned weights of the losses: minutes on a CPU for a few hundred images."""

POSENET_BETA = replace(POSENET, pose_loss=PoseLossOptions("beta"))
"""Likewise, rotation weighed by hand, as the first PoseNet."""

POSENET_GEOMETRIC = replace(
    POSENET,
    pose_loss=PoseLossOptions("geometric"),
    coarse_stage=StageConfig(),
    # what dropout disturbs would go where this loss is flat: a turn and a step to the side that cancel in the image
    pose=PoseNetOptions(dropout=0.0),
    # at larger rates positions go on getting better, at the cost of rotations in views unlike those trained on
    pose_stage=replace(POSENET.pose_stage, steps=200, learning_rate=1e-5),
)
"""The distance of projected points, for a start from a run of posenet (--start-from runs/posenet)."""

RECIPES = {
    "world": WORLD,
    "kitti-odom": KITTI_ODOM,
    "kitti-odom-small": KITTI_ODOM_SMALL,
    "kitti-eigen": KITTI_EIGEN,
    "nyu": NYU,
    "tum": TUM,
    "folder": FOLDER,
    "posenet": POSENET,
    "posenet-beta": POSENET_BETA,
    "posenet-geometric": POSENET_GEOMETRIC,
}


def recipe(name: str) -> TrainConfig:
    """The recipe of that name; InputError lists those there are."""
    if name not in RECIPES:
        raise InputError(f"no recipe is called {name!r}; choose one of {', '.join(RECIPES)}")
    return RECIPES[name]
