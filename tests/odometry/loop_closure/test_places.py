"""Places are recognised by a vocabulary of the video itself, after a gap, and with their neighbours."""

import numpy as np
import pytest
import torch

from vode.odometry.frames import Frame
from vode.odometry.loop_closure.keyframes import describe, is_keyframe, median_depth, root_sift
from vode.odometry.loop_closure.places import Places
from vode.odometry.options import LoopOptions

COUNT = 60
OPTIONS = LoopOptions(gap=10, words=16, candidates=2)


def street(count=COUNT, seed=0):
    """Features of keyframes along a street: each shares two thirds with either neighbour."""
    rng = np.random.default_rng(seed)
    features = rng.gamma(0.6, 30, (40 * (count + 2), 128)).clip(0, 255).astype(np.uint8)
    return [features[40 * k : 40 * (k + 3)] for k in range(count)]


def test_a_place_is_recognised_when_it_is_seen_again():
    places, features = Places(OPTIONS), street()
    for seen in features:
        places.add(seen)
    noise = np.random.default_rng(9).integers(-6, 7, features[20].shape)
    for k in (20, 33):
        found = places.add((features[k].astype(int) + noise).clip(0, 255).astype(np.uint8))
        assert found[0] == k
        assert len(found) <= OPTIONS.candidates


def test_a_place_that_is_seen_a_third_time_is_compared_with_the_first():
    places, features = Places(OPTIONS), street()
    for k, seen in enumerate([*features, *features]):
        places.add(seen, again=range(COUNT, k))
    for k in (20, 33):
        found = places.add(features[k], again=range(COUNT, len(places)))
        assert found[0] == k
        assert max(found) < COUNT
        assert max(places.add(features[k])) >= COUNT


def test_nothing_is_recognised_within_the_gap():
    places = Places(OPTIONS)
    for k, features in enumerate(street()):
        assert all(place <= k - OPTIONS.gap for place in places.add(features))
    assert len(places) == COUNT


def test_keyframes_without_features_are_never_alike():
    places = Places(OPTIONS)
    none = np.zeros((0, 128), np.uint8)
    assert all(places.add(none) == [] for _ in range(30))
    for features in street(30):
        places.add(features)
    assert places.add(none) == []


def test_the_same_video_gives_the_same_places():
    runs = []
    for _ in range(2):
        places = Places(OPTIONS)
        runs.append([places.add(x) for x in [*street(), *street()]])
    assert runs[0] == runs[1]
    assert sum(found[:1] == [k] for k, found in enumerate(runs[0][COUNT:])) > 0.9 * COUNT


def test_a_keyframe_holds_features_with_their_depth():
    image = torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    depth = torch.full((1, 1, 96, 160), 7.0)
    depth[..., :80] = 0
    keyframe = describe(Frame(4, image), depth, LoopOptions(points=100))
    assert keyframe.frame == 4
    assert 50 < len(keyframe.pixels) <= 100
    assert keyframe.nbytes == 140 * len(keyframe.pixels)
    assert keyframe.distance == 7
    left, right = keyframe.pixels[:, 0] < 79, keyframe.pixels[:, 0] > 80
    assert (keyframe.depth[left] == 0).all()
    assert keyframe.depth[right] == pytest.approx(7)
    assert np.linalg.norm(root_sift(keyframe.descriptors), axis=1) == pytest.approx(1, abs=1e-5)


def test_an_image_of_one_colour_has_no_features():
    keyframe = describe(Frame(0, torch.full((1, 3, 96, 160), 0.5)), torch.zeros(1, 1, 96, 160))
    assert (len(keyframe.pixels), keyframe.distance, keyframe.nbytes) == (0, 1.0, 0)
    assert median_depth(torch.tensor([0.0, 2.0, float("inf")])) == 2


def test_keyframes_are_apart_by_motion_relative_to_depth_or_by_rotation():
    eye, moved, turned = (torch.eye(4, dtype=torch.float64) for _ in range(3))
    moved[2, 3] = 1.0
    turned[:2, :2] = torch.tensor([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]])
    assert is_keyframe(eye, moved, 5.0, LoopOptions())
    assert not is_keyframe(eye, moved, 10.0, LoopOptions())
    assert is_keyframe(eye, turned, 10.0, LoopOptions())
