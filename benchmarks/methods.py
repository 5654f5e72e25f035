"""Seconds that a training step of each method takes, by default on two views of 832x256, batch 2, in float32.

    python benchmarks/methods.py [--recipes sfmlearner monodepth2] [--size 256 832] [--batch 2] [--precision float32]

The recipes at the papers' settings, on rendered images that are made before the clock starts; medians of six steps
after two. Random weights; a step of a recipe with several stages has a row each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
import tyro
from report import machine, table

from vode.pipelines.bench.trial import render, step_seconds
from vode.recipes import recipe

OURS = (
    "sfmlearner",
    "monodepth",
    "monodepth2",
    "monodepth2-stereo",
    "monodepth2-mono-stereo",
    "sc-sfmlearner",
    "geonet",
    "posenet-flow",
    "kitti-odom",
)


@dataclass(frozen=True)
class Options:
    """What is measured."""

    recipes: tuple[str, ...] = OURS
    size: tuple[int, int] = (256, 832)
    batch: int = 2
    precision: str = "float32"
    device: str = "cpu"
    threads: int = 2


def main(options: Options) -> None:
    """Print the machine and a table."""
    torch.set_num_threads(options.threads)
    rows = []
    for name in options.recipes:
        config: Any = recipe(name)
        config = replace(
            config,
            dataset="world",
            sequences=("0",),
            camera=(),
            size=options.size,
            batch=options.batch,
            workers=0,
            precision=options.precision,
            device=options.device,
            depth=replace(config.depth, encoder_weights="none"),
        )
        if hasattr(config, "pose"):
            config = replace(config, pose=replace(config.pose, encoder_weights="none"))
        render(config)
        rows += [[name, stage, f"{seconds:.2f}"] for stage, seconds in step_seconds(config).items()]
        print(f"{name}: {rows[-1][-1]} s", flush=True)
    print(machine())
    print(table(["recipe", "stage", "seconds a step"], rows))


if __name__ == "__main__":
    main(tyro.cli(Options))
