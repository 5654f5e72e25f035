"""TrainConfig: everything that decides a run, gathered from the options that live beside what they configure."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vode.augmentation.options import Augment
from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.losses.options import FlowLossOptions
from vode.networks.options import DepthOptions, FlowOptions
from vode.odometry.options import TrackerOptions
from vode.relocalization.options import PoseLossOptions, PoseNetOptions, ViewOptions
from vode.training.options import LossWeights, MotionOptions
from vode.world.options import WorldOptions

STAGES = ("flow", "depth", "joint", "coarse", "pose")


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
    weights: LossWeights = LossWeights()
    flow_loss: FlowLossOptions = FlowLossOptions()


@dataclass(frozen=True)
class TrainConfig(DataOptions):
    """One training run."""

    dataset: str = "world"
    """layout of the data, or world, the built-in one, which needs no folder"""
    sequences: tuple[str, ...] = ()
    """names of sequences, or seeds of the built-in world; none = the training sequences on disk"""
    size: tuple[int, int] = (256, 832)
    """height and width that images are resized to; of the views that places are learned from"""
    stride: int = 1
    """frames between the two images of a pair"""
    world: WorldOptions = WorldOptions()
    """drives of the built-in world; their size follows ``size``"""
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
    stages: tuple[Literal["flow", "depth", "joint", "coarse", "pose"], ...] = STAGES
    """the stages to run, of those that have steps"""
    flow_stage: StageConfig = StageConfig()
    depth_stage: StageConfig = StageConfig()
    joint_stage: StageConfig = StageConfig()
    coarse_stage: StageConfig = StageConfig()
    """places in a mapped scene, from views of half the size, which take a quarter of the time"""
    pose_stage: StageConfig = StageConfig()
    """places in a mapped scene; with or without the coarse stage a run of its own"""
    joint_flow_only: bool = False
    """train the flow alone in the joint stage, as the paper's released code does"""
    flow: FlowOptions = FlowOptions()
    depth: DepthOptions = DepthOptions()
    motion: MotionOptions = MotionOptions()
    triangulation_loss: Literal["log", "square"] = "log"
    """residual of predicted against triangulated depth: robust, or the paper's square"""
    pose: PoseNetOptions = PoseNetOptions()
    pose_loss: PoseLossOptions = PoseLossOptions()
    views: ViewOptions = ViewOptions()
    """of the images of a scene, that places are learned from"""
    tracker: TrackerOptions = TrackerOptions()
    """how the run's networks are tracked with"""
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
    validation_pairs: int = 64
    """most pairs that the validation loss is the mean of"""
    patience: int = 0
    """validations without a lower loss after which a stage ends, 0 = never"""
    log_every: int = 20
    """steps between lines of the log"""
    picture_every: int = 100
    """steps between pictures"""

    def plan(self) -> list[tuple[str, StageConfig]]:
        """The stages that are run and have steps, in order."""
        named = [(name, getattr(self, f"{name}_stage")) for name in STAGES if name in self.stages]
        return [(name, stage) for name, stage in named if stage.steps > 0]


def config_to_dict(config: TrainConfig) -> dict[str, Any]:
    """Plain values for JSON."""
    return json.loads(json.dumps(dataclasses.asdict(config), default=str))


def config_from_dict(values: dict[str, Any], where: Path) -> TrainConfig:
    """A TrainConfig from what ``config_to_dict`` gave; ``where`` is named if it does not fit."""
    try:
        return _build(TrainConfig, values)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"{where}: not the configuration of a run ({error}); start a new run") from error


def _build(kind: Any, value: Any) -> Any:
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _build(hints[name], item) for name, item in value.items()})
    if origin is tuple:
        return tuple(_build(typing.get_args(kind)[0], item) for item in value)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _build(typing.get_args(kind)[0], value)
    if origin is Literal:
        if value not in typing.get_args(kind):
            raise ValueError(f"{value!r} is none of {typing.get_args(kind)}")
        return value
    return kind(value)
