"""Writing a sequence in the KITTI odometry layout that ``vode.datasets.kitti.odometry`` reads."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.atomic import write_bytes, write_error
from vode.io.depth import write_depth
from vode.io.flow import write_flow
from vode.io.image import write_image


class GroundTruth(NamedTuple):
    """What is known of the N frames of a sequence."""

    poses: Tensor | None = None
    """(N, 4, 4) world-from-camera of the camera that took them, metres"""
    depths: Iterable[Tensor] | None = None
    """N of (1, H, W), metres"""
    flows: Iterable[tuple[Tensor, Tensor]] | None = None
    """N - 1 pairs of flow (2, H, W) to the next frame, pixels, and where it is visible there (1, H, W)"""


def write_kitti_sequence(
    root: Path | str,
    name: str,
    camera: int,
    frames: Iterable[Tensor],
    intrinsics: Tensor,
    timestamps: Tensor | None = None,
    ground_truth: GroundTruth = GroundTruth(),
) -> Path:
    """Write frames (3, H, W) in 0..1 as sequence ``name``, whole or not at all; returns its folder.

    ``intrinsics`` (3, 3); ``timestamps`` (N,) seconds. Frames, depths and flows are taken in step, one at a time, so
    they may be generators. Images are stored with 8 bits, depth to 1/256 m, flow to 1/64 pixel; numbers in text
    exactly. The calibration names this camera only, at the origin.

    Everything goes to a hidden folder that is renamed when complete. Raises InputError if the sequence or
    its poses exist already or the disk is full, ValueError if the lengths differ.
    """
    root = Path(root)
    final, poses_file = root / "sequences" / name, root / "poses" / f"{name}.txt"
    for path in (final, poses_file):
        if path.exists():
            raise InputError(f"{path}: exists already and is not overwritten; choose another name or remove it")
    work = final.with_name(f".{name}.{secrets.token_hex(4)}.tmp")
    try:
        _make_folder(work)
        count = _write_frames(work, camera, frames, ground_truth)
        _check_count("poses", ground_truth.poses, count)
        _check_count("timestamps", timestamps, count)
        _write_rows(work / "calib.txt", f"P{camera}: ", torch.cat([intrinsics, torch.zeros(3, 1)], dim=1).view(1, 12))
        if timestamps is not None:
            _write_rows(work / "times.txt", "", timestamps.view(-1, 1))
        _publish(work, final, poses_file, ground_truth.poses)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return final


def _write_frames(work: Path, camera: int, frames: Iterable[Tensor], ground_truth: GroundTruth) -> int:
    _, depths, flows = ground_truth
    kinds = {"image": True, "depth": depths is not None, "flow": flows is not None}
    folders = {kind: work / f"{kind}_{camera}" for kind, wanted in kinds.items() if wanted}
    for folder in folders.values():
        _make_folder(folder)
    depth_maps, flow_maps = iter(() if depths is None else depths), iter(() if flows is None else flows)
    count, ended = 0, False
    for count, frame in enumerate(frames, start=1):
        name = f"{count - 1:06d}.png"
        write_image(folders["image"] / name, frame, sync=False)
        if depths is not None:
            write_depth(folders["depth"] / name, _next("depths", depth_maps, count), sync=False)
        if ended:
            raise ValueError(f"flows: too few, they end before frame {count - 1}; N frames have N - 1 flows")
        pair = next(flow_maps, None)
        ended = flows is not None and pair is None
        if pair is not None:
            write_flow(folders["flow"] / name, *pair, sync=False)
    if count == 0:
        raise ValueError("no frames to write")
    if (flows is not None and not ended) or next(depth_maps, None) is not None:
        raise ValueError(f"more depths or flows than {count} frames have")
    return count


def _next(name: str, values: Iterator[Tensor], count: int) -> Tensor:
    value = next(values, None)
    if value is None:
        raise ValueError(f"{name}: too few, they end before frame {count - 1}")
    return value


def _check_count(name: str, values: Tensor | None, count: int) -> None:
    if values is not None and len(values) != count:
        raise ValueError(f"{len(values)} {name} for {count} frames")


def _write_rows(path: Path, head: str, rows: Tensor) -> None:
    lines = (head + " ".join(map(repr, row)) for row in rows.double().tolist())
    write_bytes(path, "".join(f"{line}\n" for line in lines).encode())


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise write_error(folder, error) from error


def _publish(work: Path, final: Path, poses_file: Path, poses: Tensor | None) -> None:
    # Poses first: a crash in between leaves poses without images, never a sequence that lost its poses.
    if poses is not None:
        try:
            poses_file.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise write_error(poses_file, error) from error
        _write_rows(poses_file, "", poses[:, :3].reshape(-1, 12))
    try:
        os.rename(work, final)
    except OSError as error:
        if poses is not None:
            poses_file.unlink(missing_ok=True)
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise InputError(f"{final}: was written meanwhile; choose another name or remove it") from error
        raise write_error(final, error) from error
