"""``vode train``: a recipe with some values changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from vode.cli.parse import parse
from vode.recipes import FAMILIES, RECIPES, recipe
from vode.relocalization.config import RelocalizationConfig
from vode.run_folder import RunFolder
from vode.training import distributed, loop
from vode.training.config import VideoConfig


@dataclass(frozen=True)
class VideoArguments:
    """Train the networks without labels, then score them."""

    config: Annotated[VideoConfig, tyro.conf.arg(name="")]
    run: Path | None = None
    """folder of the run; default runs/RECIPE, with a number behind if that is taken"""
    resume: Path | None = None
    """resume the run in this folder, with its own configuration"""


@dataclass(frozen=True)
class RelocalizationArguments(VideoArguments):
    """Train an absolute pose regressor on a mapped scene, then score it."""

    config: Annotated[RelocalizationConfig, tyro.conf.arg(name="")]


def train(argv: Sequence[str]) -> None:
    """``train [recipe] [overrides]``: a recipe with some values changed."""
    name = argv[0] if argv and not argv[0].startswith("-") else "world"
    rest = argv[1:] if argv and not argv[0].startswith("-") else argv
    chosen = recipe(name)
    kind = VideoArguments if isinstance(chosen, VideoConfig) else RelocalizationArguments
    defaults = kind(chosen)
    arguments = parse(kind, rest, f"train [{'|'.join(RECIPES)}]", default=defaults)
    if arguments.resume is None:
        config = arguments.config
    else:
        kind = FAMILIES[RunFolder(arguments.resume).family()]
        config = RunFolder(arguments.resume).read_config(kind)
    group = distributed.join(config.device)
    if arguments.resume is not None:
        folder, results = arguments.resume, loop.resume(arguments.resume, type(config))
    else:
        folder = arguments.run or distributed.broadcast(free_folder(Path("runs") / name))
        results = loop.train(config, folder)
    distributed.leave()
    if not group.writes:
        return
    for key, value in results.items():
        print(f"{key:24} {'-' if value is None else f'{value:.3f}'}")
    if results:
        print(f"run folder: {folder}")


def free_folder(folder: Path) -> Path:
    """The folder, or the first of folder-2, folder-3, ... that does not exist."""
    number, free = 1, folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free
