"""Each choice of the defaults against another, trained and scored alike on the rendered world.

    python benchmarks/ablation.py FOLDER [--seeds 0 1 2] [--steps 1.0] [--only NAME ...] [--stops]

Every row changes one choice of the recipe ``world``: to that of TrianFlow's released code, or, where the default is
that one, away from it; the last row is the released code in all. What concerns the flow is trained and scored in the
flow stage; what begins with depth is trained from the default's flow of the same seed. A figure is the mean over the
seeds and its standard deviation; a mark says which is better, seed by seed, by more than the standard deviation of
the differences: ``+`` the default, ``-`` the row. The folder keeps the runs and their scores; a call with the same
folder goes on. With ``--stops`` the cameras of the training sequences stand and turn on the spot too, which they do
not on the recipe's roads; the sequence to score on stays.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import numpy as np
from report import machine, table

from vode.evaluation.runs import score_flow, score_run
from vode.io.atomic import write_bytes
from vode.io.dataclass_json import to_plain
from vode.model import load
from vode.pipelines.train import train
from vode.recipes.video import TRIANFLOW_SMALL, WORLD
from vode.training.config import VideoConfig
from vode.world.options import WorldOptions
from vode.world.sequence import held_out_sequence

Change = Callable[[VideoConfig], VideoConfig]
STAGES = ("flow_stage", "depth_stage", "joint_stage")
MEASURES = {"flow_epe_px": "EPE px", "depth_abs_rel": "AbsRel", "t_err_percent": "t_err %", "ate_m": "ATE m"}
"""measures of a run, lower is better, and their headings"""
DEFAULT = "default"
STOPS = replace(WORLD.world, scenes=("town", "jam", "room"), speed=None)
"""a world of cars that also wait and creep, and of people who look around"""


def options(part: str, **values: Any) -> Change:
    """Options of a part of the configuration."""
    return lambda config: replace(config, **cast(Any, {part: replace(getattr(config, part), **values)}))


def flow_loss(**values: Any) -> Change:
    """Options of the flow losses, in every stage."""

    def changed(config: VideoConfig) -> VideoConfig:
        for field in STAGES:
            stage = getattr(config, field)
            losses = replace(stage.flow_loss, **values)
            config = replace(config, **cast(Any, {field: replace(stage, flow_loss=losses)}))
        return config

    return changed


def field(**values: Any) -> Change:
    """Fields of the configuration."""
    return lambda config: replace(config, **values)


FLOW: dict[str, Change] = {
    "features as they are": options("flow", normalise=False),
    "cost mean": options("flow", cost="mean"),
    "outputs by levels": options("flow", outputs="levels"),
    "images of 0 to 1": options("flow", image="raw"),
    "zeros beyond features": options("flow", outside="zeros"),
    "zeros beyond images": flow_loss(outside="zeros"),
    "second edge": flow_loss(edges="second"),
    "Kaiming start": options("flow", start="kaiming"),
    "mean of directions": flow_loss(directions="mean"),
    "mask inside": flow_loss(mask="inside"),
    "SSIM reflected": flow_loss(ssim="reflected"),
}
"""What the flow stage tells."""
DEPTH: dict[str, Change] = {
    "scale of an image": options("geometry_loss", scale="image"),
    "sum of images": options("geometry_loss", images="sum"),
    "reprojection by depth": options("geometry_loss", reprojection="depth"),
    "epipolar everywhere": options("geometry_loss", epipolar="all"),
    "squared residual": field(triangulation_loss="square"),
    "fundamental matrix": options("motion", solver="fundamental"),
    "no least parallax": options("motion", min_parallax=0.0),
    "joint stage of flow alone": field(joint_flow_only=True),
    "statistics of both images": field(separate_images=False),
}
"""What begins with depth."""
WHOLE: dict[str, Change] = {
    "with replacement": field(replacement=True),
    "no clipping": field(clip=0.0),
    "trianflow-small": lambda _: TRIANFLOW_SMALL,
}
"""What changes every stage."""
CHANGES: dict[str, Change] = {DEFAULT: field(), **FLOW, **DEPTH, **WHOLE}


class Ablation:
    """The runs in a folder, each of which is trained and scored once."""

    def __init__(self, folder: Path, steps: float, sequences: int, world: WorldOptions) -> None:
        self.folder, self.steps, self.world = folder, steps, world
        self.sequences = tuple(map(str, range(sequences)))
        self.held_out = held_out_sequence(WORLD.size)
        # of other defaults nothing can be compared
        defaults = sha256(json.dumps(to_plain(WORLD), sort_keys=True).encode()).hexdigest()[:8]
        self._runs = folder / f"{sequences}-{steps:g}{'-stops' if world == STOPS else ''}-{defaults}"
        self._scores = folder / f"{self._runs.name}.json"

    @property
    def scores(self) -> dict[str, dict[str, float]]:
        """What is scored by now, also by a call beside this one, say with other seeds."""
        return json.loads(self._scores.read_text("utf-8")) if self._scores.is_file() else {}

    def flow(self, name: str, seed: int) -> dict[str, float]:
        """The scores of a row after its flow stage."""
        return self._scored(name, seed, "flow")

    def whole(self, name: str, seed: int) -> dict[str, float]:
        """The scores of a row after its last stage, begun with its own or the default's flow."""
        self._scored(name if name in WHOLE else DEFAULT, seed, "flow")
        return self._scored(name, seed, "depth")

    def _run(self, name: str, seed: int, part: str) -> Path:
        return self._runs / f"{name}, seed {seed}, {part}"

    def _scored(self, name: str, seed: int, part: str) -> dict[str, float]:
        """The scores of one run, which is trained if it is not there."""
        run = self._run(name, seed, part)
        if run.name not in self.scores:
            print(run.name, file=sys.stderr, flush=True)
            config = shortened(CHANGES[name](WORLD), self.steps)
            config = replace(config, seed=seed, world=self.world, sequences=self.sequences, stages=("flow",))
            if part == "depth":
                start = self._run(name if name in WHOLE else DEFAULT, seed, "flow")
                config = replace(config, stages=("depth", "joint"), start_from=start)
            if not train(config, run, existing="resume")[1]:
                sys.exit("stopped; the same command goes on")
            found = self._score(run, part)
            write_bytes(self._scores, json.dumps({**self.scores, run.name: found}, indent=1).encode())
        return self.scores[run.name]

    def _score(self, run: Path, part: str) -> dict[str, float]:
        model = load(run)
        if part == "flow":
            errors = score_flow(model.flow, self.held_out, WORLD.size, every=4)
            return {"flow_epe_px": errors["flow_epe_px"]}
        results = score_run(model.flow, model.depth, self.held_out, WORLD.size, model.tracker)
        return {name: float("nan") if (value := results[name]) is None else value for name in MEASURES}


