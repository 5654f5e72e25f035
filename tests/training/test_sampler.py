"""The order of samples: the same for any number of processes, without a sample twice or lost."""

import os
import signal
from types import SimpleNamespace

import pytest
import torch

from vode.errors import InputError
from vode.training import sampler
from vode.training.distributed import Group
from vode.training.sampler import Blocks, Draws, ResumableSampler, Shuffled, load_batches, part_of

CPU = torch.device("cpu")


def dealt(size, *, processes, batch, accumulate=1, first=0, steps=6):
    """What each process draws in each step, as lists of draws."""
    part = part_of(batch, accumulate, Group(0, processes, CPU))
    ranks = []
    for rank in range(processes):
        order = ResumableSampler(
            Shuffled(size, seed=1),
            first=first,
            count=steps * batch,
            stride=part * processes,
            offset=part * rank,
            part=part,
        )
        draws = list(order)
        assert len(draws) == len(order) == steps * batch // processes
        own = batch // processes
        ranks.append([draws[k * own : (k + 1) * own] for k in range(steps)])
    return ranks


@pytest.mark.parametrize(("processes", "accumulate"), [(2, 1), (4, 1), (1, 4), (2, 2)])
def test_a_step_sees_the_same_samples_however_they_are_dealt(processes, accumulate):
    alone = dealt(7, processes=1, batch=8)[0]
    ranks = dealt(7, processes=processes, batch=8, accumulate=accumulate)
    for step, whole in enumerate(alone):
        together = [draw for rank in ranks for draw in rank[step]]
        assert len(set(together)) == len(together)
        assert sorted(together) == sorted(whole)


def test_another_number_of_processes_goes_on_in_order():
    whole = dealt(7, processes=1, batch=4)[0]
    rest = dealt(7, processes=2, batch=4, first=12, steps=3)
    assert [sorted(a + b) for a, b in zip(*rest, strict=True)] == [sorted(step) for step in whole[3:]]


def test_a_batch_that_cannot_be_dealt_out_is_refused():
    with pytest.raises(
        InputError, match="a batch of 6 cannot be divided among 4 processes in 1 parts; change the batch"
    ):
        part_of(6, 1, Group(0, 4, CPU))
    with pytest.raises(InputError, match="in 0 parts"):
        part_of(6, 0, Group(0, 1, CPU))


def test_draws_with_replacement_are_uniform_and_the_same_when_resumed():
    order = Draws(0, 0, seed=3, replacement=True).order(10)
    drawn = [order(i) for i in range(2000)]
    counts = [drawn.count(index) for index in range(10)]
    # binomial with mean 200 and standard deviation 13
    assert 140 < min(counts) < max(counts) < 260
    assert len(set(drawn[:10])) < 10
    again = Draws(0, 0, seed=3, replacement=True).order(10)
    assert [again(i) for i in range(1500, 1600)] == drawn[1500:1600]


def test_without_blocks_the_order_is_that_of_shuffled_epochs():
    order = Draws(0, 100, 3).order(5)
    generator = torch.Generator().manual_seed(3 * 1_000_003 + 1)
    assert [order(draw) for draw in range(5, 10)] == torch.randperm(5, generator=generator).tolist()


@pytest.mark.parametrize(("size", "block", "reuse"), [(24, 4, 3), (24, 4, 1), (23, 5, 2), (6, 8, 2)])
def test_blocks_draw_every_sample_as_often_whatever_was_drawn_before(size, block, reuse):
    order = Blocks(size, 1, block, reuse)
    drawn = [order(draw) for draw in range(3 * size * reuse)]
    # from the middle of a long run, an epoch of each block before the newest
    count = [drawn[before::reuse][before * block :][:size] for before in range(reuse)]
    assert all(sorted(epoch) == list(range(size)) for epoch in count)
    assert drawn == [order(draw) for draw in range(len(drawn))]
    assert drawn[7:] == [Blocks(size, 1, block, reuse)(draw) for draw in range(7, len(drawn))]


def test_a_batch_of_blocks_is_of_as_many_blocks_as_they_are_reused():
    order = Blocks(400, 0, 20, 4)
    later = [order(draw) for draw in range(800, 1600)]
    for start in range(0, 800, 8):
        assert len({index // 20 for index in later[start : start + 8]}) >= 4
    assert len(set(later[:80])) > 60
    first = later[::4]
    assert [index // 20 for index in first] == sorted(index // 20 for index in first)
    assert first != sorted(first)


class Interruptible(torch.utils.data.Dataset):
    """Tells whether the process that reads it would stop at Ctrl-C."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index):
        return {"stops": torch.tensor(signal.getsignal(signal.SIGINT) is not signal.SIG_IGN)}


@pytest.mark.parametrize(("workers", "stops"), [(0, True), (1, False)])
def test_an_interrupt_is_left_to_the_training(workers, stops):
    group = Group(0, 1, CPU)
    batch = next(load_batches(Interruptible(), group, Draws(0, 2, 0), batch=2, workers=workers))
    assert batch["stops"].tolist() == [stops, stops]


def test_a_worker_whose_training_was_killed_before_it_began_ends(monkeypatch):
    # PyTorch takes the parent that such a worker then has for the one that it works for
    another = SimpleNamespace(getpid=lambda: -1, getppid=os.getppid, _exit=os._exit)
    monkeypatch.setattr(sampler, "os", another)
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        next(load_batches(Interruptible(), Group(0, 1, CPU), Draws(0, 2, 0), batch=2, workers=1))
