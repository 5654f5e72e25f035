"""``vode train``: a recipe with some values changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from vode.adaptation.config import AdaptationConfig
from vode.cli.parse import parse
from vode.recipes import RECIPES, recipe
from vode.relocalization.config import RelocalizationConfig
from vode.training.config import RunConfig, SupervisedConfig, VideoConfig


@dataclass(frozen=True)
class VideoArguments:
    """Train depth and flow without labels, then score them."""

    config: Annotated[VideoConfig, tyro.conf.arg(name="")]
    run: Path | None = None
    """folder of the run; default runs/RECIPE, with a number behind if that is taken"""


@dataclass(frozen=True)
class SupervisedArguments:
    """Train depth and flow on ground truth, then score them."""

    config: Annotated[SupervisedConfig, tyro.conf.arg(name="")]
    run: Path | None = None
    """folder of the run; default runs/RECIPE, with a number behind if that is taken"""


@dataclass(frozen=True)
class AdaptationArguments:
    """Adapt depth and flow to one's own video, without labels; what is no better than the start is not kept."""

    config: Annotated[AdaptationConfig, tyro.conf.arg(name="")]
    run: Path | None = None
    """folder of the run; default runs/RECIPE, with a number behind if that is taken"""


@dataclass(frozen=True)
class RelocalizationArguments:
    """Train an absolute pose regressor on a mapped scene, then score it."""

    config: Annotated[RelocalizationConfig, tyro.conf.arg(name="")]
    run: Path | None = None
    """folder of the run; default runs/RECIPE, with a number behind if that is taken"""


@dataclass(frozen=True)
class ResumeArguments:
    """Resume a run with its own configuration."""

    resume: Path
    """folder of the run"""


def train(argv: Sequence[str]) -> None:
    """``train [RECIPE] [overrides]``, or ``train --resume RUN``."""
    prog = f"train [{'|'.join(RECIPES)}]"
    if argv and argv[0].partition("=")[0] == "--resume":
        run = parse(ResumeArguments, argv, "train").resume
        from vode.pipelines.train import resume

        _print(*resume(run))
        return
    name = argv[0] if argv and not argv[0].startswith("-") else "world"
    rest = argv[1:] if argv and not argv[0].startswith("-") else argv
    default = _defaults(recipe(name))
    arguments = parse(type(default), rest, prog, default=default)
    from vode.pipelines.train import train as train_run

    _print(*train_run(arguments.config, arguments.run, name=name))


def _defaults(
    config: RunConfig,
) -> VideoArguments | SupervisedArguments | AdaptationArguments | RelocalizationArguments:
    """The arguments of the family that a recipe belongs to, with its values."""
    if isinstance(config, VideoConfig):
        return VideoArguments(config)
    if isinstance(config, SupervisedConfig):
        return SupervisedArguments(config)
    if isinstance(config, AdaptationConfig):
        return AdaptationArguments(config)
    if isinstance(config, RelocalizationConfig):
        return RelocalizationArguments(config)
    raise TypeError(f"{type(config).__name__} has no arguments of the command line")


def _print(folder: object, results: dict[str, float | None]) -> None:
    for key, value in results.items():
        print(f"{key:24} {'-' if value is None else f'{value:.3f}'}")
    if results:
        print(f"run folder: {folder}")
