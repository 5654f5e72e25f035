"""Which loops to believe: those that odometry's drift allows, and that agree with each other about it.

Pairwise consistent measurement set maximisation (Mangelson, Dominic, Eustice, Vasudevan, ICRA 2018), with the loops'
neighbours asked too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor

from vode.geometry import pose, similarity
from vode.odometry.loop_closure.keyframes import Keyframe
from vode.odometry.loop_closure.verification import Loop
from vode.odometry.options import LoopOptions

LOOP = (0.02, 0.01, 0.05)
"""standard deviations of a loop: translation relative to the median depth, radians, logarithm of the scale"""
RESTING = 0.1
"""least motion that errors of translation are relative to, in motions between keyframes"""
SEEDS = 20
"""loops that a set of consistent ones is begun with"""


class Course:
    """What odometry measured between K keyframes, and how far off it may be.

    ``T_world_cam`` (K, 4, 4) float64 are the keyframes' poses. ``map`` (K,) counts how often the way was lost before.
    """

    def __init__(
        self,
        poses: Sequence[Tensor] | Tensor,
        keyframes: Sequence[Keyframe],
        options: LoopOptions = LoopOptions(),
        known: Course | None = None,
    ) -> None:
        """``poses`` are those of the keyframes, (4, 4) each; where they are the very tensors that a course before was
        made of, what is ``known`` there is taken over, as most of a long video stays as it is."""
        self._poses, self._options = list(poses), options
        same = 0 if known is None else _same(known._poses, self._poses)
        start = max(same - 1, 0)
        part = torch.stack(self._poses[start:])
        motions = pose.inverse(part[:-1]) @ part[1:]
        lengths = motions[:, :3, 3].norm(dim=-1)
        spacing = options.spacing * lengths.new_tensor([x.distance for x in keyframes[start:-1]])
        drift, later = options.drift, keyframes[start + 1 :]
        doubt = lengths.new_tensor([drift.lost if x.lost else drift.doubtful if x.doubtful else 1.0 for x in later])
        deviations = _deviations(lengths, spacing, doubt, options)
        adjoint = similarity.adjoint(part[1:])
        covariance = adjoint * (options.drift.bias * deviations).square()[:, None] @ adjoint.mT
        lost = torch.tensor([x.lost for x in later], dtype=torch.int64)
        if known is None or not same:
            self.T_world_cam, self.motions, self.deviations = part, motions, deviations
            self.map = _sums(torch.tensor([int(keyframes[0].lost)]), lost)
            self._way, self._covariance = (_sums(x.new_zeros(1, *x.shape[1:]), x) for x in (lengths, covariance))
            return
        self.T_world_cam = torch.cat([known.T_world_cam[:start], part])
        self.motions = torch.cat([known.motions[:start], motions])
        self.deviations = torch.cat([known.deviations[:start], deviations])
        self.map = _sums(known.map[:same], lost)
        self._way = _sums(known._way[:same], lengths)
        self._covariance = _sums(known._covariance[:same], covariance)

    def allows(self, loop: Loop) -> bool:
        """Whether drift explains what a loop says against odometry, which says nothing from one map to another."""
        first, second = loop.first, loop.second
        if self.map[first] != self.map[second]:
            return True
        between = pose.relative(self.T_world_cam[second], self.T_world_cam[first])
        away = float((between[:3, 3] - loop.S_first_second[:3, 3]).norm())
        if away > self._options.detour * float(self._way[second] - self._way[first]) + loop.distance:
            return False
        error = similarity.log(similarity.inverse(loop.S_first_second) @ between)
        drift = self._covariance[second] - self._covariance[first]
        covariance = _carried(pose.inverse(self.T_world_cam[second]), drift) + _covariance([loop])[0]
        return bool(_distance(error, covariance) < self._options.significance)

    def agree(self, loop: Loop, others: Sequence[Loop]) -> np.ndarray:
        """Whether a loop, each of others (L,) and odometry between their ends make a closed course, up to drift."""
        if not others:
            return np.zeros(0, bool)
        T, S = self.T_world_cam, similarity.inverse(loop.S_first_second)
        first, second = (torch.tensor([x[k] for x in others]) for k in (0, 1))
        firsts, seconds = pose.relative(T[first], T[loop.first]), pose.relative(T[loop.second], T[second])
        theirs = torch.stack([x.S_first_second for x in others])
        error = similarity.log(S @ firsts @ theirs @ seconds)
        covariance = (
            _covariance([loop])
            + _carried(similarity.inverse(seconds), _covariance(others))
            + _carried(S @ pose.inverse(T[loop.first]), self._drift(loop.first, first))
            + _carried(pose.inverse(T[loop.second]), self._drift(loop.second, second))
        )
        return (_distance(error, covariance) < self._options.significance).numpy()

    def _drift(self, here: int, there: Tensor) -> Tensor:
        """Covariances (L, 7, 7) of what odometry measured between two keyframes, in the axes of the world."""
        change = self._covariance[there] - self._covariance[here]
        return torch.where((there < here)[:, None, None], -change, change)


def loop_deviations(loops: Sequence[Loop]) -> Tensor:
    """Standard deviations (L, 7) of loops' similarities, in the axes of their second keyframes."""
    if not loops:
        return torch.zeros(0, 7, dtype=torch.float64)
    scales = similarity.scale(torch.stack([x.S_first_second for x in loops]))
    distances = scales.new_tensor([x.distance for x in loops]) / scales
    rest = scales.new_tensor([LOOP[1]] * 3 + [LOOP[2]]).expand(len(loops), 4)
    return torch.cat([LOOP[0] * distances[:, None].expand(-1, 3), rest], -1)


