"""The order of samples: the same for any number of processes, without a sample twice or lost."""

import pytest
import torch

from vode.errors import InputError
from vode.training.distributed import Group
from vode.training.sampler import ResumableSampler, part_of

CPU = torch.device("cpu")


def dealt(size, *, processes, batch, accumulate=1, first=0, steps=6):
    """What each process draws in each step, as lists of draws."""
    part = part_of(batch, accumulate, Group(0, processes, CPU))
    ranks = []
    for rank in range(processes):
        order = ResumableSampler(
            size,
            first=first,
            count=steps * batch,
            seed=1,
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
    with pytest.raises(InputError, match="a batch of 6 cannot be divided among 4 processes in 1 parts; change batch"):
        part_of(6, 1, Group(0, 4, CPU))
    with pytest.raises(InputError, match="in 0 parts"):
        part_of(6, 0, Group(0, 1, CPU))
