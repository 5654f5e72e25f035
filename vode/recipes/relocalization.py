"""Recipes of visual relocalization."""

from __future__ import annotations

from dataclasses import replace

from vode.augmentation.options import Augment
from vode.relocalization.config import RelocalizationConfig
from vode.relocalization.options import PoseLossOptions, PoseNetOptions, ViewOptions
from vode.training.config import StageConfig

POSENET = RelocalizationConfig(
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
