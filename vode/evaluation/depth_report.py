"""Depth of a set of frames: predicted, scored, and laid out as a table of images and as pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.cameras.lens import Camera
from vode.datasets.depth_frames import DepthFrames
from vode.evaluation.depth import (
    MEASURES,
    DepthProtocol,
    DepthScores,
    counted_pixels,
    depth_scores,
    resize_prediction,
)
from vode.evaluation.predictions import Predictions
from vode.geometry.resize import image_size
from vode.io.atomic import make_folder, write_bytes
from vode.io.image import write_image
from vode.networks.depth import DepthNet
from vode.prediction import predict_depth
from vode.visualization.panels import depth_panel, save_panel, spread

Source = Callable[[int], Tensor]
"""The predicted depth (1, H, W) of the frame of that number; any size, in any unit."""


def from_network(depth: DepthNet, frames: DepthFrames, size: tuple[int, int], *, flip: bool = False) -> Source:
    """Predictions made when asked for, at the network's ``input_size`` for each frame."""

    def predict(index: int) -> Tensor:
        image, intrinsics = frames.frame(index), frames.intrinsics(index)
        focal = Camera.assumed(image_size(image)).focal[1] if intrinsics is None else float(intrinsics[1, 1])
        return predict_depth(depth, image, depth.input_size(size, image_size(image)), focal=focal, flip=flip)

    return predict


def from_file(predictions: Predictions, frames: DepthFrames) -> Source:
    """Predictions made before."""
    names = frames.names()
    return lambda i: predictions[names[i]]


def per_image_csv(scores: DepthScores) -> str:
    """A line an image: its name, ratio of scale and errors; empty where an image has no valid pixel."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["image", "ratio", *MEASURES])
    for name, ratio, errors in zip(scores.names, scores.ratios, scores.errors, strict=True):
        writer.writerow([name, f"{ratio:.6g}", *(f"{error:.6g}" for error in errors)])
    writer.writerows([name, *[""] * (1 + len(MEASURES))] for name in scores.empty)
    return out.getvalue()


def score_frames(source: Source, frames: DepthFrames, chosen: Sequence[int], protocol: DepthProtocol) -> DepthScores:
    """The depth errors of the chosen frames."""
    names = frames.names()
    predictions, ground_truths = (source(i) for i in chosen), (frames.depth(i) for i in chosen)
    return depth_scores(predictions, ground_truths, protocol, names=[names[i] for i in chosen])


def worst(scores: DepthScores, count: int) -> list[str]:
    """The names of the images with the largest AbsRel, the worst first."""
    return [scores.names[i] for i in np.argsort(-scores.errors[:, 0], kind="stable")[:count]]


def draw(
    folder: Path,
    source: Source,
    frames: DepthFrames,
    scores: DepthScores,
    protocol: DepthProtocol,
    *,
    worst_count: int = 4,
    error_maps: bool = False,
) -> list[Path]:
    """Pictures and the table of images in ``folder``, and their files.

    NAME.png shows four frames at even distances, NAME-worst.png those with the largest AbsRel, NAME.csv the errors
    of every image; ``error_maps`` adds NAME-errors/FRAME.png for every frame. Drawn is what is scored: the image, the
    prediction resized, scaled and clipped, the ground truth of the pixels that count, and the relative error.
    """
    index = {name: i for i, name in enumerate(frames.names())}
    factors = dict(zip(scores.names, _factors(scores, protocol).tolist(), strict=True))

    def row(name: str) -> list[tuple[str, Tensor]]:
        prediction, ground_truth = (depth(index[name])[0].numpy() for depth in (source, frames.depth))
        prediction = resize_prediction(prediction, ground_truth.shape, name, resizing=protocol.resizing) * factors[name]
        counted = np.where(counted_pixels(ground_truth, protocol), ground_truth, 0)
        shown = (torch.from_numpy(depth)[None].float() for depth in (prediction.clip(*protocol.clip_range), counted))
        return depth_panel(frames.frame(index[name]), *shown)

    files = [folder / f"{frames.name}.png", folder / f"{frames.name}.csv"]
    save_panel(files[0], [row(name) for name in spread(scores.names, 4)])
    write_bytes(files[1], per_image_csv(scores).encode())
    if worst_count:
        files.append(folder / f"{frames.name}-worst.png")
        names = worst(scores, worst_count)
        errors = dict(zip(scores.names, scores.errors[:, 0], strict=True))
        save_panel(files[-1], [row(name) for name in names], names=[f"{n}, AbsRel {errors[n]:.3f}" for n in names])
    if error_maps:
        files.append(make_folder(folder / f"{frames.name}-errors"))
        for name in scores.names:
            write_image(files[-1] / f"{name.replace(' ', '_')}.png", row(name)[-1][1])
    return files


def _factors(scores: DepthScores, protocol: DepthProtocol) -> np.ndarray:
    """What each image's prediction (N,) is multiplied by under the protocol."""
    if protocol.scaling == "median":
        return scores.ratios
    return np.full_like(scores.ratios, np.median(scores.ratios) if protocol.scaling == "global" else 1.0)
