"""The built-in world as a data set: seeds for names, splits that share none, and sequences as they are asked for."""

import pytest
import torch

from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence, held_out_sequence

OPTIONS = WorldOptions(size=(8, 24), frames=4, moving=False)


@pytest.fixture(scope="module")
def dataset():
    return open_dataset(DataOptions("world"), world=OPTIONS)


def test_no_seed_is_of_two_splits(dataset):
    splits = [dataset.names(split) for split in ("train", "validation", "test")]
    assert splits[0] == tuple(map(str, range(64)))
    assert splits[1:] == [("20000", "20001", "20002", "20003"), ("10000",)]
    assert dataset.names("all") == sum(splits, ())


def test_sequences_are_those_of_their_seeds(dataset):
    sequence, same = dataset.open("5"), WorldSequence(5, OPTIONS)
    assert torch.equal(sequence.frame(2), same.frame(2))
    assert (len(sequence), sequence.size, sequence.name) == (4, (8, 24), "world5")
    part = open_dataset(DataOptions("world", start=1, sequences=("5",)), world=OPTIONS).sequences("train")
    assert [len(part[0]), torch.equal(part[0].frame(1), same.frame(2))] == [3, True]


def test_the_test_sequence_is_as_long_as_it_is_published_whatever_length_others_have(dataset):
    (sequence,) = dataset.sequences("test")
    published = held_out_sequence((8, 24))
    assert len(sequence) == len(published) == 300
    assert torch.equal(sequence.poses, published.poses)


def test_a_range_names_all_of_its_seeds():
    ranged = open_dataset(DataOptions("world", sequences=("7-9", "30")), world=OPTIONS)
    assert ranged.chosen("train") == ("7", "8", "9", "30")
    assert [sequence.name for sequence in ranged.open_all(("2-3",))] == ["world2", "world3"]


def test_scenes_that_do_not_exist_are_refused():
    with pytest.raises(InputError, match="no scene is called 'moon'; the built-in world has town, "):
        open_dataset(DataOptions("world"), world=WorldOptions(scenes=("town", "moon")))


@pytest.mark.parametrize("name", ["walk", "9-7", "1-", "-", "-1", "1.5", "", "²"])
def test_names_that_are_no_seeds_are_refused(dataset, name):
    with pytest.raises(InputError, match="are numbers, not") as refusal:
        dataset.open(name)
    assert refusal.value.parameters == ("sequences",)
