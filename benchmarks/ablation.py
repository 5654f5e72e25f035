"""Each default against the choice of TrianFlow's released code, trained and scored alike on the rendered world.

    python benchmarks/ablation.py [--seeds 0 1 2] [--steps 1.0] [--only NAME ...] [--out ablation.json]

Every row changes one choice of the recipe ``world`` to the released one; the last changes all. A figure is the mean
over the seeds and its standard deviation; a mark says whose choice is better by more than the deviation of the
difference: ``+`` the default, ``-`` the released one. ``--out`` keeps what is done; a call with the same file goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from report import machine, table

from vode.io.atomic import write_bytes
from vode.losses.options import RELEASED_FLOW_LOSS, RELEASED_GEOMETRY_LOSS
from vode.networks.options import TRIANFLOW
from vode.pipelines.train import train
from vode.recipes import recipe
from vode.training.config import VideoConfig

Change = Callable[[VideoConfig], VideoConfig]
STAGES = ("flow_stage", "depth_stage", "joint_stage")
MEASURES = {"flow_epe_px": "EPE px", "depth_abs_rel": "AbsRel", "t_err_percent": "t_err %"}
"""measures of a finished run, lower is better, and their headings"""
DEFAULT = "default"


def flow(name: str) -> Change:
    """The flow network's option of that name as released."""
    return lambda config: replace(config, flow=replace(config.flow, **{name: getattr(TRIANFLOW, name)}))


def flow_loss(name: str) -> Change:
    """The flow losses' option of that name as released, in every stage."""

    def changed(config: VideoConfig) -> VideoConfig:
        for field in STAGES:
            stage = getattr(config, field)
            options = replace(stage.flow_loss, **{name: getattr(RELEASED_FLOW_LOSS, name)})
            config = replace(config, **cast(Any, {field: replace(stage, flow_loss=options)}))
        return config

    return changed


def geometry(name: str) -> Change:
    """The option of that name of the losses on depth and motion as released."""
    released = getattr(RELEASED_GEOMETRY_LOSS, name)
    return lambda config: replace(config, geometry_loss=replace(config.geometry_loss, **{name: released}))


def field(**values: Any) -> Change:
    """Fields of the configuration."""
    return lambda config: replace(config, **values)


def motion(**values: Any) -> Change:
    """Options of the two-view motion."""
    return lambda config: replace(config, motion=replace(config.motion, **values))


CHANGES: dict[str, Change] = {
    **{f"flow.{name}": flow(name) for name in ("normalise", "image", "cost", "outside", "outputs", "start")},
    **{f"flow_loss.{name}": flow_loss(name) for name in ("directions", "mask", "ssim", "edges", "outside")},
    **{f"geometry_loss.{name}": geometry(name) for name in ("scale", "images", "reprojection", "epipolar")},
    "triangulation_loss square": field(triangulation_loss="square"),
    "motion.solver fundamental": motion(solver="fundamental"),
    "motion.min_parallax 0": motion(min_parallax=0.0),
    "joint_flow_only": field(joint_flow_only=True),
    "separate_images": field(separate_images=True),
    "replacement": field(replacement=True),
    "no clipping": field(clip=0.0),
}
"""Of the recipe world, by name."""


def configurations() -> dict[str, VideoConfig]:
    """The default, each change of it, and all of them."""
    world = cast(VideoConfig, recipe("world"))
    changed = {name: change(world) for name, change in CHANGES.items()}
    return {DEFAULT: world, **changed, "trianflow-small": cast(VideoConfig, recipe("trianflow-small"))}


def shortened(config: VideoConfig, fraction: float) -> VideoConfig:
    """The configuration with a fraction of its steps."""
    stages = {name: getattr(config, name) for name in STAGES}
    steps = {name: replace(stage, steps=max(round(stage.steps * fraction), 1)) for name, stage in stages.items()}
    return replace(config, **cast(Any, steps))


def score(config: VideoConfig) -> dict[str, float]:
    """The measures of a run trained and scored; not a number where they cannot be taken."""
    with tempfile.TemporaryDirectory() as folder:
        _, results = train(config, Path(folder) / "run")
    return {name: float("nan") if (value := results.get(name)) is None else value for name in MEASURES}


def described(found: Mapping[str, list[dict[str, float]]]) -> str:
    """The table of all that is done."""
    rows = []
    for name, runs in found.items():
        cells = []
        for measure in MEASURES:
            values, usual = (np.array([run[measure] for run in each]) for each in (runs, found[DEFAULT]))
            worse = values.mean() - usual.mean()
            beyond = abs(worse) > np.hypot(values.std(), usual.std()) and name != DEFAULT
            mark = ("" if not beyond else " +" if worse > 0 else " -") if np.isfinite(worse) else ""
            cells.append(f"{values.mean():.3f} ± {values.std():.3f}{mark}")
        rows.append([name, len(runs), *cells])
    return table(["as released", "seeds", *MEASURES.values()], rows)


def main() -> None:
    """Train and score what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=float, default=1.0, help="fraction of the recipe's steps")
    parser.add_argument("--sequences", type=int, default=64, help="of the world to train on")
    parser.add_argument("--only", nargs="+", default=[], help="rows, besides the default")
    parser.add_argument("--out", type=Path, help="file of what is done")
    arguments = parser.parse_args()
    done: dict[str, dict[str, float]] = {}
    if arguments.out is not None and arguments.out.is_file():
        done = json.loads(arguments.out.read_text("utf-8"))
    found: dict[str, list[dict[str, float]]] = {}
    for name, config in configurations().items():
        if arguments.only and name not in (DEFAULT, *arguments.only):
            continue
        for seed in arguments.seeds:
            key = f"{name}, seed {seed}, {arguments.steps:g} of the steps, {arguments.sequences} sequences"
            if key not in done:
                print(key, file=sys.stderr, flush=True)
                names = tuple(map(str, range(arguments.sequences)))
                done[key] = score(replace(shortened(config, arguments.steps), seed=seed, sequences=names))
                if arguments.out is not None:
                    write_bytes(arguments.out, json.dumps(done, indent=1).encode())
            found.setdefault(name, []).append(done[key])
    print(machine())
    print(described(found))


if __name__ == "__main__":
    main()
