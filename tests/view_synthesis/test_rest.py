"""Snippets: their targets, and those of a camera at rest, which are left out."""

import json
from dataclasses import replace

import pytest
import torch

from vode.augmentation.options import NO_AUGMENT
from vode.datasets.base import only_frames
from vode.errors import InputError
from vode.networks.options import PoseOptions
from vode.run_folder import RunFolder
from vode.view_synthesis.config import ViewSynthesisConfig
from vode.view_synthesis.family import around_starts, snippets
from vode.view_synthesis.options import SnippetOptions
from vode.view_synthesis.rest import MOVING, moving_frames, without_rest
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (48, 144)
STOPS = (0, 1, 1, 1, 1, 2, 3)
"""the frame of the world that each frame shows"""
CONFIG = ViewSynthesisConfig(
    size=SIZE, augment=NO_AUGMENT, snippet=SnippetOptions(least_flow=1.0), pose=PoseOptions("resnet18")
)


class StopAndGo(WorldSequence):
    """Stops for a while, in which the images are noisy."""

    def __init__(self):
        super().__init__(4, WorldOptions(size=SIZE, frames=4))
        self.name = "stop and go"

    def __len__(self):
        return len(STOPS)

    def raw(self, index, size):
        noise = torch.randn(3, *size, generator=torch.Generator().manual_seed(index))
        return (super().raw(STOPS[index], size) / 255 + 0.01 * noise).clamp(0, 1)


@pytest.fixture(scope="module")
def sequence():
    return StopAndGo()


def test_frames_before_and_after_a_stop_move(sequence):
    assert moving_frames(sequence, CONFIG) == [0, 4, 5]
    assert moving_frames(only_frames(sequence, [1, 2, 5]), CONFIG) == [5]
    # frames that lie farther apart
    assert moving_frames(sequence, replace(CONFIG, snippet=SnippetOptions(stride=2, least_flow=1.0))) == [0, 3, 4]


def test_snippets_at_rest_are_left_out_and_looked_for_once(sequence, tmp_path, monkeypatch):
    folder = RunFolder(tmp_path)
    clips = snippets(CONFIG, without_rest([sequence], CONFIG, folder))
    assert [clips.locate(i)[1] + 1 for i in range(len(clips))] == [4, 5]
    monkeypatch.setattr("vode.view_synthesis.rest.moving_frames", None)
    assert without_rest([sequence], CONFIG, folder)[0].starts == (0, 4, 5)
    (tmp_path / MOVING).write_text(json.dumps({sequence.name: []}))
    with pytest.raises(InputError, match="at rest in all frames"):
        without_rest([sequence], CONFIG, folder)
    (tmp_path / MOVING).write_text("[1]")
    with pytest.raises(InputError, match=f"{MOVING}: not a list of frames"):
        without_rest([sequence], CONFIG, folder)


def test_without_a_least_flow_all_frames_are_taken(sequence, tmp_path):
    config = replace(CONFIG, snippet=SnippetOptions())
    assert without_rest([sequence], config, RunFolder(tmp_path)) == [sequence]
    assert len(snippets(config, [sequence])) == len(STOPS) - 2
    assert len(snippets(replace(config, snippet=SnippetOptions(length=5)), [sequence])) == len(STOPS) - 4


def test_targets_in_the_middle_of_snippets_are_the_frames_that_may_be_drawn(sequence):
    some = only_frames(sequence, [0, 1, 3, 6])
    assert around_starts(some, 1).starts == (0, 2, 5)
    # the last has no frame after it
    assert len(snippets(CONFIG, [some])) == 2


def test_options_of_snippets_are_checked():
    with pytest.raises(InputError, match="snippets of 1 frames"):
        SnippetOptions(length=1)
