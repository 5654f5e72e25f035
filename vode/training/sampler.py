"""The order of training samples: endless, a function of the draw's number, distributed over the processes."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from vode.datasets.sample import collate
from vode.errors import InputError
from vode.training.clip_dataset import ClipDataset
from vode.training.distributed import Group


class Shuffled:
    """The order of ``size`` samples, epoch after epoch, each shuffled by its own number: the index of a draw."""

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.seed = size, seed
        self._order: list[int] = []
        self._epoch = -1

    def __call__(self, draw: int) -> int:
        epoch, position = divmod(draw, self.size)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            self._order, self._epoch = torch.randperm(self.size, generator=generator).tolist(), epoch
        return self._order[position]


class Independent:
    """Draws from all of ``size`` samples, each by its own number: some come twice before others come once."""

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.seed = size, seed

    def __call__(self, draw: int) -> int:
        return int(np.random.default_rng([self.seed, draw]).integers(self.size))


class Blocks:
    """The order of more samples than can be kept: blocks of them, one after the other, each drawn ``reuse`` times.

    Every ``reuse``-th draw takes the next sample of the newest block, the draw after it one of the block before, and so
    on, each in an order of its own: so consecutive draws are of ``reuse`` blocks, and a sample is never drawn again
    after ``reuse`` times as many draws as are in ``reuse`` blocks. The first blocks follow the last ones, as always.
    """

    def __init__(self, size: int, seed: int, block: int, reuse: int = 1) -> None:
        self.size, self.seed, self.block, self.reuse = size, seed, block, reuse
        self._shuffled = lru_cache(2 * reuse)(self._shuffle)

    def __call__(self, draw: int) -> int:
        turn, before = divmod(draw, self.reuse)
        epoch, position = divmod(turn - before * self.block, self.size)
        number, place = divmod(position, self.block)
        return number * self.block + self._shuffled(epoch, number, before)[place]

    def _shuffle(self, epoch: int, number: int, before: int) -> list[int]:
        count = min(self.block, self.size - number * self.block)
        # the epoch before the first is -1
        return np.random.default_rng([self.seed, epoch % 2**32, number, before]).permutation(count).tolist()


class ResumableSampler(Sampler[tuple[int, int]]):
    """Yields (index, draw) for ``count`` draws from number ``first`` on; ``order`` gives the index of a draw.

    Of every ``stride`` draws it yields ``part``, from ``offset`` on: the part of a batch that one process loads.
    """

    def __init__(
        self, order: Callable[[int], int], *, first: int, count: int, stride: int = 1, offset: int = 0, part: int = 1
    ) -> None:
        self.order, self.first, self.count = order, first, count
        self.stride, self.offset, self.part = stride, offset, part

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for start in range(self.first, self.first + self.count, self.stride):
            for draw in range(start + self.offset, start + self.offset + self.part):
                yield self.order(draw), draw

    def __len__(self) -> int:
        return self.count // self.stride * self.part


def part_of(batch: int, accumulate: int, group: Group) -> int:
    """Samples that one process computes at a time; InputError if a batch cannot be divided evenly."""
    parts = accumulate * group.size
    if accumulate < 1 or batch % parts:
        raise InputError(
            f"a batch of {batch} cannot be divided among {group.size} processes in {accumulate} parts; change the batch"
        )
    return batch // parts


@dataclass(frozen=True)
class Draws:
    """Which draws of the order are taken."""

    first: int
    """number of the first one, counted from the beginning of the run"""
    count: int
    seed: int
    """of the order"""
    block: int = 0
    """size of the blocks that the samples are drawn in, 0 = all of them are shuffled"""
    reuse: int = 1
    """how often each block is drawn before it is left"""
    replacement: bool = False
    """draw from all samples each time"""

    def order(self, size: int) -> Callable[[int], int]:
        """The index of each draw from ``size`` samples."""
        if self.replacement:
            return Independent(size, self.seed)
        return Blocks(size, self.seed, self.block, self.reuse) if self.block else Shuffled(size, self.seed)


def _begin_worker(training: int, _number: int) -> None:
    """Ctrl-C reaches every process of a terminal, but it is the training that stops, and still needs its batches.

    A worker of which the process ``training`` was killed before this ends here: PyTorch, which looks from now on
    whether a worker's parent is still the same, would let it wait for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.getppid() != training:
        os._exit(1)


def load_batches(
    samples: ClipDataset, group: Group, draws: Draws, *, batch: int, accumulate: int = 1, workers: int = 0
) -> Iterator[dict[str, Tensor]]:
    """This process's part of the samples that are drawn; a step consumes ``accumulate`` of these batches.

    A step uses ``batch`` samples over all processes, so that the number of processes changes neither its samples nor
    their order. An InputError in a worker process is raised again here.
    """
    part = part_of(batch, accumulate, group)
    layout = {"stride": part * group.size, "offset": part * group.rank, "part": part}
    loader = DataLoader(
        samples,
        batch_size=part,
        sampler=ResumableSampler(draws.order(len(samples)), first=draws.first, count=draws.count, **layout),
        collate_fn=collate,
        num_workers=workers,
        worker_init_fn=partial(_begin_worker, os.getpid()),
        generator=torch.Generator().manual_seed(draws.seed),
        pin_memory=group.device.type == "cuda",
    )
    batches = iter(loader)
    while True:
        try:
            yield next(batches)
        except StopIteration:
            return
        except InputError as error:
            # The message follows the worker's traceback, whose line breaks an InputError writes as \n.
            last = str(error).rpartition(f"{InputError.__module__}.{InputError.__qualname__}: ")[2]
            raise InputError(re.sub(r"(\\n)+$", "", last)) from None