def shortened(config: VideoConfig, fraction: float) -> VideoConfig:
    """The configuration with a fraction of its steps."""
    stages = {name: getattr(config, name) for name in STAGES}
    steps = {name: replace(stage, steps=max(round(stage.steps * fraction), 1)) for name, stage in stages.items()}
    return replace(config, **cast(Any, steps))


def described(found: dict[str, list[dict[str, float]]]) -> str:
    """The table of rows that are compared with the first, the default's."""
    usual, rows = found[DEFAULT], []
    measures = list(usual[0])
    for name, runs in found.items():
        cells = []
        for measure in measures:
            values, defaults = (np.array([run[measure] for run in each]) for each in (runs, usual))
            worse = values - defaults
            beyond = abs(worse.mean()) > _deviation(worse) and len(values) > 1
            mark = "" if not beyond else " +" if worse.mean() > 0 else " -"
            cells.append(f"{values.mean():.3f} ± {_deviation(values):.3f}{mark}")
        rows.append([name, len(runs), *cells])
    return table(["choice", "seeds", *(MEASURES[name] for name in measures)], rows)


def _deviation(values: np.ndarray) -> float:
    """The standard deviation over seeds, estimated from these; 0 of one."""
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def main() -> None:
    """Train and score what is asked for, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the images, runs and scores")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=float, default=1.0, help="fraction of the recipe's steps")
    parser.add_argument("--sequences", type=int, default=64, help="of the world to train on")
    parser.add_argument("--stops", action="store_true", help="train where cameras stand and turn on the spot too")
    parser.add_argument(
        "--only", nargs="+", default=list(CHANGES), choices=list(CHANGES), help="rows, besides the default"
    )
    arguments = parser.parse_args()
    world = STOPS if arguments.stops else WORLD.world
    ablation = Ablation(arguments.folder, arguments.steps, arguments.sequences, world)
    print(machine())
    for rows, score in (({**FLOW, **WHOLE}, ablation.flow), ({**DEPTH, **WHOLE}, ablation.whole)):
        chosen = [DEFAULT, *(name for name in rows if name in arguments.only)]
        if len(chosen) > 1:
            # seed by seed, so that an early end leaves every row with as many
            scores = [{name: score(name, seed) for name in chosen} for seed in arguments.seeds]
            print(f"\n{described({name: [each[name] for each in scores] for name in chosen})}")


if __name__ == "__main__":
    main()
