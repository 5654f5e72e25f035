"""RunConfig: everything that determines a training run, composed of the options of its parts.

One type per family: here ``VideoConfig`` for depth and odometry from unlabelled video and ``SupervisedConfig`` for
them from ground truth, in ``vode.relocalization.config`` that for absolute poses.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from vode.augmentation.options import NO_AUGMENT, Augment
from vode.datasets.options import DataOptions
from vode.losses.options import DepthErrorOptions, FlowErrorOptions, FlowLossOptions, GeometryLossOptions
from vode.networks.options import DepthOptions, FlowOptions
from vode.odometry.options import TrackerOptions
from vode.training.options import LossWeights, MotionOptions
from vode.world.options import WorldOptions

if TYPE_CHECKING:
    from vode.training.family import Family


@dataclass(frozen=True)
class StageConfig:
    """Length and learning rate of one stage."""

    steps: int = 0
    """optimiser steps, 0 = skip the stage"""
    learning_rate: float = 1e-4
    """peak learning rate of Adam"""
    decay: Literal["constant", "step", "cosine"] = "constant"
    """cosine decays to 1/50 of the peak at the end of the stage"""
    decay_every: int = 10_000
    """steps between reductions, for decay "step" """
    decay_factor: float = 0.5
    """factor of each reduction"""
    warm_up: int = 0
    """steps of linear warm-up from 0"""
    weight_decay: float = 0.0
    """weight decay of Adam, applied to weights only, not to biases, norms and learned loss weights"""
    decoupled: bool = False
    """decouple weight decay from the gradient, as AdamW does (Loshchilov and Hutter, ICLR 2019)"""
    encoder_rate: float = 1.0
    """learning rate of networks' encoders, which may be pretrained, relative to that of the rest"""


@dataclass(frozen=True)
class VideoStage(StageConfig):
    """A stage that trains flow, depth or both."""

    weights: LossWeights = LossWeights()
    flow_loss: FlowLossOptions = FlowLossOptions()


@dataclass(frozen=True)
class RunConfig(DataOptions):
    """Options shared by all training runs."""

    family: ClassVar[str]
    """name of the configuration's type in a run folder"""
    implementation: ClassVar[str]
    """module with the functions of the family, imported on demand"""
    stage_names: ClassVar[tuple[str, ...]]
    """names of the stages, in order; the StageConfig of each is the field NAME_stage"""
    geometric: ClassVar[tuple[str, ...]] = ()
    """those whose samples can fail to have a geometry"""
    determined: ClassVar[tuple[str, ...]] = ()
    """fields that a new run sets by itself, from its start or its data"""

    dataset: str = "world"
    """name of the data set, or world, the built-in one, which needs no folder"""
    sequences: tuple[str, ...] = ()
    """names of sequences, or seeds of the built-in world, A-B for many; none = all training sequences on disk"""
    size: tuple[int, int] = (256, 832)
    """(height, width) of the networks' input images"""
    world: WorldOptions = WorldOptions()
    """options of the built-in world; its image size follows ``size``"""
    augment: Augment = field(default_factory=lambda: NO_AUGMENT)
    workers: int = 0
    """number of data-loading processes"""
    start_from: Path | None = None
    """folder of a run, or name of shipped weights, that the networks are initialised from"""
    batch: int = 8
    """samples per step, over all processes"""
    block: int = 0
    """draw the samples in blocks of so many, one block after the other; 0 = shuffle all of them"""
    replacement: bool = False
    """draw every sample from all of them, so that some are drawn twice before others, in place of shuffling them"""
    reuse: int = 1
    """how often each block is drawn before it is left, interleaved with the next ones"""
    accumulate: int = 1
    """parts in which a batch is computed sequentially, to save memory"""
    seed: int = 0
    precision: Literal["float32", "bfloat16", "float16", "auto"] = "float32"
    """precision of the networks only; auto uses bfloat16 where the CPU or GPU supports it natively"""
    channels_last: bool = True
    """use the channels-last memory layout, in which most convolutions are fastest"""
    compile: bool = False
    """compile the networks with torch.compile"""
    ema: float = 0.0
    """decay of a moving average of the weights, which is then scored and saved instead of them; 0 = none"""
    clip: float = 1.0
    """norm to which gradients are clipped, 0 = they are not"""
    device: str = "auto"
    """cpu, cuda, cuda:1, ...; auto uses the GPU if there is one"""
    save_every: int = 200
    """steps between checkpoints"""
    keep: int = 2
    """number of checkpoints to keep, the newest"""
    half: bool = False
    """write weights in 16 bits, which takes half the space; checkpoints stay exact"""
    bad_steps: int = 50
    """consecutive steps without finite gradients after which the run stops; each of them changes nothing"""
    validate_every: int = 0
    """steps between validations, 0 = none"""
    validation: tuple[str, ...] = ()
    """names or seeds of sequences to validate on; none = what the data set reserves for validation"""
    validation_samples: int = 64
    """maximum number of samples in the validation loss"""
    patience: int = 0
    """validations without improvement after which a stage ends, 0 = never"""
    log_every: int = 20
    """steps between log lines"""
    visualize_every: int = 100
    """steps between visualizations"""
    score_at_end: bool = True
    """score the finished run on the data set's own sequence for it"""

    def plan(self) -> list[tuple[str, StageConfig]]:
        """The selected stages that have steps, in order."""
        chosen = getattr(self, "stages", self.stage_names)
        named = [(name, getattr(self, f"{name}_stage")) for name in self.stage_names if name in chosen]
        return [(name, stage) for name, stage in named if stage.steps > 0]

    def functions(self) -> Family:
        """The functions of the family, for the training loop."""
        return importlib.import_module(self.implementation)


