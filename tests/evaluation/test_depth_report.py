"""Sets of frames: predicted, scored, missing ones, the table of images and the pictures."""

import csv

import pytest
import torch
from torch import nn

from vode.datasets.depth_frames import DepthFrames
from vode.evaluation.depth import DepthProtocol, crop_mask, depth_scores, summary
from vode.evaluation.depth_report import (
    draw,
    from_file,
    from_network,
    per_image_csv,
    score_frames,
    worst,
)
from vode.evaluation.predictions import Predictions, save_predictions
from vode.io.image import read_image
from vode.visualization.panels import spread

PROTOCOL = DepthProtocol()


class Frames(DepthFrames):
    """Six frames of different sizes; number 4 has no valid depth."""

    name = "set"

    def __len__(self):
        return 6

    def names(self):
        return [f"drive frame {i}" for i in range(6)]

    def frame(self, index):
        return torch.rand(3, 20 + index, 30, generator=torch.Generator().manual_seed(index))

    def depth(self, index):
        depth = 2 + 50 * torch.rand(1, 20 + index, 30, generator=torch.Generator().manual_seed(10 + index))
        return depth * (depth > 20) * (index != 4)


class Leaning(nn.Module):
    """A network that sees depth grow to the right, whatever it is shown."""

    is_metric = False

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def input_size(self, size, image_size):
        return size

    def depth(self, images, focal=None):
        return torch.linspace(1, 3, images.shape[-1]).expand(len(images), 1, *images.shape[-2:])


def noisy(frames):
    """Predictions that get worse from frame to frame."""
    return lambda i: (frames.depth(i) + i) * 3


def test_perfect_and_scaled_predictions():
    frames = Frames()
    exact, scaled = frames.depth, lambda i: frames.depth(i) * 0.3 + (frames.depth(i) == 0)
    for source, scaling, perfect in ((exact, "none", True), (scaled, "median", True), (scaled, "none", False)):
        protocol = DepthProtocol(scaling=scaling)
        result = summary(score_frames(source, frames, range(6), protocol), protocol)
        assert (result["abs_rel"] < 1e-5) == perfect
        assert (result["d1"] == 1) == perfect
    assert (result["images"], result["images_without_ground_truth"]) == (5, 1)
    assert "drive frame 4" in result.notes[0]


def test_a_file_of_predictions_gives_the_same_scores(tmp_path):
    frames, path = Frames(), tmp_path / "depth.npz"
    network = from_network(Leaning(), frames, (16, 32))
    save_predictions(path, ((name, network(i)) for i, name in enumerate(frames.names())))
    kept = from_file(Predictions(path, frames.names()), frames)
    first, second = (score_frames(source, frames, range(6), PROTOCOL) for source in (network, kept))
    assert first.errors.tolist() == second.errors.tolist()


def test_metric_depth_is_scored_by_each_frame_s_own_focal_length():
    class Own(Frames):
        def intrinsics(self, index):
            return None if index == 0 else torch.diag(torch.tensor([1.0, 100.0 * index, 1.0]))

    class Metric(Leaning):
        is_metric = True

        def input_size(self, size, image_size):
            return image_size[0] * 2, image_size[1]

        def depth(self, images, focal=None):
            return torch.full((len(images), 1, *images.shape[-2:]), 1.0 if focal is None else focal)

    found = [from_network(Metric(), Own(), (16, 32))(i) for i in range(3)]
    assert [tuple(depth.shape) for depth in found] == [(1, 40, 30), (1, 42, 30), (1, 44, 30)]
    # of the image at twice its height; where it is unknown, 0.8 of the longer side of 20x30
    assert [float(depth.mean()) for depth in found] == pytest.approx([0.8 * 30 * 2, 200, 400])


def test_every_image_is_in_the_table():
    frames = Frames()
    scores = score_frames(noisy(frames), frames, range(6), PROTOCOL)
    rows = list(csv.DictReader(per_image_csv(scores).splitlines()))
    assert [row["image"] for row in rows] == [f"drive frame {i}" for i in (0, 1, 2, 3, 5, 4)]
    assert rows[-1]["abs_rel"] == ""
    means = [sum(float(row[key]) for row in rows[:-1]) / 5 for key in ("abs_rel", "rmse")]
    result = summary(scores, PROTOCOL)
    assert means == pytest.approx([result["abs_rel"], result["rmse"]], rel=1e-4)


def test_worst_and_spread():
    scores = depth_scores(torch.ones(5, 2, 2), torch.ones(5, 2, 2), PROTOCOL, names="abcde")
    scores = scores._replace(errors=scores.errors + torch.tensor([[3.0], [5], [1], [4], [2]]).numpy())
    assert worst(scores, 3) == ["b", "d", "a"]
    assert worst(scores, 9) == list("bdaec")
    assert spread(scores.names, 2) == ["b", "d"]
    assert spread(scores.names, 9) == list("abcde")


def test_pictures_and_error_maps(tmp_path):
    frames = Frames()
    scores = score_frames(noisy(frames), frames, range(6), PROTOCOL)
    files = draw(tmp_path, noisy(frames), frames, scores, PROTOCOL, worst_count=2, error_maps=True)
    assert [file.name for file in files] == ["set.png", "set.csv", "set-worst.png", "set-errors"]
    assert all(file.exists() for file in files)
    maps = {file.name: read_image(file) for file in files[-1].iterdir()}
    assert maps.keys() == {f"drive_frame_{i}.png" for i in (0, 1, 2, 3, 5)}
    # No error is dark blue, and large ones are yellow.
    assert maps["drive_frame_0.png"][:2].mean() < maps["drive_frame_5.png"][:2].mean()


def test_what_is_drawn_is_what_is_scored(tmp_path):
    """A prediction that is perfect after its inverse is resized, scaled and clipped has no error in the crop."""
    disparity = torch.tensor([0.02, 2.0, 0.5]).repeat_interleave(5).expand(1, 10, 15)
    resized = torch.nn.functional.interpolate(disparity[None], (20, 30), mode="bilinear", align_corners=False)[0]

    class Flat(Frames):
        def __len__(self):
            return 1

        def names(self):
            return ["frame"]

        def depth(self, index):
            return 1 / resized.clamp(min=0.04)

    protocol = DepthProtocol(crop="garg", cap=None, clip=(1e-3, 25.0))
    frames, source = Flat(), lambda i: 3 / disparity
    scores = score_frames(source, frames, [0], protocol)
    assert scores.errors[0, 0] < 1e-5
    folder = draw(tmp_path, source, frames, scores, protocol, worst_count=0, error_maps=True)[-1]
    error = read_image(folder / "frame.png")
    counted = torch.from_numpy(crop_mask(20, 30, "garg"))
    colours = [{tuple(c) for c in error[:, part].T.tolist()} for part in (counted, ~counted)]
    assert len(colours[0]) == len(colours[1]) == 1
    assert colours[0] != colours[1]
