"""Trajectories of overlapping chunks joined to that of the whole video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry import similarity
from vode.geometry.alignment import robust_similarity
from vode.geometry.ground import Ground
from vode.geometry.pose import interpolate, inverse
from vode.io.trajectory import Trajectory
from vode.odometry.result import FrameResult, in_order

AGREEING = 0.5
"""least fraction of the overlap that must agree on a similarity"""


class Chunk(NamedTuple):
    """What tracking tells of some frames in a row."""

    trajectory: Trajectory
    results: tuple[FrameResult, ...]
    grounds: Mapping[int, Ground | None] | None
    """by frame, where they were asked for"""


class Junction(NamedTuple):
    """How a chunk was joined to those before it."""

    start: int
    """first frame of the overlap"""
    frames: int
    """in the overlap"""
    T_before_chunk: Tensor
    """(4, 4) similarity from the chunk's world to that of those before it"""
    agreeing: int
    """frames of the overlap that agree on it; 0 where they agree on none, and the frame in the middle alone tells it"""


class Joined(NamedTuple):
    """All frames, as if in one chunk, and how it was made of several."""

    whole: Chunk
    junctions: tuple[Junction, ...]

    def describe(self) -> str:
        """How many chunks were joined, and how well; nothing of a single one."""
        if not self.junctions:
            return ""
        doubtful = ", ".join(str(x.start) for x in self.junctions if not x.agreeing)
        doubts = f"; a single pose tells how that from frame {doubtful} goes on" if doubtful else ""
        return f"; {len(self.junctions) + 1} chunks joined{doubts}"


def join(chunks: Sequence[Chunk], starts: Sequence[int], *, with_scale: bool) -> Joined:
    """Chunks joined in the world of the first one, each by the frames that it has in common with those before it.

    ``starts`` are the numbers of their first frames, in order. By a similarity ``with_scale``, where each chunk has
    a scale of its own, else rigidly: depth gives all chunks one scale, to which the short overlap would add an
    error at each junction. In an overlap the poses change little by little from those of one chunk to those of the
    next, so that no motion has all of the difference. A chunk that ends within its overlap adds nothing.
    """
    whole, junctions = chunks[0], []
    for chunk, start in zip(chunks[1:], starts[1:], strict=True):
        frames = len(whole.trajectory) - start
        if len(chunk.trajectory) <= frames:
            continue
        before, poses = whole.trajectory.poses[start:], chunk.trajectory.poses
        S, agreeing = overlap_similarity(poses[:frames], before, with_scale=with_scale)
        junctions.append(Junction(start, frames, S, agreeing))
        whole = _joined(whole, _moved(chunk, start, S), start)
    return Joined(whole, tuple(junctions))


def overlap_similarity(source: Tensor, target: Tensor, *, with_scale: bool) -> tuple[Tensor, int]:
    """The similarity (4, 4) with target ~ S source for poses (N, 4, 4) of the same frames, and how many agree on it.

    Robust to many wrong poses. Where fewer than half agree, as those of a camera at rest do, it is the rigid motion
    between the two poses in the middle, and 0.
    """
    turns = target[:, :3, :3] @ source[:, :3, :3].mT
    try:
        found = robust_similarity(source[:, :3, 3], target[:, :3, 3], rotations=turns, with_scale=with_scale)
    except ValueError:
        found = None
    if found is None or not found.scale > 0 or found.inliers.double().mean() < AGREEING:
        middle = len(source) // 2
        return target[middle] @ inverse(source[middle]), 0
    return similarity.from_parts(found.scale, found.rotation, found.translation), int(found.inliers.sum())


def _moved(chunk: Chunk, start: int, S: Tensor) -> Chunk:
    """A chunk in the world of those before it, its frames with the numbers of the whole video."""
    size, grounds = float(similarity.scale(S)), chunk.grounds
    if grounds is not None:
        grounds = {start + k: x and x._replace(height=size * x.height) for k, x in grounds.items()}
    trajectory = chunk.trajectory.moved(similarity.rigid(S @ chunk.trajectory.poses))
    return Chunk(trajectory, tuple(_later(x, start, S) for x in chunk.results), grounds)


def _later(found: FrameResult, start: int, S: Tensor) -> FrameResult:
    reference, level = found.details.reference, found.depth_level
    return replace(
        found,
        index=start + found.index,
        pose=similarity.rigid(S @ torch.as_tensor(found.pose)),
        details=replace(found.details, reference=None if reference is None else start + reference),
        changed=in_order(start + k for k in found.changed),
        depth_level=level and level._replace(factor=level.factor * float(similarity.scale(S))),
    )


def _joined(before: Chunk, after: Chunk, start: int) -> Chunk:
    """Two chunks with the same world and numbers, of which the second begins with frame ``start``."""
    end = len(before.trajectory)
    fraction = torch.arange(1, end - start + 1, dtype=torch.float64) / (end - start + 1)
    shared = interpolate(before.trajectory.poses[start:], after.trajectory.poses[: end - start], fraction)
    poses = torch.cat([before.trajectory.poses[:start], shared, after.trajectory.poses[end - start :]])
    times = before.trajectory.timestamps, after.trajectory.timestamps
    timestamps = None if times[0] is None or times[1] is None else torch.cat([times[0], times[1][end - start :]])
    middle = (start + end) // 2
    results = before.results[:middle] + after.results[middle - start :]
    grounds = before.grounds
    if grounds is not None and after.grounds is not None:
        grounds = {**grounds, **{k: ground for k, ground in after.grounds.items() if k >= middle}}
    trajectory = Trajectory(poses, timestamps, name=before.trajectory.name, provenance=before.trajectory.provenance)
    return Chunk(trajectory, results, grounds)
