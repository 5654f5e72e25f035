"""The training loop, from a configuration to a folder of weights and results."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from vode.datasets.base import noted
from vode.errors import InputError
from vode.io.atomic import make_folder, write_bytes
from vode.networks.weights import prepare
from vode.training import distributed
from vode.training.checkpoint import TrainState, read_checkpoint, restore, save_best, save_state
from vode.training.config import StageConfig, TrainConfig, config_from_dict, config_to_dict
from vode.training.data import record
from vode.training.distributed import Group
from vode.training.log import RunLog, SilentLog, mean_scalars
from vode.training.memory import keep_freed_memory, memory_gib, peak_memory_gib
from vode.training.sampler import load, part_of
from vode.training.step import Averages, Stepper
from vode.training.tasks.base import task_of
from vode.training.validation import validation_losses


def train(config: TrainConfig, folder: Path) -> dict[str, float | None]:
    """Train a new run in ``folder``, which must not hold one, and return its results."""
    if (folder / "config.json").exists():
        raise InputError(f"{folder}: holds a run already; go on with --resume {folder} or name another --run")
    if not config.plan():
        raise InputError("nothing to train: every stage has 0 steps; set --flow-stage.steps, for example")
    group = distributed.join(config.device)
    part_of(config.batch, config.accumulate, group)
    torch.manual_seed(config.seed)
    state = new_state(config, group)
    config = task_of(config).settled(config, state.networks)
    run = Run(config, folder, group, state)
    if config.start_from is None:
        run.task.begin(run.state.networks, run.samples)
    if group.writes:
        make_folder(folder)
        record(config, folder)
        save_state(folder, run.state, None, config_to_dict(config), config.keep)
        # Last, because it tells that there is a run to go on with.
        write_bytes(folder / "config.json", json.dumps(config_to_dict(config), indent=1).encode())
    return run.go()


def resume(folder: Path) -> dict[str, float | None]:
    """Go on with the run in ``folder`` where its newest whole checkpoint stands."""
    config = read_config(folder)
    group = distributed.join(config.device)
    path, checkpoint, problems = read_checkpoint(folder)
    state = new_state(config, group, fresh=False)
    restore(state, checkpoint, path)
    return Run(config, folder, group, state).go(problems)


def read_config(folder: Path) -> TrainConfig:
    """The configuration of the run in ``folder``."""
    path = folder / "config.json"
    try:
        return config_from_dict(json.loads(path.read_text("utf-8")), path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name the folder of a run") from error
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); start a new run") from error


def new_state(config: TrainConfig, group: Group, *, fresh: bool = True) -> TrainState:
    """The state of a run that has done nothing yet; ``fresh`` = False if a checkpoint is about to fill it."""
    networks = build_networks(config, group.device, fresh=fresh)
    for name, network in networks.items():
        networks[name] = distributed.share_statistics(network, group)
    if config.compile:
        for network in networks.values():
            network.compile()
    return TrainState(networks, Averages(networks, config.ema) if config.ema else None)


def build_networks(config: TrainConfig, device: torch.device | str = "cpu", *, fresh: bool = True) -> nn.ModuleDict:
    """The run's networks, from ``start_from`` or from their random start."""
    networks = nn.ModuleDict(task_of(config).networks(config, fresh=fresh))
    return prepare(networks, device, channels_last=config.channels_last)


