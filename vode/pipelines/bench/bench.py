"""``bench``: every recipe with every seed trained, scored, and put in one table, in one folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from vode.devices import device_name
from vode.errors import DivergedError, InputError
from vode.evaluation.tables import WRITERS, Table, save_table
from vode.io.atomic import make_folder, write_bytes
from vode.io.dataclass_json import to_plain
from vode.io.files import read_bytes
from vode.io.text import parse_json
from vode.pipelines.bench.entries import Schedule, entries, final, within
from vode.pipelines.bench.figures import curves_figure, strip_figure
from vode.pipelines.bench.options import BenchOptions
from vode.pipelines.bench.scoring import diverged, score, sequences_of
from vode.pipelines.bench.summary import content, machine, table_of_runs
from vode.pipelines.bench.trial import check, render, step_seconds
from vode.pipelines.train import train
from vode.run_folder import RESULTS, RunFolder
from vode.training.checkpoint import checkpoints
from vode.training.config import OdometryConfig
from vode.visualization.plots import save_figure

ABOUT, SCHEDULE, SCORES = "bench.json", "schedule.json", "scores.json"
"""files of what all runs have in common, of a recipe, and of a run"""

OnProgress = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """What a bench found."""

    table: Table
    runs: Mapping[str, Mapping[int, Mapping[str, Any]]]
    """recipe -> seed -> scores, curve, minutes, samples, steps"""
    complete: bool
    """False if it was asked to stop before all runs were finished; the same call goes on"""


def bench(
    recipes: Sequence[str] | Mapping[str, OdometryConfig],
    out: Path | str,
    options: BenchOptions = BenchOptions(),
    *,
    on_progress: OnProgress = lambda line: None,
) -> Bench:
    """Train recipes with an equal budget, a run for each seed, score them alike, and compare them in one table.

    ``recipes`` are names, or configurations by name. ``out`` takes table.txt, .md, .tex and .csv, results.json,
    curves.png, depth.png, and RECIPE/SEED, the folder of each run; the first four are written again after every run.
    The same call goes on where an earlier one ended, in the middle of a run at its last checkpoint; recipes and seeds
    may be added. InputError for a recipe that cannot take part, and a folder that holds another bench or a run.
    """
    configs, out = entries(recipes, options), Path(out)
    device_name(options.device)
    # what is wrong with the data is told before anything is written
    sequences_of(options)
    for config in configs.values():
        check(config)
    _claim(out, options)
    wanted = [(name, seed, out / name / str(seed)) for seed in options.seeds for name in configs]
    missing = {name for name, _, folder in wanted if not (folder / SCORES).is_file()}
    # before the first hour of training, so that a recipe that cannot be trained is told of at once
    schedules = {
        name: _schedule(out / name, config, options, on_progress) for name, config in configs.items() if name in missing
    }
    runs: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in configs}
    for number, (name, seed, folder) in enumerate(wanted, start=1):
        if not (folder / SCORES).is_file():
            on_progress(f"run {number} of {len(wanted)}: {name}, seed {seed}")
            render(configs[name])
            if not _finish(final(configs[name], schedules[name], seed, options.points), folder, options):
                return Bench(table_of_runs(runs, options), runs, complete=False)
        runs[name][seed] = _read(folder / SCORES)
        _write(out, runs, options)
    first = [(name, folder) for name, seed, folder in wanted if seed == options.seeds[0] and runs[name][seed]["scores"]]
    save_figure(strip_figure(first, options), out / "depth.png", dpi=150)
    return Bench(table_of_runs(runs, options), runs, complete=True)


def _claim(out: Path, options: BenchOptions) -> None:
    """Write down in the folder what all runs have in common; InputError if it holds something else."""
    asked = {name: value for name, value in to_plain(options).items() if name not in ("seeds", "shown")}
    if (out / ABOUT).is_file():
        begun = _read(out / ABOUT)
        changed = [field.name for field in fields(options) if begun.get(field.name) != asked.get(field.name)]
        if changed:
            raise InputError(f"{out}: holds another bench, with other {', '.join(changed)}; name another folder", "out")
        return
    if RunFolder(out).holds_run or out.is_file():
        raise InputError(f"{out}: holds {'a run' if out.is_dir() else 'no folder'}; name another folder", "out")
    _save(out / ABOUT, asked)


def _schedule(folder: Path, config: OdometryConfig, options: BenchOptions, on_progress: OnProgress) -> Schedule:
    """The schedule of a recipe, found once and then read from its file."""
    if not (folder / SCHEDULE).is_file():
        render(config)
        schedule = within(config, options, {} if options.samples else step_seconds(config))
        _save(folder / SCHEDULE, schedule._asdict())
    schedule = Schedule(**_read(folder / SCHEDULE))
    on_progress(f"{folder.name}: " + ", ".join(f"{name} {steps} steps" for name, steps in schedule.steps.items()))
    return schedule


def _finish(config: OdometryConfig, folder: Path, options: BenchOptions) -> bool:
    """Train what is missing of a run, and score it; False if it was asked to stop."""
    try:
        if not (folder / RESULTS).is_file() and not train(config, folder, existing="resume")[1]:
            return False
        found = score(folder, config, options)
    except DivergedError as error:
        found = diverged(error)
    _save(folder / SCORES, found | {"machine": machine(device_name(config.device))})
    for path in checkpoints(RunFolder(folder)):
        path.unlink()
    return True


def _write(out: Path, runs: Mapping[str, Mapping[int, Mapping[str, Any]]], options: BenchOptions) -> None:
    """The tables, the numbers and the curves of the runs that are finished."""
    table = table_of_runs(runs, options)
    for suffix in WRITERS:
        save_table(out / f"table{suffix}", table)
    schedules = {name: Schedule(**_read(out / name / SCHEDULE)) for name, found in runs.items() if found}
    numbers = {name: schedule._asdict() for name, schedule in schedules.items()}
    _save(out / "results.json", content(runs, numbers, options, out))
    save_figure(curves_figure(runs, options, schedules), out / "curves.png")


def _save(file: Path, values: Mapping[str, Any]) -> None:
    write_bytes(make_folder(file.parent) / file.name, (json.dumps(values, indent=1, allow_nan=False) + "\n").encode())


def _read(file: Path) -> dict[str, Any]:
    """The values in a file of the bench."""
    try:
        found = parse_json(read_bytes(file).decode())
        if isinstance(found, dict):
            return found
    except ValueError:
        pass
    raise InputError(f"{file}: not a file of a bench; remove it, and what it holds is made again")
