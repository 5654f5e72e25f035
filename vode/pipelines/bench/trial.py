"""What comes before the clock starts: rendering, and the time that a step takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch

from vode.datasets.registry import dataset_class
from vode.run_folder import RunFolder
from vode.training import distributed, loop
from vode.training.clip_dataset import ClipDataset
from vode.training.config import RunConfig
from vode.training.sampler import Draws, load_batches
from vode.training.step import Stepper
from vode.world.sequence import keep_rendered

MOST_RENDERED = 4 * 2**30
"""bytes of rendered images and ground truth that are kept in memory"""
TRIED, TIMED = 2, 6
"""steps of each stage that are taken first, and then timed"""


def check(config: RunConfig) -> None:
    """InputError if the data cannot be trained on by some stage of a recipe."""
    for _ in _stages(config):
        pass


def render(config: RunConfig) -> None:
    """Render all that a run will draw from the built-in world, so that training only reads; else do nothing."""
    if dataset_class(config.dataset).needs_folder:
        return
    keep_rendered(MOST_RENDERED)
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(threads, "render", torch.set_num_threads, (1,)) as pool:
        for _, clips in _stages(config):
            # a thread takes a whole sequence, whose scene is built but once
            starts = [0, *(i for i in range(1, len(clips)) if clips.locate(i)[0] is not clips.locate(i - 1)[0])]
            parts = [range(a, b) for a, b in zip(starts, [*starts[1:], len(clips)], strict=True)]
            list(pool.map(lambda part, clips=clips: [clips[i] and None for i in part], parts))
    torch.set_num_threads(threads)


def step_seconds(config: RunConfig) -> dict[str, float]:
    """The median time in seconds of a training step of each stage of a recipe, from its batch to its new weights."""
    group = distributed.join(config.device)
    torch.manual_seed(config.seed)
    state = loop.new_state(config, group)
    config = config.functions().settled(config, state.networks)
    found = {}
    for name, clips in _stages(config):
        options, task = dict(config.plan())[name], loop.build_task(name, config, state.networks)
        for network in state.networks.values():
            network.requires_grad_(network in task.trained()).train(network in task.trained())
        step = Stepper(task, config, options, group, state.averages)
        draws = Draws(0, (TRIED + TIMED) * config.batch, config.seed, config.block, config.reuse, config.replacement)
        batches = load_batches(clips, group, draws, batch=config.batch, accumulate=config.accumulate)
        times = [_seconds(step, batches, number) for number in range(TRIED + TIMED)]
        found[name] = median(times[TRIED:])
    return found


def _seconds(step: Stepper, batches: Iterator[dict[str, torch.Tensor]], number: int) -> float:
    begun = time.perf_counter()
    scalars, _ = step(batches, number)
    # reading a number waits for the device
    float(scalars["gradient_norm"])
    return time.perf_counter() - begun


def _stages(config: RunConfig) -> Iterator[tuple[str, ClipDataset]]:
    """The training samples of every stage."""
    family = config.functions()
    with TemporaryDirectory() as folder:
        samples = family.samples(config, RunFolder(Path(folder)))
        for name, _ in config.plan():
            yield name, family.stage_samples(name, samples, config)
