"""RelocalizationConfig: everything that determines the training of an absolute pose regressor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from vode.relocalization.options import PoseLossOptions, PoseNetOptions, ViewOptions
from vode.training.config import RunConfig, StageConfig


@dataclass(frozen=True)
class RelocalizationConfig(RunConfig):
    """Visual relocalization: camera poses in a mapped scene, learned from single images with known poses."""

    family: ClassVar[str] = "relocalization"
    implementation: ClassVar[str] = "vode.relocalization.family"
    stage_names: ClassVar[tuple[str, ...]] = ("coarse", "pose")
    determined: ClassVar[tuple[str, ...]] = ("pose",)

    dataset: str = "7scenes"
    """name of the scene's data set, or world, the built-in one, which needs no folder"""
    size: tuple[int, int] = (224, 224)
    """(height, width) of the training views"""
    stages: tuple[Literal["coarse", "pose"], ...] = ("coarse", "pose")
    """stages to run, of those that have steps"""
    coarse_stage: StageConfig = StageConfig()
    """training on views of half the size, which take a quarter of the time"""
    pose_stage: StageConfig = StageConfig()
    """training on full-size views, after the coarse stage or without it"""
    pose: PoseNetOptions = PoseNetOptions()
    pose_loss: PoseLossOptions = PoseLossOptions()
    views: ViewOptions = ViewOptions()
    """how training views are cropped and synthesised from the scene's images"""
