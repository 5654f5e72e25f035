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
    objective: Literal["views", "left-right"] = "views"
    """depth and motion by making the target from other views; or Monodepth's: disparities of both cameras by making
    each image of a stereo pair from the other"""
    snippet: SnippetOptions = SnippetOptions()
    pose: PoseOptions = PoseOptions()
    synthesis: SynthesisOptions = SynthesisOptions()
    depth_stage: SynthesisStage = SynthesisStage()
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
