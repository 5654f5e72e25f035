"""The order of training samples: an endless sequence of shuffled epochs, distributed over the processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from vode.datasets.sample import collate
from vode.errors import InputError
from vode.training.clip_dataset import ClipDataset
from vode.training.distributed import Group


class ResumableSampler(Sampler[tuple[int, int]]):
    """Yields (index, draw) for ``count`` draws from number ``first`` on, each epoch shuffled by its own number.

    Of every ``stride`` draws it yields ``part``, from ``offset`` on: the part of a batch that one process loads.
    """

    def __init__(
        self, size: int, *, first: int, count: int, seed: int, stride: int = 1, offset: int = 0, part: int = 1
    ) -> None:
        self.size, self.first, self.count, self.seed = size, first, count, seed
        self.stride, self.offset, self.part = stride, offset, part

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order: list[int] = []
        shuffled = -1
        for start in range(self.first, self.first + self.count, self.stride):
            for draw in range(start + self.offset, start + self.offset + self.part):
                epoch, position = divmod(draw, self.size)
                if epoch != shuffled:
                    generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
                    order, shuffled = torch.randperm(self.size, generator=generator).tolist(), epoch
                yield order[position], draw

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


class Draws(NamedTuple):
    """Which draws of the order are taken."""

    first: int
    """number of the first one, counted from the beginning of the run"""
    count: int
    seed: int
    """of the order"""


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
        sampler=ResumableSampler(len(samples), first=draws.first, count=draws.count, seed=draws.seed, **layout),
        collate_fn=collate,
        num_workers=workers,
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
            # The message follows the worker's traceback, in the last line.
            last = str(error).rstrip().splitlines()[-1]
            raise InputError(last.removeprefix(f"{InputError.__module__}.{InputError.__qualname__}: ")) from None
