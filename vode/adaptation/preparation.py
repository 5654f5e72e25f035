"""What is found out about each part of a video before training: its trajectory and sparse depth, kept with the run."""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vode.adaptation.clips import Structure
from vode.adaptation.config import AdaptationConfig
from vode.adaptation.levels import Predicted, levelled, relevelled
from vode.adaptation.structure import Pair, SparseDepth, draw_pixels, sparse_depth, triangulated_pairs
from vode.datasets.base import Sequence
from vode.devices import device_name
from vode.errors import InputError, one_line
from vode.geometry.camera import resize_intrinsics
from vode.geometry.ground import on_ground
from vode.geometry.resize import magnified
from vode.io.atomic import atomic_write, make_folder
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.odometry.frames import Frame, network_image
from vode.odometry.perception import network_perception
from vode.odometry.result import Method
from vode.odometry.track import track
from vode.run_folder import RunFolder, find_run
from vode.training.log import Announced

FOLDER = "structure"
"""where it is kept in a run"""
RECENT = 16
"""frames whose images are kept while pairs of them are matched"""


def prepared_structure(part: Sequence, config: AdaptationConfig, folder: RunFolder) -> Structure:
    """What was found out about a part of a video, read if it is there, else found out and written."""
    # names of sequences may hold what names of files may not
    name = hashlib.sha256(part.name.encode()).hexdigest()[:16]
    path = folder.path / FOLDER / f"{name}.npz"
    if not path.is_file():
        _write(make_folder(path.parent) / path.name, _find_out(part, config))
    return _read(path, len(part))


def _find_out(part: Sequence, config: AdaptationConfig) -> Structure:
    """Track a part with the start's depth, and triangulate along the trajectory."""
    assert config.start_from is not None
    start, device = find_run(config.start_from), device_name(config.device)
    flow, depth = start.load_network(FlowNet, device), start.load_network(DepthNet, device)
    size = depth.input_size(config.size, part.size)
    perception = network_perception(flow, depth, config.motion, lambda _: size)
    match_size = magnified(size, config.motion.magnify)
    count = len(part)
    with Announced(f"{part.name}: tracking", count) as done:
        tracked = track(part, perception, size=match_size, options=config.motion, on_progress=done)
    poses = tracked.trajectory.poses.clone()
    # where the motion is not known, a new trajectory begins
    lost = [r.index for r in tracked.results if r.method is Method.EXTRAPOLATED]
    poses[lost] = float("nan")
    frame = lru_cache(RECENT)(lambda i: _frame(part, i, match_size, device))
    predicted = [_predict(depth, _frame(part, i, size, device)) for i in range(count)]
    pairs: list[Pair] = []
    with Announced(f"{part.name}: triangulating", count) as done:
        found = triangulated_pairs(frame, poses, lambda i: predicted[i], perception, size, config.structure)
        for i, of_frame in enumerate(found):
            pairs += of_frame
            done(i + 1)
    log = torch.cat(predicted).log().cpu()
    intrinsics = resize_intrinsics(part.intrinsics, part.size, size)
    drawn = [_at(log[i], draw_pixels(i, size, config.structure.points), intrinsics) for i in range(count)]
    metric = levelled(poses, pairs, drawn, config.levels)
    points = sparse_depth(relevelled(pairs, poses, metric), count, size, config.structure)
    return Structure(metric, points, log.to(torch.float16).numpy())


@torch.no_grad()
def _predict(network: DepthNet, frame: Frame) -> Tensor:
    """Depth as it is trained: its edges as the network draws them."""
    assert frame.intrinsics is not None
    return network.metric(network.depth_of(network(frame.image)[0].float()), frame.intrinsics[:, 1, 1])


def _at(log_depth: Tensor, pixels: Tensor, intrinsics: Tensor) -> Predicted:
    """What log depth (1, H, W) says of pixels (P,), by their numbers."""
    at, width = log_depth.flatten()[pixels], log_depth.shape[-1]
    places = torch.stack([pixels % width, pixels // width], -1)[None].to(log_depth)
    return Predicted(at, on_ground(log_depth.exp()[None], at.exp()[None], places, intrinsics[None])[0])


def _frame(part: Sequence, index: int, size: tuple[int, int], device: torch.device | str) -> Frame:
    K = resize_intrinsics(part.intrinsics, part.size, size)[None].to(device)
    return Frame(index, network_image(part.resized(index, size), size, device), K)


def _write(path: Path, structure: Structure) -> None:
    counts = [len(each.pixels) for each in structure.depth]
    arrays: dict[str, Any] = {
        name: torch.cat([getattr(each, name) for each in structure.depth]).numpy() for name in SparseDepth._fields
    }
    content = io.BytesIO()
    np.savez(content, poses=structure.poses.numpy(), counts=np.array(counts), start=structure.start, **arrays)
    with atomic_write(path) as file:
        file.write(content.getvalue())


def _read(path: Path, frames: int) -> Structure:
    try:
        with np.load(path, allow_pickle=False) as content:
            counts = content["counts"].tolist()
            fields = [torch.from_numpy(content[name]).split(counts) for name in SparseDepth._fields]
            poses, start = torch.from_numpy(content["poses"]), content["start"]
    except Exception as error:
        raise InputError(f"{path}: cannot be read ({one_line(error)}); remove it, and it is made again") from error
    if not len(poses) == len(counts) == len(start) == frames:
        raise InputError(f"{path}: is of {len(poses)} frames, not {frames}; remove it, and it is made again")
    return Structure(poses, [SparseDepth(*each) for each in zip(*fields, strict=True)], start)
