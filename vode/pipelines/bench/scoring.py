"""What a finished run of a bench is worth: depth, flow, odometry, and depth over the time that it trained."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any, cast

from torch import nn

from vode.datasets.base import Sequence
from vode.datasets.registry import open_dataset
from vode.errors import DivergedError
from vode.evaluation.depth import DepthProtocol
from vode.evaluation.runs import score_depth, score_flow, score_odometry
from vode.io.text import parse_json
from vode.model import Model, load
from vode.networks.depth import DepthNet
from vode.odometry.options import TrackerOptions
from vode.pipelines.bench.options import BenchOptions
from vode.run_folder import BESIDE, RunFolder
from vode.training import distributed, loop
from vode.training.checkpoint import checkpoints, read_content, restore
from vode.training.config import OdometryConfig

DEPTH = ("abs_rel", "sq_rel", "rmse", "rmse_log", "d1", "d2", "d3", "abs_rel_constant", "ratio_median", "ratio_spread")
ODOMETRY = ("t_err_percent", "r_err_deg_per_100m", "ate_m", "rpe_m", "rpe_deg", "scale", "scale_deviation")
"""numbers of the results that are kept"""
GEOMETRIC = "geometric "
"""before the numbers of odometry by geometry, of a run whose own tracker is its pose network"""
FRAMES, CURVE_FRAMES = 80, 16
"""frames of a test sequence that depth and flow are scored on, about, and those of a point of the curve"""


def sequences_of(options: BenchOptions) -> list[Sequence]:
    """The sequences that a bench is scored on."""
    dataset = open_dataset(options, world=replace(options.world, size=options.size))
    return dataset.open_all(options.test or dataset.names("test"))


def score(folder: Path, config: OdometryConfig, options: BenchOptions) -> dict[str, Any]:
    """All that a bench tells of a finished run, ready for JSON; the curve is that of its checkpoints.

    ``scores`` are means over the test sequences, None where there is no such ground truth. A network that the recipe
    does not train is that of the shipped weights, and not scored by itself: ``beside`` names it.
    """
    learned, model = trained(config), load(folder, device=config.device)
    beside = [name for name in ("flow", "depth") if name not in learned]
    if beside:
        other = load(BESIDE, device=config.device)
        for name in beside:
            setattr(model, name, getattr(other, name))
    sequences = sequences_of(options)
    scores = mean([score_sequence(model, sequence, learned, options) for sequence in sequences])
    run = RunFolder(folder)
    curve = curve_of(run, config, sequences, options) if "depth" in learned else []
    clock = trained_seconds(run, config.batch)
    seconds = clock[max(clock)]
    steps = {name: stage.steps for name, stage in config.plan()}
    found = {"scores": scores, "curve": curve, "minutes": seconds / 60, "steps": steps, "beside": beside}
    return found | {"samples": config.batch * sum(steps.values())}


def diverged(error: DivergedError) -> dict[str, Any]:
    """What is told in the place of that of a run whose training broke off."""
    unknown = {"minutes": None, "samples": None}
    return {"scores": {}, "curve": [], "steps": {}, "beside": [], "diverged": str(error)} | unknown


def trained(config: OdometryConfig) -> frozenset[str]:
    """The names of the networks that the stages of a run train."""
    networks = loop.build_networks(config, fresh=False)
    modules: list[nn.Module] = []
    for name, _ in config.plan():
        modules += loop.build_task(name, config, networks).trained()
    return frozenset(name for name, network in networks.items() if any(network is module for module in modules))


def score_sequence(
    model: Model, sequence: Sequence, learned: frozenset[str], options: BenchOptions
) -> dict[str, float | None]:
    """The numbers of a model on one sequence, as far as its networks were ``learned`` and it has ground truth."""
    every, found = max(len(sequence) // FRAMES, 1), dict[str, float | None]()
    if "depth" in learned and any(map(sequence.has_depth, range(0, len(sequence), every))):
        found |= depth_errors(model.depth, [sequence], every, options)
    if "flow" in learned and any(map(sequence.has_flow, range(0, len(sequence), every))):
        found["flow_epe_px"] = score_flow(model.flow, sequence, model.size_for(sequence.size), every=every)[
            "flow_epe_px"
        ]
    if sequence.poses is not None and "depth" in learned:
        found |= odometry_errors(model, sequence, model.tracker)
        if model.tracker.tracker == "pose-network":
            other = odometry_errors(model, sequence, model.tracker.geometric())
            found |= {f"{GEOMETRIC}{name}": value for name, value in other.items()}
    return found


def odometry_errors(model: Model, sequence: Sequence, tracker: TrackerOptions) -> dict[str, float | None]:
    """Errors of the trajectory of a sequence with poses; none where the networks see no motion at all."""
    result = score_odometry(model.perception(tracker), sequence, model.tracking_size(sequence.size, tracker), tracker)
    return {} if result is None else {name: result[name] for name in ODOMETRY}


def depth_errors(
    depth: DepthNet, sequences: list[Sequence], every: int, options: BenchOptions
) -> dict[str, float | None]:
    """Depth errors on every ``every``-th frame that has ground truth."""
    errors = score_depth(depth, sequences, options.size, every=every, protocol=protocol_of(options))
    return {name: errors[name] for name in DEPTH}


def protocol_of(options: BenchOptions) -> DepthProtocol:
    """How depth is scored."""
    return DepthProtocol(crop=options.crop, cap=options.cap)


def curve_of(
    run: RunFolder, config: OdometryConfig, sequences: list[Sequence], options: BenchOptions
) -> list[dict[str, float | None]]:
    """AbsRel on a few test frames of every checkpoint, with its samples and minutes of training."""
    known = [s for s in sequences if any(map(s.has_depth, range(len(s))))]
    clock, points = trained_seconds(run, config.batch), []
    state = loop.new_state(config, distributed.join(config.device), fresh=False)
    for path in reversed(checkpoints(run)) if known else ():
        content = read_content(path)
        restore(state, content, path)
        every = max(sum(map(len, known)) // CURVE_FRAMES, 1)
        errors = depth_errors(cast(DepthNet, state.scored()["depth"].eval()), known, every, options)
        minutes = clock[max(step for step in clock if step <= state.done)] / 60
        points.append({"samples": state.done * config.batch, "minutes": minutes, "abs_rel": errors["abs_rel"]})
    return points


def trained_seconds(run: RunFolder, batch: int) -> dict[int, float]:
    """Seconds of training, without validation and saving, after the steps that the log of a run has."""
    rates: dict[int, float] = {}
    for line in (run.path / "log.jsonl").read_text("utf-8").splitlines():
        # a run that was cut short may have left half a line
        with suppress(ValueError):
            record: Any = parse_json(line)
            if record.get("samples_per_second"):
                rates[record["step"]] = record["samples_per_second"]
    seconds, last = {0: 0.0}, 0
    for step, rate in sorted(rates.items()):
        seconds[step] = seconds[last] + (step - last) * batch / rate
        last = step
    return seconds


def mean(found: list[dict[str, float | None]]) -> dict[str, float | None]:
    """The mean of every number over those that have it."""
    names = dict.fromkeys(name for numbers in found for name in numbers)
    known = {name: [value for each in found if (value := each.get(name)) is not None] for name in names}
    return {name: fmean(values) if values else None for name, values in known.items()}