@dataclass(frozen=True)
class OdometryConfig(RunConfig):
    """Options of runs of a flow and a depth network, which predict and track alike, however they were trained."""

    determined: ClassVar[tuple[str, ...]] = ("flow", "depth")

    clip_every: int = 1
    """only every n-th frame of a sequence begins a sample"""
    flow: FlowOptions = FlowOptions()
    depth: DepthOptions = DepthOptions()
    tracker: TrackerOptions = TrackerOptions()
    """options of visual odometry with the run's networks"""


@dataclass(frozen=True)
class VideoConfig(OdometryConfig):
    """Depth and odometry, learned from unlabelled video."""

    family: ClassVar[str] = "video"
    implementation: ClassVar[str] = "vode.training.video"
    stage_names: ClassVar[tuple[str, ...]] = ("flow", "depth", "joint")
    geometric: ClassVar[tuple[str, ...]] = ("depth", "joint")

    stride: int = 1
    """frame distance between the two images of a pair"""
    stages: tuple[Literal["flow", "depth", "joint"], ...] = ("flow", "depth", "joint")
    """stages to run, of those that have steps"""
    flow_stage: VideoStage = VideoStage()
    depth_stage: VideoStage = VideoStage()
    joint_stage: VideoStage = VideoStage()
    joint_flow_only: bool = False
    """train only the flow in the joint stage, as the paper's released code does"""
    motion: MotionOptions = MotionOptions()
    triangulation_loss: Literal["log", "square"] = "log"
    """residual between predicted and triangulated depth: robust, or squared as in the paper"""
    geometry_loss: GeometryLossOptions = GeometryLossOptions()
    separate_images: bool = True
    """compute batch statistics of the depth network over the first images of the pairs and the second ones apart, as
    the paper's released code does; together takes a tenth less time"""


@dataclass(frozen=True)
class SupervisedDepthStage(StageConfig):
    """A stage that trains depth on ground truth."""

    loss: DepthErrorOptions = DepthErrorOptions()


@dataclass(frozen=True)
class SupervisedFlowStage(StageConfig):
    """A stage that trains flow on ground truth."""

    loss: FlowErrorOptions = FlowErrorOptions()


@dataclass(frozen=True)
class SupervisedConfig(OdometryConfig):
    """Depth and flow, learned from ground truth."""

    family: ClassVar[str] = "supervised"
    implementation: ClassVar[str] = "vode.training.supervised"
    stage_names: ClassVar[tuple[str, ...]] = ("depth", "flow")

    stages: tuple[Literal["depth", "flow"], ...] = ("depth", "flow")
    """stages to run, of those that have steps"""
    depth_stage: SupervisedDepthStage = SupervisedDepthStage()
    """training of depth on single images"""
    flow_stage: SupervisedFlowStage = SupervisedFlowStage()
    """training of flow on pairs of consecutive frames"""
    crops: tuple[tuple[int, int], ...] = ()
    """(height, width) of random crops from images of ``size``, one for each batch in turn; none = the whole image"""
