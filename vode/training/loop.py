"""The training loop, from a configuration to a folder of weights and results."""

from __future__ import annotations

import json
import math
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler

from vode.atomic import make_folder, write_bytes
from vode.data.colour import finish
from vode.data.sample import collate
from vode.data.sequence import Snippets, noted
from vode.errors import InputError
from vode.evaluation.runs import score_run
from vode.losses.flow import FlowLossOptions
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.weights import load_weights, prepare, without_download
from vode.training.config import StageConfig, TrainConfig, config_from_dict, config_to_dict
from vode.training.datasets import record, scoring_sequence, training_sequences
from vode.training.log import RunLog, mean_scalars
from vode.training.stages import DepthStage, FlowStage, JointStage, StageOptions
from vode.training.state import CHECKPOINT, TrainState, read_checkpoint, restore, save_state


def train(config: TrainConfig, folder: Path) -> dict[str, float | None]:
    """Train a new run in ``folder``, which must not hold one, and return its results."""
    if (folder / CHECKPOINT).exists() or (folder / "config.json").exists():
        raise InputError(f"{folder}: holds a run already; go on with --resume {folder} or name another --run")
    if not config.stages():
        raise InputError("nothing to train: every stage has 0 steps; set --flow-stage.steps, for example")
    torch.manual_seed(config.seed)
    snippets = _snippets(config)
    state = TrainState(build_networks(config))
    make_folder(folder)
    record(config, folder)
    write_bytes(folder / "config.json", json.dumps(config_to_dict(config), indent=1).encode())
    return _run(config, folder, state, snippets)


def resume(folder: Path) -> dict[str, float | None]:
    """Go on with the run in ``folder`` where its last checkpoint stands."""
    config = read_config(folder)
    checkpoint = read_checkpoint(folder)
    snippets = _snippets(config)
    state = TrainState(build_networks(config, fresh=False))
    restore(state, checkpoint, folder / CHECKPOINT)
    return _run(config, folder, state, snippets)


def read_config(folder: Path) -> TrainConfig:
    """The configuration of the run in ``folder``."""
    path = folder / "config.json"
    try:
        return config_from_dict(json.loads(path.read_text("utf-8")), path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name the folder of a run") from error
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); start a new run") from error


def build_networks(config: TrainConfig, *, fresh: bool = True) -> nn.ModuleDict:
    """The run's networks, from ``start_from`` or from their random start."""
    device = torch.device(device_name(config.device))
    if fresh and config.start_from:
        loaded = {k: load_weights(config.start_from / f"{k}.safetensors", k) for k in ("flow", "depth")}
        return prepare(nn.ModuleDict(loaded), device)
    depth = config.depth if fresh else without_download(config.depth)
    return prepare(nn.ModuleDict({"flow": FlowNet(config.flow), "depth": DepthNet(depth)}), device)


def device_name(asked: str) -> str:
    if asked != "auto":
        return asked
    return "cuda" if torch.cuda.is_available() else "cpu"


def _run(config: TrainConfig, folder: Path, state: TrainState, snippets: Snippets) -> dict[str, float | None]:
    """All stages from where ``state`` stands, then the score; nothing if asked to stop before."""
    stages = config.stages()
    log = RunLog(folder, sum(stage.steps for _, stage in stages), _steps_before(config, state) + state.step)
    for line in noted(snippets.sequences):
        log.say(line)
    try:
        with stop_signal() as stopped:
            while state.stage < len(stages):
                _train_stage(config, folder, state, snippets, log, stopped)
                if stopped:
                    save_state(folder, state)
                    log.say(f"stopped and saved; go on with --resume {folder}")
                    return {}
                state.stage, state.step, state.optimiser = state.stage + 1, 0, None
            save_state(folder, state)
        networks = state.networks.eval()
        results = score_run(networks["flow"], networks["depth"], scoring_sequence(config), config.size, config.tracker)
        results["minutes"] = state.elapsed() / 60
        results["peak_memory_gib"] = peak_memory_gib()
        geometric = sum(stage.steps for name, stage in stages if name != "flow")
        results["geometry_failed_share"] = state.failed / max(geometric, 1)
        write_bytes(folder / "results.json", json.dumps(results, indent=1).encode())
        return results
    finally:
        log.close()


