"""A part of a sequence: frames, poses, times and truth stay together."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.datasets.base import Capability, Sequence, known
from vode.datasets.sequence_slice import SequenceSlice
from vode.errors import InputError
from vode.training.clip_dataset import ClipDataset, ClipShape


class Numbered(Sequence):
    """Ten frames whose images, depth (of even ones) and flow (of all but 4 and the last) tell their numbers."""

    name, size, intrinsics, notes, baseline = "numbered", (4, 6), torch.eye(3), ("a note",), 0.3
    capabilities = known(depth=True, flow=True, flow_back=True, stereo=True, poses=True, map=True, points=True)

    def __init__(self):
        self.poses_in_scene = torch.eye(4, dtype=torch.float64).repeat(10, 1, 1)
        self.poses_in_scene[:, :3, :3] = torch.from_numpy(
            Rotation.from_rotvec(np.outer(range(10), (0, 0.1, 0.02))).as_matrix()
        )
        self.poses_in_scene[:, :3, 3] = torch.arange(10)[:, None] * torch.tensor([1.0, 0.5, 2.0]) + 3
        self.poses = torch.linalg.inv(self.poses_in_scene[0]) @ self.poses_in_scene
        self.timestamps = 100 + torch.arange(10, dtype=torch.float64) / 4
        self.starts = (0, 3, 4, 7)

    def points(self, index):
        return torch.full((index, 3), float(index), dtype=torch.float64)

    def __len__(self):
        return 10

    def frame(self, index):
        return torch.full((3, *self.size), index / 10)

    def depth(self, index):
        return None if index % 2 else torch.full((1, *self.size), float(index))

    def flow(self, index):
        return None if index in (4, 9) else (torch.full((2, *self.size), float(index)), torch.ones(1, *self.size))

    def flow_back(self, index):
        return None if index in (4, 9) else (torch.full((2, *self.size), -float(index)), torch.ones(1, *self.size))

    def flow_noc(self, index):
        return torch.full((1, *self.size), float(index))

    def right(self, index):
        return torch.full((3, *self.size), float(index))


PARTS = [({}, range(10)), ({"start": 3}, range(3, 10)), ({"end": 4}, range(4)), ({"start": 2, "end": 7}, range(2, 7))]
PARTS += [({"step": 3}, range(0, 10, 3)), ({"start": 1, "end": 9, "step": 2}, range(1, 9, 2)), ({"end": 99}, range(10))]


@pytest.mark.parametrize(("options", "numbers"), PARTS)
def test_everything_belongs_to_the_same_frames(options, numbers):
    whole = Numbered()
    clip = SequenceSlice(whole, **options)
    assert len(clip) == len(numbers)
    assert (clip.name, clip.size, clip.notes) == ("numbered", (4, 6), ("a note",))
    assert clip.timestamps.tolist() == [100 + n / 4 for n in numbers]
    assert [round(float(clip.frame(i).mean()) * 10) for i in range(len(clip))] == list(numbers)
    assert [round(float(clip.raw(i, (2, 3)).mean()) * 10) for i in range(len(clip))] == list(numbers)
    assert [clip.points(i).mean(1).tolist() for i in range(len(clip))] == [[float(n)] * n for n in numbers]
    depths = [None if clip.depth(i) is None else int(clip.depth(i)[0, 0, 0]) for i in range(len(clip))]
    assert depths == [None if n % 2 else n for n in numbers]
    assert [clip.has_depth(i) for i in range(len(clip))] == [n % 2 == 0 for n in numbers]
    assert [int(clip.right(i)[0, 0, 0]) for i in range(len(clip))] == list(numbers)
    assert [int(clip.right_raw(i, (2, 3))[0, 0, 0]) for i in range(len(clip))] == list(numbers)
    assert (clip.baseline, clip.has_right(0)) == (0.3, True)
    assert [clip.frame_name(i) for i in range(len(clip))] == [f"numbered frame {n}" for n in numbers]
    step = options.get("step", 1)
    between = {Capability.FLOW, Capability.FLOW_BACK}
    assert clip.capabilities == (whole.capabilities if step == 1 else whole.capabilities - between)
    noc = [clip.flow_noc(i) for i in range(len(clip))]
    known_flow = [step == 1 and n not in (4, 9) and n + 1 in numbers for n in numbers]
    assert [None if x is None else int(x[0, 0, 0]) for x in noc] == [
        n if there else None for n, there in zip(numbers, known_flow, strict=True)
    ]
    assert [numbers[i] for i in clip.starts] == [n for n in (0, 3, 4, 7) if n in numbers]


@pytest.mark.parametrize(("options", "numbers"), PARTS)
def test_the_world_is_the_first_frame(options, numbers):
    whole = Numbered()
    clip = SequenceSlice(whole, **options)
    absolute = whole.poses_in_scene.numpy()
    expected = [np.linalg.inv(absolute[numbers[0]]) @ absolute[n] for n in numbers]
    np.testing.assert_allclose(clip.poses, expected, atol=1e-9)
    np.testing.assert_array_equal(clip.poses_in_scene, absolute[list(numbers)])


def test_flow_leads_to_the_next_frame_of_the_clip_or_is_unknown():
    clip = SequenceSlice(Numbered(), start=3, end=8)
    assert [clip.has_flow(i) for i in range(5)] == [True, False, True, True, False]
    assert [int(clip.flow(i)[0][0, 0, 0]) for i in (0, 2, 3)] == [3, 5, 6]
    assert [int(clip.flow_back(i)[0][0, 0, 0]) for i in (0, 2, 3)] == [-3, -5, -6]
    assert clip.flow(1) is clip.flow(4) is clip.flow_back(1) is clip.flow_back(4) is None
    halved = SequenceSlice(Numbered(), step=2)
    assert not any(halved.has_flow(i) for i in range(len(halved)))
    assert halved.flow(0) is None


def test_snippets_of_a_clip_start_where_the_whole_allows_it():
    snippets = ClipDataset([SequenceSlice(Numbered(), start=3, end=8)], ClipShape(2))
    firsts = [round(float(snippets[i]["images"][0].mean()) * 10) for i in range(len(snippets))]
    assert firsts == [3, 4]


def test_a_clip_of_a_sequence_without_truth_has_none():
    whole = Numbered()
    whole.poses = whole.poses_in_scene = whole.timestamps = whole.starts = None
    whole.points = partial(Sequence.points, whole)
    clip = SequenceSlice(whole, start=2)
    assert clip.poses is clip.poses_in_scene is clip.timestamps is clip.starts is clip.points(0) is None


def test_a_clip_of_a_clip_counts_in_the_clip():
    clip = SequenceSlice(SequenceSlice(Numbered(), start=1, step=2), start=1, end=3)
    assert clip.timestamps.tolist() == [100.75, 101.25]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"start": 10}, "no frame from 10 to None, of 10"),
        ({"start": 5, "end": 5}, "no frame from 5 to 5"),
        ({"end": 0}, "no frame"),
        ({"start": -1}, "start and end 0 or more"),
        ({"end": -1}, "start and end 0 or more"),
        ({"step": 0}, "a step is 1 or more"),
    ],
)
def test_a_clip_without_frames_is_refused(options, says):
    with pytest.raises(InputError, match=says):
        SequenceSlice(Numbered(), **options)
