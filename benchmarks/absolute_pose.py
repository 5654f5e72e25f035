"""Absolute pose regression: each choice of PoseNet trained and tested alike, beside retrieval and a constant pose.

    python benchmarks/absolute_pose.py [--data DIR] [--seeds 0 1 2] [--steps 2000 | --minutes 10] [--only NAME ...]
        [--scenes NAME ...] [--size 112] [--batch 32] [--out absolute_pose.json]

Every row changes one choice of the recipe ``posenet``, trained in a single stage. Cells are medians over the test
images in metres and degrees, their means over the seeds and standard deviations, and minutes of processor time, which
hold the reading and, in a scene's first run, the rendering of images. ``--data`` holds ``seven_scenes/redkitchen``,
without which the rendered scenes alone are used. ``--out`` keeps what is done; a call with the same file goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
from report import machine, table

from vode.io.atomic import write_bytes
from vode.pipelines.train import Results, train
from vode.recipes import recipe
from vode.relocalization.config import RelocalizationConfig
from vode.relocalization.options import PoseLossOptions
from vode.training.config import StageConfig
from vode.world.options import WorldOptions

Change = Callable[[RelocalizationConfig], RelocalizationConfig]
BASELINES = {"nearest_image_": "nearest training image", "constant_": "constant pose"}
"""how the results of every run name the two baselines, and their rows"""
DEFAULT = "learned"
REFINED = 0.25
"""fraction of the steps of the geometric loss, which goes on from the learned one"""
PROBE = 20
"""steps from whose second half the pace of a variant is measured"""


def loss(**values: Any) -> Change:
    """Options of the loss."""
    return lambda config: replace(config, pose_loss=PoseLossOptions(**values))


def network(**values: Any) -> Change:
    """Options of the network."""
    return lambda config: replace(config, pose=replace(config.pose, **values))


def rate(decay: str, times: int = 1) -> Change:
    """The schedule of the learning rate, which is halved ``times`` - 1 times."""

    def changed(config: RelocalizationConfig) -> RelocalizationConfig:
        every = max(config.pose_stage.steps // times, 1)
        return replace(config, pose_stage=replace(config.pose_stage, decay=cast(Any, decay), decay_every=every))

    return changed


VARIANTS: dict[str, Change] = {
    DEFAULT: lambda config: config,
    "learned, from a metre": loss(start="metre"),
    "beta 500": loss(kind="beta"),
    "geometric": loss(kind="geometric"),
    "resnet34": network(backbone="resnet34"),
    "googlenet": network(backbone="googlenet"),
    "log": network(rotation="log"),
    "6d": network(rotation="6d"),
    "constant rate": rate("constant"),
    "step rate": rate("step", 4),
}
"""Of the recipe posenet, by name: losses, backbones, rotations, and rates, where the recipe's is a cosine."""


def scenes(data: Path | None) -> dict[str, RelocalizationConfig]:
    """The recipe for each scene: one of 7-Scenes, a room that is walked through, and a street of 260 m."""
    base = cast(RelocalizationConfig, recipe("posenet"))
    world = replace(base, dataset="world", sequences=("0",))
    found = {
        "room": replace(world, world=WorldOptions(frames=300, scenes=("room",))),
        "street": replace(
            world, world=WorldOptions(frames=300, scenes=("town",)), views=replace(base.views, turn=5, shift=3)
        ),
    }
    return found if data is None else {"redkitchen": replace(base, data=data / "seven_scenes" / "redkitchen"), **found}


def sized(config: RelocalizationConfig, size: int, batch: int) -> RelocalizationConfig:
    """The configuration with views of a size, cut from images an eighth larger, and its first stage alone."""
    views = replace(config.views, resize=round(size * 8 / 7))
    return replace(
        config, size=(size, size), batch=batch, views=views, coarse_stage=StageConfig(), pose_stage=config.coarse_stage
    )


def with_steps(config: RelocalizationConfig, steps: int, learning_rate: float | None = None) -> RelocalizationConfig:
    """The configuration with so many steps, at a rate other than its own if one is given."""
    stage = config.pose_stage
    return replace(config, pose_stage=replace(stage, steps=steps, learning_rate=learning_rate or stage.learning_rate))


