"""``vode train``: a recipe with some values changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vode.adaptation.config import AdaptationConfig
from vode.cli.parse import parse
from vode.recipes import RECIPES, recipe
from vode.relocalization.config import RelocalizationConfig
from vode.training.config import RunConfig, SupervisedConfig, VideoConfig
from vode.view_synthesis.config import ViewSynthesisConfig


@dataclass(frozen=True, kw_only=True)
class FolderArguments:
    """Where a run is."""

    run: Path | None = None
    """folder of the run; default runs/RECIPE, with a number behind if that is taken"""
    existing: Literal["refuse", "resume"] = "refuse"
    """what is done with a run that the folder holds; with resume one command begins a run and takes it up again"""


@dataclass(frozen=True, kw_only=True)
class VideoArguments(FolderArguments):
    """Train depth and flow without labels, then score them."""

    config: Annotated[VideoConfig, tyro.conf.arg(name="")]


@dataclass(frozen=True, kw_only=True)
class SupervisedArguments(FolderArguments):
    """Train depth and flow on ground truth, then score them."""

    config: Annotated[SupervisedConfig, tyro.conf.arg(name="")]


@dataclass(frozen=True, kw_only=True)
class ViewSynthesisArguments(FolderArguments):
    """Train depth and a pose network without labels, then score them."""

    config: Annotated[ViewSynthesisConfig, tyro.conf.arg(name="")]


@dataclass(frozen=True, kw_only=True)
class AdaptationArguments(FolderArguments):
    """Adapt depth and flow to one's own video, without labels; what is no better than the start is not kept."""

    config: Annotated[AdaptationConfig, tyro.conf.arg(name="")]


@dataclass(frozen=True, kw_only=True)
class RelocalizationArguments(FolderArguments):
    """Train an absolute pose regressor on a mapped scene, then score it."""

    config: Annotated[RelocalizationConfig, tyro.conf.arg(name="")]


@dataclass(frozen=True)
class ResumeArguments:
    """Resume a run with its own configuration."""

    resume: Path
    """folder of the run"""


STOPPED = 130
"""exit status of a run that was asked to stop: it has more to do, which a scheduler or a shell's && should know"""


def train(argv: Sequence[str]) -> int:
    """``train [RECIPE] [overrides]``, or ``train --resume RUN``; the exit status."""
    prog = f"train [{'|'.join(RECIPES)}]"
    if argv and argv[0].partition("=")[0] == "--resume":
        run = parse(ResumeArguments, argv, "train").resume
        from vode.pipelines.train import resume

        return _print(*resume(run))
    name = argv[0] if argv and not argv[0].startswith("-") else "world"
    rest = argv[1:] if argv and not argv[0].startswith("-") else argv
    default = _defaults(recipe(name))
    arguments = parse(type(default), rest, prog, default=default)
    from vode.pipelines.train import train as train_run

    return _print(*train_run(arguments.config, arguments.run, name=name, existing=arguments.existing))


def _defaults(
    config: RunConfig,
) -> VideoArguments | SupervisedArguments | ViewSynthesisArguments | AdaptationArguments | RelocalizationArguments:
    """The arguments of the family that a recipe belongs to, with its values."""
    if isinstance(config, VideoConfig):
        return VideoArguments(config=config)
    if isinstance(config, SupervisedConfig):
        return SupervisedArguments(config=config)
    if isinstance(config, ViewSynthesisConfig):
        return ViewSynthesisArguments(config=config)
    if isinstance(config, AdaptationConfig):
        return AdaptationArguments(config=config)
    if isinstance(config, RelocalizationConfig):
        return RelocalizationArguments(config=config)
    raise TypeError(f"{type(config).__name__} has no arguments of the command line")


def _print(folder: object, results: dict[str, float | None]) -> int:
    for key, value in results.items():
        print(f"{key:24} {'-' if value is None else f'{value:.3f}'}")
    if results:
        print(f"run folder: {folder}")
    return 0 if results else STOPPED
