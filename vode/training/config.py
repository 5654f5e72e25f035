"""RunConfig: everything that decides a training run, gathered from the options that live beside what they configure.

One type a family: ``VideoConfig`` here for depth and odometry, ``vode.relocalization.config`` for absolute poses.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from vode.augmentation.options import Augment
from vode.datasets.options import DataOptions
from vode.losses.options import FlowLossOptions
from vode.networks.options import DepthOptions, FlowOptions
from vode.odometry.options import TrackerOptions
from vode.training.options import LossWeights, MotionOptions
from vode.world.options import WorldOptions

if TYPE_CHECKING:
    from vode.training.family import Family


@dataclass(frozen=True)
class StageConfig:
    """Length and rate of one stage."""

    steps: int = 0
    """optimiser steps, 0 = leave the stage out"""
    learning_rate: float = 1e-4
    """Adam's rate at its height"""
    decay: Literal["constant", "step", "cosine"] = "constant"
    """cosine falls to a fiftieth of the rate at the stage's end"""
    decay_every: int = 10_000
    """steps between the falls of "step" """
    decay_factor: float = 0.5
    """what the rate is multiplied by then"""
    warm_up: int = 0
    """steps over which the rate rises from 0"""
    weight_decay: float = 0.0
    """Adam's, of the weights alone, not of biases, norms and learned losses"""


@dataclass(frozen=True)
class VideoStage(StageConfig):
    """A stage that trains flow, depth or both."""

    weights: LossWeights = LossWeights()
    flow_loss: FlowLossOptions = FlowLossOptions()


@dataclass(frozen=True)
class RunConfig(DataOptions):
    """What every training run has, whatever it learns."""

    family: ClassVar[str]
    """name under which a run folder keeps the type of its configuration"""
    implementation: ClassVar[str]
    """module of the family's functions, imported when a run needs them"""
    stage_names: ClassVar[tuple[str, ...]]
    """the stages there are, in order; each has its StageConfig in the field NAME_stage"""

    dataset: str = "world"
    """layout of the data, or world, the built-in one, which needs no folder"""
    sequences: tuple[str, ...] = ()
    """names of sequences, or seeds of the built-in world; none = the training sequences on disk"""
    size: tuple[int, int] = (256, 832)
    """height and width of the images that the networks see"""
    world: WorldOptions = WorldOptions()
    """sequences of the built-in world; their size follows ``size``"""
    augment: Augment = field(default_factory=lambda: Augment(0, 0, 0, 0, 0, 0))
    workers: int = 0
    """processes that load data beside the training"""
    start_from: Path | None = None
    """folder of a run whose weights are the start"""
    batch: int = 8
    """samples of a step, those of all processes together"""
    accumulate: int = 1
    """parts that a batch is computed in, one after the other, to save memory"""
    seed: int = 0
    precision: Literal["float32", "bfloat16", "float16", "auto"] = "float32"
    """of the networks alone; auto takes bfloat16 where the processor or GPU computes in it"""
    channels_last: bool = True
    """memory layout of images and features that most convolutions are fastest in"""
    compile: bool = False
    """compile the networks with torch.compile"""
    ema: float = 0.0
    """decay of a running mean of the weights, which is then scored and saved as the weights; 0 = none"""
    clip: float = 1.0
    """largest norm of the gradient"""
    device: str = "auto"
    """cpu, cuda, cuda:1, ...; auto takes the GPU if there is one"""
    save_every: int = 200
    """steps between checkpoints"""
    keep: int = 2
    """checkpoints that are kept, the newest"""
    bad_steps: int = 50
    """steps in a row without finite gradients, after which the run stops; each changes nothing"""
    validate_every: int = 0
    """steps between validations, 0 = none"""
    validation: tuple[str, ...] = ()
    """names of sequences to validate on, or seeds; none = what the data set keeps for it"""
    validation_samples: int = 64
    """most samples that the validation loss is the mean of"""
    patience: int = 0
    """validations without a lower loss after which a stage ends, 0 = never"""
    log_every: int = 20
    """steps between lines of the log"""
    visualize_every: int = 100
    """steps between visualizations"""

    def plan(self) -> list[tuple[str, StageConfig]]:
        """The stages that are run and have steps, in order."""
        chosen = getattr(self, "stages", self.stage_names)
        named = [(name, getattr(self, f"{name}_stage")) for name in self.stage_names if name in chosen]
        return [(name, stage) for name, stage in named if stage.steps > 0]

    def functions(self) -> Family:
        """What the training loop asks of the family."""
        return importlib.import_module(self.implementation)


@dataclass(frozen=True)
class VideoConfig(RunConfig):
    """Depth and odometry, learned from video without labels."""

    family: ClassVar[str] = "video"
    implementation: ClassVar[str] = "vode.training.video"
    stage_names: ClassVar[tuple[str, ...]] = ("flow", "depth", "joint")

    stride: int = 1
    """frames between the two images of a pair"""
    stages: tuple[Literal["flow", "depth", "joint"], ...] = ("flow", "depth", "joint")
    """the stages to run, of those that have steps"""
    flow_stage: VideoStage = VideoStage()
    depth_stage: VideoStage = VideoStage()
    joint_stage: VideoStage = VideoStage()
    joint_flow_only: bool = False
    """train the flow alone in the joint stage, as the paper's released code does"""
    flow: FlowOptions = FlowOptions()
    depth: DepthOptions = DepthOptions()
    motion: MotionOptions = MotionOptions()
    triangulation_loss: Literal["log", "square"] = "log"
    """residual of predicted against triangulated depth: robust, or the paper's square"""
    tracker: TrackerOptions = TrackerOptions()
    """how the run's networks are tracked with"""