def steps_within(config: RelocalizationConfig, change: Change, minutes: float) -> int:
    """How many steps of a variant take so many minutes here."""
    with tempfile.TemporaryDirectory() as folder:
        run, _ = train(replace(change(with_steps(config, PROBE)), log_every=PROBE // 2), Path(folder) / "run")
        pace = json.loads((run.path / "log.jsonl").read_text("utf-8").splitlines()[-1])["samples_per_second"]
    return max(round(60 * minutes * pace / config.batch), 1)


def score(config: RelocalizationConfig, change: Change, steps: int) -> Results:
    """The results of a variant after so many steps, the last of which alone have the geometric loss if it has that."""
    changed, since = change(with_steps(config, steps)), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        if changed.pose_loss.kind == "geometric":
            last, recipe_rate = round(REFINED * steps), recipe("posenet-geometric").pose_stage.learning_rate
            start, _ = train(with_steps(config, steps - last), Path(folder) / "start")
            changed = network(dropout=0.0)(with_steps(changed, last, recipe_rate))
            changed = replace(changed, start_from=start.path)
        _, results = train(changed, Path(folder) / "run")
    return results | {"processor_minutes": (time.process_time() - since) / 60}


def described(found: Mapping[tuple[str, str], list[Results]]) -> str:
    """The table of all that is done, by variant and scene."""
    names, places = (tuple(dict.fromkeys(key[i] for key in found)) for i in (0, 1))
    rows = [[name, *(cells(found.get((name, scene), []), "median_") for scene in places)] for name in names]
    for prefix, title in BASELINES.items():
        first = [next(runs for (_, place), runs in found.items() if place == scene)[:1] for scene in places]
        rows.append([title, *(cells(runs, prefix) for runs in first)])
    return table(["", *places], rows)


def cells(runs: list[Results], prefix: str) -> str:
    """Position and rotation errors of runs that differ in their seeds."""
    if not runs:
        return "-"
    parts = []
    for measure, unit, digits in (("position_m", "m", 2), ("rotation_deg", "deg", 1)):
        values = np.array([run[prefix + measure] for run in runs], dtype=float)
        spread = f" ± {values.std():.{digits}f}" if len(runs) > 1 else ""
        parts.append(f"{values.mean():.{digits}f}{spread} {unit}")
    minutes = np.mean([run["processor_minutes"] or 0 for run in runs])
    return ", ".join(parts) + (f", {minutes:.1f} min" if prefix == "median_" else "")


def parsed() -> argparse.Namespace:
    """The arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with seven_scenes/redkitchen")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--minutes", type=float, help="budget of a run, in place of steps")
    parser.add_argument("--size", type=int, default=112, help="height and width of the views")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--scenes", nargs="+", default=["redkitchen", "room", "street"])
    parser.add_argument("--only", nargs="+", default=list(VARIANTS), metavar="NAME", help="rows, besides the default")
    parser.add_argument("--out", type=Path, help="file of what is done")
    return parser.parse_args()


def main() -> None:
    """Train and test what is asked for, and print the table."""
    arguments = parsed()
    done: dict[str, Results] = {}
    if arguments.out is not None and arguments.out.is_file():
        done = json.loads(arguments.out.read_text("utf-8"))
    budget = f"{arguments.minutes:g} minutes" if arguments.minutes else f"{arguments.steps} steps"
    configs = {name: config for name, config in scenes(arguments.data).items() if name in arguments.scenes}
    changes = {name: change for name, change in VARIANTS.items() if name in (DEFAULT, *arguments.only)}
    found: dict[tuple[str, str], list[Results]] = {}
    # scene by scene, so that what was rendered of one stays in memory
    for (scene, whole), (name, change), seed in product(configs.items(), changes.items(), arguments.seeds):
        key = f"{scene}, {name}, seed {seed}, {budget} of {arguments.batch} views of {arguments.size}"
        if key not in done:
            print(key, file=sys.stderr, flush=True)
            config = replace(sized(whole, arguments.size, arguments.batch), seed=seed)
            steps = steps_within(config, change, arguments.minutes) if arguments.minutes else arguments.steps
            done[key] = score(config, change, steps)
            if arguments.out is not None:
                write_bytes(arguments.out, json.dumps(done, indent=1).encode())
        found.setdefault((name, scene), []).append(done[key])
    print(machine())
    print(described(found))


if __name__ == "__main__":
    main()
