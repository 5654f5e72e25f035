"""What a bench trains: recipes on the bench's data, their schedules fitted to its budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, NamedTuple

from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.pipelines.bench.options import BenchOptions
from vode.recipes import RECIPES, recipe
from vode.training.config import OdometryConfig

FAMILIES = ("video", "supervised", "view-synthesis")
"""whose runs leave networks of depth and odometry, and train from their first step to their last"""
WARM_UP = 10
"""a warm-up takes at most the n-th part of its stage"""
LINES = 50
"""lines that a run logs, about"""


class Schedule(NamedTuple):
    """How a recipe spends the budget."""

    steps: Mapping[str, int]
    """of each stage"""
    seconds: Mapping[str, float]
    """that a step of each stage took when it was tried; empty where the budget is in samples"""

    def minutes(self, share: float) -> float:
        """Minutes of the budget that a share of all steps takes, in the order of the stages."""
        left, seconds = share * sum(self.steps.values()), 0.0
        for name, steps in self.steps.items():
            done = min(left, steps)
            seconds, left = seconds + done * self.seconds[name], left - done
        return seconds / 60


def entries(recipes: Iterable[str] | Mapping[str, OdometryConfig], options: BenchOptions) -> dict[str, OdometryConfig]:
    """The configuration of each recipe on the bench's data; ``recipes`` are names, or configurations by name.

    InputError for a recipe that is not there, is named twice, belongs to another family, or has nothing to train.
    """
    named = list(recipes)
    if not named:
        raise InputError(f"no recipe to train; name some of {', '.join(_offered())}", "recipes")
    if len(set(named)) < len(named):
        raise InputError(f"{max(named, key=named.count)}: named twice; seeds make several runs of a recipe", "recipes")
    found = {}
    for name in named:
        config = recipes[name] if isinstance(recipes, Mapping) else recipe(name)
        if not isinstance(config, OdometryConfig) or config.family not in FAMILIES:
            others = ", ".join(_offered())
            raise InputError(
                f"{name}: a recipe of the family {config.family}; a bench compares those of depth and odometry from "
                f"their first step on: {others}"
            )
        if not config.plan():
            raise InputError(f"{name}: nothing to train, every stage has 0 steps; choose another recipe", "recipes")
        found[name] = _shared(config, options)
    return found


def within(config: OdometryConfig, options: BenchOptions, seconds: Mapping[str, float]) -> Schedule:
    """The steps of the stages, in the recipe's proportion, that fit into the budget.

    ``seconds`` of a step of each stage are what minutes are divided by.
    """
    planned = {name: stage.steps for name, stage in config.plan()}
    if not options.samples:
        factor = 60 * options.minutes / sum(count * seconds[name] for name, count in planned.items())
        return Schedule({name: max(round(count * factor), 1) for name, count in planned.items()}, seconds)
    total = round(options.samples / config.batch)
    steps = {name: max(round(count * total / sum(planned.values())), 1) for name, count in planned.items()}
    longest = max(steps, key=lambda name: steps[name])
    # what rounding has added or left out
    return Schedule(steps | {longest: max(steps[longest] + total - sum(steps.values()), 1)}, seconds)


def scheduled(config: OdometryConfig, steps: Mapping[str, int]) -> OdometryConfig:
    """The configuration with so many steps in its stages, and the decay of their learning rates stretched alike.

    A warm-up stays as long as it is, up to the ``WARM_UP``-th part of its stage.
    """
    stages: dict[str, Any] = {}
    for name, stage in config.plan():
        every = max(round(stage.decay_every * steps[name] / stage.steps), 1)
        warm_up = min(stage.warm_up, steps[name] // WARM_UP)
        stages[f"{name}_stage"] = replace(stage, steps=steps[name], decay_every=every, warm_up=warm_up)
    return replace(config, **stages)


def final(config: OdometryConfig, schedule: Schedule, seed: int, points: int) -> OdometryConfig:
    """The configuration of one run, with checkpoints for ``points`` points of its curve, and no scoring of its own."""
    total = sum(schedule.steps.values())
    return replace(
        scheduled(config, schedule.steps),
        seed=seed,
        save_every=max(-(-total // points), 1),
        # one at the start, and one at the end of each stage besides
        keep=points + len(schedule.steps) + 1,
        log_every=max(total // LINES, 1),
        score_at_end=False,
    )


def _shared(config: OdometryConfig, options: BenchOptions) -> OdometryConfig:
    """The recipe with what all recipes of the bench share."""
    names = [*(field.name for field in fields(DataOptions)), "size", "world", "device"]
    shared: dict[str, Any] = {name: getattr(options, name) for name in names}
    batch = options.batch or config.batch
    # the order of draws is one that all have in common too
    order: dict[str, Any] = {"block": 0, "reuse": 1, "replacement": False, "workers": 0}
    return replace(config, **shared, **order, batch=batch, validate_every=0, validation=(), patience=0)


def _offered() -> list[str]:
    return [name for name, config in RECIPES.items() if config.family in FAMILIES]
