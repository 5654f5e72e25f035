"""RelocalizationConfig: everything that decides the training of an absolute pose regressor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from vode.relocalization.options import PoseLossOptions, PoseNetOptions, ViewOptions
from vode.training.config import RunConfig, StageConfig


@dataclass(frozen=True)
class RelocalizationConfig(RunConfig):
    """Visual relocalization: the camera's pose in a mapped scene, learned from single images with known poses."""

    family: ClassVar[str] = "relocalization"
    implementation: ClassVar[str] = "vode.relocalization.family"
    stage_names: ClassVar[tuple[str, ...]] = ("coarse", "pose")

    dataset: str = "7scenes"
    """layout of the scene, or world, the built-in one, which needs no folder"""
    size: tuple[int, int] = (224, 224)
    """height and width of the views that poses are learned from"""
    stages: tuple[Literal["coarse", "pose"], ...] = ("coarse", "pose")
    """the stages to run, of those that have steps"""
    coarse_stage: StageConfig = StageConfig()
    """views of half the size, which take a quarter of the time"""
    pose_stage: StageConfig = StageConfig()
    """whole views; with or without the coarse stage a run of its own"""
    pose: PoseNetOptions = PoseNetOptions()
    pose_loss: PoseLossOptions = PoseLossOptions()
    views: ViewOptions = ViewOptions()
    """views of the scene's images that poses are learned from"""