class Run:
    """A run of all its stages, from where its state stands."""

    def __init__(self, config: TrainConfig, folder: Path, group: Group, state: TrainState) -> None:
        self.config, self.folder, self.group, self.state = config, folder, group, state
        keep_freed_memory(group.device)
        self.task = task_of(config)
        self.samples = self.task.samples(config)
        self.validated = self.task.validation(config, self.samples) if config.validate_every else None

    def go(self, problems: Sequence[str] = ()) -> dict[str, float | None]:
        """All stages, then the score; nothing if asked to stop before. Says the ``problems`` first."""
        total = sum(stage.steps for _, stage in self.config.plan())
        self.log = RunLog(self.folder, total, self.state.done) if self.group.writes else SilentLog()
        for line in [*problems, *noted(self.samples.sequences)]:
            self.log.say(line)
        try:
            with stop_signal() as stopped:
                while self.state.stage < len(self.config.plan()):
                    if not self._stage(stopped):
                        self.log.say(f"stopped and saved; go on with --resume {self.folder}")
                        return {}
            return self._results()
        finally:
            self.log.close()

    def _stage(self, stopped: list[int]) -> bool:
        """The rest of the stage that the state stands in; False if it was asked to stop."""
        config, state = self.config, self.state
        name, options = config.plan()[state.stage]
        stage = build_stage(name, config, options, state.networks)
        for network in state.networks.values():
            network.requires_grad_(network in stage.trained())
        step = Stepper(stage, config, options, self.group, state.averages)
        step.load_state_dict(state.optimiser)
        first, count = state.done * config.batch, (options.steps - state.step) * config.batch
        batches = load(
            self.samples,
            self.group,
            batch=config.batch,
            accumulate=config.accumulate,
            workers=config.workers,
            seed=config.seed,
            first=first,
            count=count,
        )
        recent, since = [], time.monotonic()
        while True:
            for network in state.networks.values():
                network.train(network in stage.trained())
            # The step's number alone decides what is drawn in it: neither a resume nor the processes change it.
            torch.manual_seed(config.seed * 1_000_003 + state.done)
            scalars, pictures = step(batches, state.step)
            state.step, state.done = state.step + 1, state.done + 1
            recent.append(scalars)
            self.log.step(state.done)
            halt = distributed.any_of(bool(stopped))
            if state.step % config.log_every == 0 or state.step == options.steps or halt:
                self._tell(name, step, recent, time.monotonic() - since)
                recent, since = [], time.monotonic()
            if state.step % config.picture_every == 0:
                self.log.pictures(name, state.done, pictures)
            last = state.step == options.steps
            if config.validate_every and state.step % config.validate_every == 0:
                last = self._validate(name, options) or last
                since = time.monotonic()
            if last:
                state.next_stage()
            if last or halt or state.step % config.save_every == 0:
                self._save(None if last else step.state_dict())
            if last or halt:
                return not halt

    def _tell(self, name: str, step: Stepper, recent: list[dict[str, Tensor]], seconds: float) -> None:
        """Log the means of the last steps, and stop a run that has come to nothing."""
        means = mean_scalars(recent)
        self.state.failed += means.get("geometry_failed", 0.0) * len(recent)
        bad, in_a_row = int(step.bad), int(step.bad_in_a_row)
        means["learning_rate"] = step.optimiser.param_groups[0]["lr"]
        means["samples_per_second"] = len(recent) * self.config.batch / max(seconds, 1e-9)
        means["memory_gib"] = memory_gib(self.group.device)
        self.log.scalars(name, self.state.done, means | ({"steps_left_out": bad} if bad else {}))
        if in_a_row:
            self.log.say(f"{in_a_row} steps in a row had no finite gradient and were left out, {bad} in this stage")
        if in_a_row >= self.config.bad_steps:
            raise InputError(
                f"{self.folder}: {in_a_row} steps in a row without finite gradients; the last checkpoint is good, "
                "lower the learning rate and start from its weights with --start-from"
            )

    def _validate(self, name: str, options: StageConfig) -> bool:
        """Score the networks on pairs that are not trained on, keep the best, and tell whether the stage should end."""
        config, state, networks = self.config, self.state, self.state.scored()
        stage = build_stage(name, config, options, networks)
        found = validation_losses(
            stage, options, self.validated, self.group, most=config.validation_pairs, batch=config.batch
        )
        loss = found["loss"]
        found |= self._measures(name, networks)
        self.log.scalars(f"{name} validation", state.done, found)
        better = state.best is None or loss < state.best
        state.best, state.stale = (loss, 0) if better else (state.best, state.stale + 1)
        if better and self.group.writes:
            save_best(self.folder, state)
        return 0 < config.patience <= state.stale

    def _measures(self, name: str, networks: nn.ModuleDict) -> dict[str, float]:
        """Errors on what is validated on, computed by the first process alone."""
        found = None
        if self.group.writes:
            found = self.task.measures(name, networks.eval(), self.validated, self.config)
        return distributed.of_first(found)

    def _save(self, optimiser: dict | None) -> None:
        if self.group.writes:
            save_state(self.folder, self.state, optimiser, config_to_dict(self.config), self.config.keep)

    def _results(self) -> dict[str, float | None]:
        """The score of the finished run, written by the first process and known to all."""
        if not self.group.writes:
            return distributed.of_first(None)
        config, networks = self.config, self.state.scored().eval()
        results = self.task.score(networks, config)
        results["minutes"] = self.state.elapsed() / 60
        results["peak_memory_gib"] = peak_memory_gib()
        geometric = sum(stage.steps for name, stage in config.plan() if name in ("depth", "joint"))
        if geometric:
            results["geometry_failed_share"] = self.state.failed / geometric
        write_bytes(self.folder / "results.json", json.dumps(results, indent=1).encode())
        return distributed.of_first(results)


def build_stage(name: str, config: TrainConfig, options: StageConfig, networks: nn.ModuleDict) -> nn.Module:
    mixed = network_type(config.precision, next(networks.parameters()).device)
    return task_of(config).stage(name, config, options, networks, mixed)


def network_type(precision: str, device: torch.device) -> torch.dtype | None:
    """The type that networks run in, None for float32; "auto" is bfloat16 where it is computed in, not emulated."""
    if precision != "auto":
        return {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}[precision]
    if device.type == "cuda":
        computed = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        computed = bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
    return torch.bfloat16 if computed else None


@contextmanager
def stop_signal() -> Iterator[list[int]]:
    """A list that is empty until Ctrl-C or SIGTERM asks to stop; a second Ctrl-C stops at once."""
    stopped: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
