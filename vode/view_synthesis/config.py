"""ViewSynthesisConfig: everything that determines a run of depth and motion by view synthesis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from vode.errors import InputError
from vode.losses.options import FlowConsistencyOptions
from vode.networks.options import PoseOptions, ResidualFlowOptions
from vode.odometry.options import POSE_NETWORK, TrackerOptions
from vode.training.config import OdometryConfig, StageConfig, VideoStage
from vode.view_synthesis.options import FullFlowWeights, SnippetOptions, SynthesisOptions, SynthesisWeights


@dataclass(frozen=True)
class SynthesisStage(StageConfig):
    """A stage that trains depth and motion together."""

    weights: SynthesisWeights = SynthesisWeights()


@dataclass(frozen=True)
class ResidualStage(StageConfig):
    """The stage that trains what GeoNet's flow has besides that of depth and motion."""

    weights: FullFlowWeights = FullFlowWeights()
    consistency: FlowConsistencyOptions = FlowConsistencyOptions()


@dataclass(frozen=True)
class ViewSynthesisConfig(OdometryConfig):
    """Depth and camera motion by two networks, learned from unlabelled video.

    A flow network is part of a run whose pose network takes flow; of others ``flow`` is that of the weights that stand
    in for it. A residual flow network is part of one with the stage ``residual``.
    """

    family: ClassVar[str] = "view-synthesis"
    implementation: ClassVar[str] = "vode.view_synthesis.family"
    stage_names: ClassVar[tuple[str, ...]] = ("flow", "motion", "depth", "residual")
    determined: ClassVar[tuple[str, ...]] = ("flow", "depth", "pose", "residual")

    stages: tuple[Literal["flow", "motion", "depth", "residual"], ...] = ("flow", "motion", "depth", "residual")
    """stages to run, of those that have steps"""
    objective: Literal["views", "left-right"] = "views"
    """depth and motion by making the target from other views; or Monodepth's: disparities of both cameras by making
    each image of a stereo pair from the other"""
    snippet: SnippetOptions = SnippetOptions()
    pose: PoseOptions = PoseOptions()
    synthesis: SynthesisOptions = SynthesisOptions()
    residual: ResidualFlowOptions = ResidualFlowOptions()
    flow_stage: VideoStage = VideoStage()
    """training of the flow network that a pose network of flow sees frames by"""
    motion_stage: SynthesisStage = SynthesisStage()
    """training of the pose network alone, before depth, at that of a new network: nearly the same everywhere"""
    depth_stage: SynthesisStage = SynthesisStage()
    residual_stage: ResidualStage = ResidualStage()
    tracker: TrackerOptions = POSE_NETWORK
    """options of visual odometry with the run's networks; by default motions are those of its pose network"""

    def __post_init__(self) -> None:
        pose, length = self.pose, self.snippet.length
        self._check_stereo()
        if length > 1 and (pose.network, pose.input) == ("posecnn", "images") and pose.frames != length:
            raise InputError(
                f"a pose network of {pose.frames} frames for snippets of {length}; make them equal",
                "pose.frames",
                "snippet.length",
            )
        self._check_stages()

    def _check_stereo(self) -> None:
        left_right, snippet = self.objective == "left-right", self.snippet
        if left_right and not (snippet.stereo and snippet.length == 1):
            raise InputError(
                "left-right consistency is that of single stereo pairs; set snippet.stereo, and snippet.length to 1",
                "snippet.stereo",
                "snippet.length",
            )
        if self.depth.both_views != left_right:
            wants = "wants the disparities of both" if left_right else "has no use for the disparities of two"
            raise InputError(f"the objective {self.objective} {wants} cameras; set both_views", "depth.both_views")
        for name in ("explainability", "consistency") if left_right else ("left_right",):
            if getattr(self.depth_stage.weights, name):
                raise InputError(
                    f"the objective {self.objective} has no loss {name}; set its weight to 0", "depth_stage.weights"
                )
        if snippet.length == 1 and self.tracker.tracker == "pose-network":
            raise InputError("pairs of one instant train no pose network; track by geometry (vode)", "tracker")
        if snippet.stereo and self.pose.explainability and snippet.length > 1:
            raise InputError("explainability masks are of frames, not of stereo; leave one out", "pose.explainability")

    def _check_stages(self) -> None:
        names = [name for name, _ in self.plan()]
        if "flow" in names and self.pose.input != "flow":
            raise InputError(
                "a flow stage for a pose network of images; set its input to flow, or the steps of the stage to 0",
                "pose.input",
                "flow_stage.steps",
            )
        if "motion" in names and self.snippet.length == 1:
            raise InputError("single stereo pairs have no motion to learn; set its steps to 0", "motion_stage.steps")
        if "residual" in names and self.snippet.length < 3:
            raise InputError(
                f"residual flow takes snippets of 3 frames or more, not {self.snippet.length}", "snippet.length"
            )