def _train_stage(
    config: TrainConfig, folder: Path, state: TrainState, snippets: Snippets, log: RunLog, stopped: list[int]
) -> None:
    """The rest of the stage that ``state`` stands in, until it ends or is asked to stop."""
    name, options = config.stages()[state.stage]
    stage = build_stage(name, config, options.flow_loss, state.networks)
    parameters = [p for network in stage.trained() for p in network.parameters()]
    state.optimiser = optimiser = torch.optim.Adam(parameters, lr=options.learning_rate)
    if state.optimiser_state is not None:
        optimiser.load_state_dict(state.optimiser_state)
        state.optimiser_state = None
    for network in state.networks.values():
        network.train(network in stage.trained())
    device, before = parameters[0].device, _steps_before(config, state)
    batches = iter(load(config, snippets, state.draws, (options.steps - state.step) * config.batch))
    recent: list[dict[str, Tensor]] = []
    while state.step < options.steps and not stopped:
        sample = finish({key: value.to(device, non_blocking=True) for key, value in next_batch(batches).items()})
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(options, state.step)
        losses, pictures = stage(sample)
        loss = options.weights.total(losses)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parameters, config.clip)
        optimiser.step()
        state.step += 1
        state.draws += config.batch
        recent.append({"loss": loss.detach(), "gradient_norm": norm} | {k: v.detach() for k, v in losses.items()})
        log.step(before + state.step)
        if state.step % config.log_every == 0 or state.step == options.steps or stopped:
            means = mean_scalars(recent)
            state.failed += means.get("geometry_failed", 0.0) * len(recent)
            log.scalars(name, before + state.step, means | {"learning_rate": learning_rate(options, state.step - 1)})
            recent = []
        if state.step % config.picture_every == 0:
            log.pictures(name, before + state.step, pictures)
        if state.step % config.save_every == 0:
            save_state(folder, state)


def _steps_before(config: TrainConfig, state: TrainState) -> int:
    """Steps of the stages before the one that ``state`` stands in."""
    return sum(stage.steps for _, stage in config.stages()[: state.stage])


def build_stage(name: str, config: TrainConfig, flow_loss: FlowLossOptions, networks: nn.ModuleDict) -> nn.Module:
    mixed = use_bfloat16(config.precision, next(networks.parameters()).device)
    options = StageOptions(config.motion, flow_loss, config.triangulation_loss, mixed)
    if name == "flow":
        return FlowStage(networks["flow"], options)
    if name == "depth":
        return DepthStage(networks["flow"], networks["depth"], options)
    return JointStage(networks["flow"], networks["depth"], options, flow_only=config.joint_flow_only)


def use_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether networks run in bfloat16; "auto" only where it is computed in, not emulated."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return bool(supported())


def learning_rate(options: StageConfig, step: int) -> float:
    """Rate of a step (0 = first) of a stage."""
    rate = options.learning_rate * min(1.0, (step + 1) / max(options.warm_up, 1))
    if options.decay == "cosine":
        rate *= 0.02 + 0.98 * (1 + math.cos(math.pi * step / options.steps)) / 2
    return rate


class EndlessOrder(Sampler[tuple[int, int]]):
    """(index, draw) of ``count`` draws from number ``first`` on: epoch after epoch, each shuffled by its number."""

    def __init__(self, size: int, *, first: int, count: int, seed: int) -> None:
        self.size, self.first, self.count, self.seed = size, first, count, seed

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order, shuffled = None, -1
        for draw in range(self.first, self.first + self.count):
            epoch, position = divmod(draw, self.size)
            if epoch != shuffled:
                generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
                order, shuffled = torch.randperm(self.size, generator=generator).tolist(), epoch
            yield order[position], draw

    def __len__(self) -> int:
        return self.count


def load(config: TrainConfig, snippets: Snippets, first: int, count: int) -> DataLoader:
    """Batches of ``count`` samples from draw ``first`` on."""
    return DataLoader(
        snippets,
        batch_size=config.batch,
        sampler=EndlessOrder(len(snippets), first=first, count=count, seed=config.seed),
        collate_fn=collate,
        num_workers=config.workers,
        generator=torch.Generator().manual_seed(config.seed),
        pin_memory=torch.cuda.is_available(),
    )


def next_batch(batches: Iterator[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The next batch; an InputError of a worker process is told as if it were this one's."""
    try:
        return next(batches)
    except InputError as error:
        # The worker's whole traceback comes with it, the message last.
        last = str(error).rstrip().splitlines()[-1]
        raise InputError(last.removeprefix(f"{InputError.__module__}.{InputError.__qualname__}: ")) from None


def _snippets(config: TrainConfig) -> Snippets:
    return Snippets(
        training_sequences(config),
        stride=config.stride,
        size=config.size,
        augment=config.augment,
        seed=config.seed,
        raw=True,
    )


def peak_memory_gib() -> float:
    """Largest memory this process has held so far."""
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


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
