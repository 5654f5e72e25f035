"""The training loop: from a configuration to a run folder with weights and results."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from vode.datasets.base import noted
from vode.datasets.kitti import leakage
from vode.devices import computes_bfloat16
from vode.errors import DivergedError, InputError
from vode.memory import keep_freed_memory, memory_gib, peak_memory_gib
from vode.networks.weights import prepare
from vode.run_folder import RunFolder, find_run
from vode.signals import stop_signal
from vode.training import distributed
from vode.training.checkpoint import TrainState, read_checkpoint, restore, save_state
from vode.training.config import RunConfig, StageConfig
from vode.training.distributed import Group
from vode.training.log import RunLog, SilentLog, mean_scalars
from vode.training.sampler import Draws, load_batches, part_of
from vode.training.step import Averages, Stepper
from vode.training.tasks.base import Task
from vode.training.validation import validation_losses


def train(config: RunConfig, folder: Path | str) -> dict[str, float | None]:
    """Train a new run in ``folder``, which must not hold one yet, and return its results."""
    run_folder = RunFolder(folder)
    if run_folder.holds_run:
        raise InputError(f"{folder}: holds a run already; resume it, or name another folder", "existing")
    if not config.plan():
        raise InputError(f"nothing to train: every stage has 0 steps; set {config.stage_names[0]}_stage.steps, say")
    group = distributed.join(config.device)
    part_of(config.batch, config.accumulate, group)
    config = config.functions().prepare(config, run_folder)
    torch.manual_seed(config.seed)
    state = new_state(config, group)
    config = config.functions().settled(config, state.networks)
    run = Run(config, run_folder, group, state)
    if config.start_from is None:
        run.family.begin(run.state.networks, run.samples)
    if group.writes:
        names = tuple(dict.fromkeys(sequence.name for sequence in run.samples.sequences))
        seen = find_run(config.start_from).kitti_drives() if config.start_from else frozenset()
        run_folder.write_data(config.dataset, names, leakage.drives(config.dataset, names) | seen)
        save_state(run_folder, run.state, None, config.keep, half=config.half)
        # Last, because its presence marks a run that can be resumed.
        run_folder.write_config(config)
    return run.go()


def resume(folder: Path | str, kind: type[RunConfig]) -> dict[str, float | None]:
    """Resume the run in ``folder`` from its newest readable checkpoint; ``kind`` is its type of configuration."""
    run_folder = RunFolder(folder)
    config = run_folder.read_config(kind)
    group = distributed.join(config.device)
    path, checkpoint, problems = read_checkpoint(run_folder)
    if path.name != (first := distributed.broadcast(path.name)):
        raise InputError(f"{path}: the first process resumes from {first}; keep runs where all machines see the same")
    state = new_state(config, group, fresh=False)
    restore(state, checkpoint, path)
    return Run(config, run_folder, group, state).go(problems)


def new_state(config: RunConfig, group: Group, *, fresh: bool = True) -> TrainState:
    """The state of a new run; ``fresh`` = False if a checkpoint is about to fill it."""
    networks = build_networks(config, group.device, fresh=fresh)
    for name, network in networks.items():
        networks[name] = distributed.share_statistics(network, group)
    if config.compile:
        for network in networks.values():
            network.compile()
    return TrainState(networks, Averages(networks, config.ema) if config.ema else None)


def build_networks(config: RunConfig, device: torch.device | str = "cpu", *, fresh: bool = True) -> nn.ModuleDict:
    """The networks of a run, initialised from ``start_from`` or randomly."""
    networks = nn.ModuleDict(config.functions().networks(config, fresh=fresh))
    return prepare(networks, device, channels_last=config.channels_last)


class Run:
    """Runs all stages from the progress of a state."""

    def __init__(self, config: RunConfig, folder: RunFolder, group: Group, state: TrainState) -> None:
        self.config, self.folder, self.group, self.state = config, folder, group, state
        keep_freed_memory(group.device)
        self.family = config.functions()
        self.samples = self.family.samples(config, folder)
        self.validated = self.family.validation(config, self.samples) if config.validate_every else None

    def go(self, problems: Sequence[str] = ()) -> dict[str, float | None]:
        """Run the remaining stages and return the results, empty if interrupted. Prints ``problems`` first."""
        total = sum(stage.steps for _, stage in self.config.plan())
        self.log = RunLog(self.folder.path, total, self.state.done) if self.group.writes else SilentLog()
        for line in [*problems, *noted(self.samples.sequences)]:
            self.log.say(line)
        try:
            with stop_signal() as stopped:
                while self.state.stage < len(self.config.plan()):
                    if not self._stage(stopped):
                        self.log.say(f"stopped and saved; resume {self.folder} to go on")
                        return {}
            return self._results()
        finally:
            self.log.close()

    def _stage(self, stopped: list[int]) -> bool:
        """Run the rest of the current stage; False if interrupted."""
        config, state = self.config, self.state
        name, options = config.plan()[state.stage]
        task = build_task(name, config, state.networks)
        for network in state.networks.values():
            network.requires_grad_(network in task.trained())
        step = Stepper(task, config, options, self.group, state.averages)
        step.load_state_dict(state.optimiser)
        first, count = state.done * config.batch, (options.steps - state.step) * config.batch
        draws = Draws(first, count, config.seed, config.block, config.reuse, config.replacement)
        batches = load_batches(
            self.family.stage_samples(name, self.samples, config),
            self.group,
            draws,
            batch=config.batch,
            accumulate=config.accumulate,
            workers=config.workers,
        )
        recent, since = [], time.monotonic()
        while True:
            for network in state.networks.values():
                network.train(network in task.trained())
            # Random draws depend on the step only: neither resuming nor the number of processes changes them.
            torch.manual_seed(config.seed * 1_000_003 + state.done)
            scalars, visualizations = step(batches, state.step)
            state.step, state.done = state.step + 1, state.done + 1
            recent.append(scalars)
            self.log.step(state.done)
            halt = distributed.any_of(bool(stopped))
            if state.step % config.log_every == 0 or state.step == options.steps or halt:
                self._log_means(name, step, recent, time.monotonic() - since)
                recent, since = [], time.monotonic()
            if state.step % config.visualize_every == 0:
                self.log.visualizations(name, state.done, visualizations)
            last = state.step == options.steps
            if config.validate_every and state.step % config.validate_every == 0:
                last = self._validate(name, options) or last
                since = time.monotonic()
            if last:
                state.next_stage()
            if last or halt or state.step % config.save_every == 0:
                begun = time.monotonic()
                self._save(None if last else step.state_dict())
                since += time.monotonic() - begun
            if last or halt:
                return not halt

    def _log_means(self, name: str, step: Stepper, recent: list[dict[str, Tensor]], seconds: float) -> None:
        """Log the means of the last steps, and stop a run that has diverged."""
        means = mean_scalars(recent)
        self.state.failed += means.get("geometry_failed", 0.0) * len(recent)
        bad, in_a_row = int(step.bad), int(step.bad_in_a_row)
        means["learning_rate"] = step.optimiser.param_groups[0]["lr"]
        means["samples_per_second"] = len(recent) * self.config.batch / max(seconds, 1e-9)
        if (memory := memory_gib(self.group.device)) is not None:
            means["memory_gib"] = memory
        self.log.scalars(name, self.state.done, means | ({"steps_left_out": bad} if bad else {}))
        if in_a_row:
            self.log.say(f"{in_a_row} steps in a row had no finite gradient and were left out, {bad} in this stage")
        if in_a_row >= self.config.bad_steps:
            raise DivergedError(
                f"{self.folder}: {in_a_row} steps in a row without finite gradients; the last checkpoint is good, "
                "lower the learning rate and start from its weights"
            )

    def _validate(self, name: str, options: StageConfig) -> bool:
        """Validate the networks, keep the best, and return whether the stage should end early."""
        config, state, networks = self.config, self.state, self.state.scored()
        task = build_task(name, config, networks)
        assert self.validated is not None
        samples = self.family.stage_samples(name, self.validated, config)
        found = validation_losses(task, samples, self.group, most=config.validation_samples, batch=config.batch)
        loss = found["loss"]
        found |= self._measures(name, networks)
        self.log.scalars(f"{name} validation", state.done, found)
        better = state.best is None or loss < state.best
        state.best, state.stale = (loss, 0) if better else (state.best, state.stale + 1)
        if better and self.group.writes:
            self.folder.write_best(state.scored())
        return 0 < config.patience <= state.stale

    def _measures(self, name: str, networks: nn.ModuleDict) -> dict[str, float]:
        """Errors on validation samples, computed by the first process only."""
        found = None
        if self.group.writes and self.validated is not None:
            found = self.family.measures(name, networks.eval(), self.validated, self.config)
        return distributed.broadcast(found)

    def _save(self, optimiser: dict | None) -> None:
        if self.group.writes:
            save_state(self.folder, self.state, optimiser, self.config.keep, half=self.config.half)

    def _results(self) -> dict[str, float | None]:
        """Score the finished run in the first process, write the results, and return them in all processes."""
        if not self.group.writes:
            return distributed.broadcast(None)
        config, networks = self.config, self.state.scored().eval()
        judged, lines = self.family.finish(networks, self.samples, config)
        if lines:
            self.folder.write_weights(networks, half=config.half)
        for line in lines:
            self.log.say(line)
        results = judged | (self.family.score(networks, config) if config.score_at_end else {})
        results["minutes"] = self.state.elapsed() / 60
        results["peak_memory_gib"] = peak_memory_gib()
        geometric = sum(stage.steps for name, stage in config.plan() if name in config.geometric)
        if geometric:
            results["geometry_failed_fraction"] = self.state.failed / geometric
        self.folder.write_results(results)
        return distributed.broadcast(results)


def build_task(name: str, config: RunConfig, networks: nn.ModuleDict) -> Task:
    """The Task of the stage ``name``."""
    mixed = network_type(config.precision, next(networks.parameters()).device)
    return config.functions().task(name, config, networks, mixed)


def network_type(precision: str, device: torch.device) -> torch.dtype | None:
    """The type that networks run in, None for float32.

    "auto" is bfloat16 where the hardware computes in it: see ``devices.computes_bfloat16``.
    """
    if precision != "auto":
        return {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}[precision]
    return torch.bfloat16 if computes_bfloat16(device) else None
