"""AdaptationConfig: everything that determines a run of adaptation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from vode.adaptation.options import FLOW_LOSS, DepthLossOptions, FlowWeights, LevelOptions, StructureOptions
from vode.errors import InputError
from vode.losses.options import FlowLossOptions
from vode.odometry.options import TrackerOptions
from vode.training.config import OdometryConfig, StageConfig


@dataclass(frozen=True)
class AdaptDepthStage(StageConfig):
    """The stage that adapts depth."""

    loss: DepthLossOptions = DepthLossOptions()


@dataclass(frozen=True)
class AdaptFlowStage(StageConfig):
    """The stage that adapts flow."""

    weights: FlowWeights = FlowWeights()
    flow_loss: FlowLossOptions = FLOW_LOSS


@dataclass(frozen=True)
class AdaptationConfig(OdometryConfig):
    """Depth and flow, adapted to unlabelled video from the start that ``start_from`` names.

    The run is then tracked by its ``tracker``, as any other.
    """

    family: ClassVar[str] = "adaptation"
    implementation: ClassVar[str] = "vode.adaptation.family"
    stage_names: ClassVar[tuple[str, ...]] = ("depth", "flow")
    determined: ClassVar[tuple[str, ...]] = ("flow", "depth", "minutes", "depth_stage", "flow_stage")

    minutes: float = 3.0
    """time to train for; it sets the steps of the stages, in their proportion, once the run begins; 0 = as they are"""
    motion: TrackerOptions = TrackerOptions(flow="classical", magnify=1.25)
    """how the video is tracked before training; points are triangulated from the same flow, at the same size"""
    stages: tuple[Literal["depth", "flow"], ...] = ("depth", "flow")
    """stages to run, of those that have steps"""
    depth_stage: AdaptDepthStage = AdaptDepthStage()
    flow_stage: AdaptFlowStage = AdaptFlowStage()
    clip_length: int = 4
    """frames of a clip, whose depths are compared"""
    clip_stride: int = 2
    """frames from each of them to the next"""
    crop: float = 1.0
    """fraction of the height and of the width that is cropped at random from the images of a batch; 1 = whole images"""
    part: int = 100
    """frames of the parts that a video is cut into, each with a trajectory of its own"""
    most_frames: int = 800
    """frames that are used, in parts evenly spread over longer videos"""
    held_out: float = 0.2
    """fraction of each part, its end, that is kept for the verdict"""
    structure: StructureOptions = StructureOptions()
    levels: LevelOptions = LevelOptions()

    def __post_init__(self) -> None:
        if self.start_from is None:
            raise InputError("adaptation needs weights to start from; name a run or shipped weights", "start_from")
        if self.augment.crop:
            raise InputError("adaptation takes whole images; set the largest crop to 0", "augment.crop")
        if not 0 < self.crop <= 1:
            raise InputError(f"a crop to {self.crop} of an image; give more than 0 and at most 1", "crop")
        if not 0 < self.held_out < 1:
            raise InputError(f"a fraction of {self.held_out} held out; give one between 0 and 1", "held_out")
        span = (self.clip_length - 1) * self.clip_stride
        if self.clip_length < 2 or self.clip_stride < 1 or self.part * (1 - self.held_out) <= span:
            raise InputError(
                f"clips of {span + 1} frames do not fit into the {self.part * (1 - self.held_out):.0f} that are not "
                f"held out of each part of {self.part}; shorten the clips or enlarge the parts",
                "clip_length",
                "part",
            )