def consistent_set(agreement: np.ndarray) -> np.ndarray:
    """Numbers of many loops each two of which agree, by their symmetric agreement (L, L) bool.

    The largest set of those that begin at the loops with most agreement and take the next best that fits.
    """
    order = np.argsort(-agreement.sum(1), kind="stable")
    best = np.zeros(0, np.int64)
    for seed in order[:SEEDS]:
        if agreement[seed].sum() <= len(best):
            break
        allowed, chosen = agreement[seed].copy(), [seed]
        for k in order:
            if allowed[k] and k != seed:
                chosen.append(k)
                allowed &= agreement[k]
        if len(chosen) > len(best):
            best = np.sort(chosen)
    return best


def supported(loops: Sequence[Loop], near: int, least: int, others: Sequence[Loop] = ()) -> list[Loop]:
    """The loops with at least ``least`` that begin and end within ``near`` keyframes of theirs, themselves and
    ``others`` included."""
    if not loops:
        return []
    ends = KDTree(np.array([(x.first, x.second) for x in (*loops, *others)]))
    close = np.atleast_1d(ends.query_ball_point(ends.data[: len(loops)], near, p=np.inf, return_length=True))
    return [loop for loop, count in zip(loops, close, strict=True) if count >= least]


def _same(before: Sequence[Tensor], now: Sequence[Tensor]) -> int:
    """How many tensors at the start of two sequences are the same objects."""
    pairs = enumerate(zip(before, now, strict=False))
    return next((k for k, (a, b) in pairs if a is not b), min(len(before), len(now)))


def _sums(before: Tensor, values: Tensor) -> Tensor:
    """Running sums, continued by more values."""
    return torch.cat([before, torch.cat([before[-1:], values]).cumsum(0)[1:]])


def _deviations(lengths: Tensor, spacing: Tensor, doubt: Tensor, options: LoopOptions) -> Tensor:
    """Standard deviations (K - 1, 7) of motions, ``doubt`` (K - 1,) times as large as usual; a long motion counts as
    several between keyframes."""
    drift, steps = options.drift, (lengths / spacing).clamp(min=1).sqrt()
    along = drift.translation * torch.maximum(lengths, RESTING * spacing) / steps
    rest = torch.stack([drift.turn * steps] * 3 + [drift.scale * steps], -1)
    deviations = torch.cat([along[:, None].expand(-1, 3), rest], -1)
    return deviations * doubt[:, None]


def _covariance(loops: Sequence[Loop]) -> Tensor:
    return torch.diag_embed(loop_deviations(loops).square())


def _carried(S: Tensor, covariance: Tensor) -> Tensor:
    """Covariances (..., 7, 7) in the axes to which similarities (..., 4, 4) take points."""
    adjoint = similarity.adjoint(S)
    return adjoint @ covariance @ adjoint.mT


def _distance(error: Tensor, covariance: Tensor) -> Tensor:
    """Squared Mahalanobis distances (...)."""
    return (error * torch.linalg.solve(covariance, error)).sum(-1)
