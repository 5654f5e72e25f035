"""ViewSynthesisConfig: everything that determines a run of depth and motion by view synthesis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from vode.errors import InputError
from vode.networks.options import PoseOptions
from vode.odometry.options import POSE_NETWORK, TrackerOptions
from vode.training.config import OdometryConfig, StageConfig
from vode.view_synthesis.options import SnippetOptions, SynthesisOptions, SynthesisWeights


@dataclass(frozen=True)
class SynthesisStage(StageConfig):
    """A stage that trains depth and motion together."""

    weights: SynthesisWeights = SynthesisWeights()


@dataclass(frozen=True)
class ViewSynthesisConfig(OdometryConfig):
    """Depth and camera motion by two networks, learned from unlabelled video.

    Runs have no flow network: ``flow`` is that of the weights that stand in for it.
    """

    family: ClassVar[str] = "view-synthesis"
    implementation: ClassVar[str] = "vode.view_synthesis.family"
    stage_names: ClassVar[tuple[str, ...]] = ("depth",)
    determined: ClassVar[tuple[str, ...]] = ("flow", "depth", "pose")

    stages: tuple[Literal["depth"], ...] = ("depth",)
    """stages to run, of those that have steps"""
    snippet: SnippetOptions = SnippetOptions()
    pose: PoseOptions = PoseOptions()
    synthesis: SynthesisOptions = SynthesisOptions()
    depth_stage: SynthesisStage = SynthesisStage()
    tracker: TrackerOptions = POSE_NETWORK
    """options of visual odometry with the run's networks; by default motions are those of its pose network"""

    def __post_init__(self) -> None:
        pose, length = self.pose, self.snippet.length
        if (pose.network, pose.input) == ("posecnn", "images") and pose.frames != length:
            raise InputError(
                f"a pose network of {pose.frames} frames for snippets of {length}; make them equal",
                "pose.frames",
                "snippet.length",
            )
