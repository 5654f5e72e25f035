"""Frames of a sequence that have ground truth depth."""

import pytest
import torch

from vode.datasets.base import Sequence
from vode.datasets.depth_frames import SequenceFrames
from vode.errors import InputError


class Drive(Sequence):
    """Ten frames, each of its own brightness; the even ones have depth."""

    name = "drive"

    def __len__(self):
        return 10

    def frame(self, index):
        return torch.full((3, 4, 6), index / 10)

    def depth(self, index):
        return torch.full((1, 4, 6), float(index)) if index % 2 == 0 else None


def test_frames_without_depth_are_left_out():
    frames = SequenceFrames(Drive(), every=3)
    assert frames.names() == ["drive frame 0", "drive frame 6"]
    assert frames.frame(1).max() == pytest.approx(0.6)
    assert frames.depth(1).max() == 6
    assert frames.missing() == {}


def test_a_sequence_without_depth_is_named():
    class Dark(Drive):
        def depth(self, index):
            return None

    with pytest.raises(InputError, match="drive: no frame has ground truth depth"):
        SequenceFrames(Dark())


def test_frames_of_several_sequences_are_one_list_with_the_notes_of_all():
    second = Drive()
    second.name, second.notes = "second", ("a note", "a note")
    second.intrinsics = 3 * torch.eye(3)
    frames = SequenceFrames([Drive(), second], 4, name="both")
    assert (frames.name, frames.notes) == ("both", ("a note",))
    assert frames.names() == [f"{name} frame {i}" for name in ("drive", "second") for i in (0, 4, 8)]
    assert [float(frames.depth(i).max()) for i in range(6)] == [0, 4, 8, 0, 4, 8]
    assert torch.equal(frames.intrinsics(4), second.intrinsics)
