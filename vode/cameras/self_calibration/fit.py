"""Focal length, distortion and relative poses of pairs of frames, fitted together to the matches between them.

The cost is the Sampson distance of the matches to the epipolar lines of calibrated poses (Hartley and Zisserman,
section 11.4), robustly summed. The poses of a pair depend on the shared camera alone, so each step eliminates them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from vode.cameras.self_calibration.matches import Matches

CAUCHY = 2.0
"""scale of the robust cost, in standard deviations of the noise"""
STEP = 1e-5
"""of the derivatives by differences"""
DAMPING, FIRST_DAMPING = 1e-6, 1e-2
"""least damping of the poses, whose translation is free where the camera only turns, and that of the first step"""


class Cloud(NamedTuple):
    """The matches of P pairs, padded to N: pixels from the middle of the image."""

    a: np.ndarray
    """(P, N, 2)"""
    b: np.ndarray
    """(P, N, 2)"""
    used: np.ndarray
    """(P, N), 0 or 1"""
    noise: np.ndarray
    """(P,) pixels"""


class Shared(NamedTuple):
    """The camera of all pairs."""

    log_focal: float
    """of pixels"""
    k1: float = 0.0
    x: float = 0.0
    """of the principal point from the middle, in focal lengths"""
    y: float = 0.0


class Poses(NamedTuple):
    """Relative poses of P pairs: rotations and unit translations."""

    R: np.ndarray
    """(P, 3, 3)"""
    t: np.ndarray
    """(P, 3)"""


def cloud_of(pairs: Sequence[Matches], most: int, seed: int = 0) -> Cloud:
    """Up to ``most`` matches of each pair."""
    rng = np.random.default_rng(seed)
    a, b = np.zeros((len(pairs), most, 2)), np.zeros((len(pairs), most, 2))
    used = np.zeros((len(pairs), most))
    for p, pair in enumerate(pairs):
        chosen = rng.permutation(len(pair.a))[:most]
        a[p, : len(chosen)], b[p, : len(chosen)], used[p, : len(chosen)] = pair.a[chosen], pair.b[chosen], 1
    return Cloud(a, b, used, np.ones(len(pairs)))


def rays(points: np.ndarray, shared: Shared) -> np.ndarray:
    """Rays (..., 3) with z = 1 of pixels (..., 2) from the middle, freed of the distortion."""
    distorted = points / np.exp(shared.log_focal) - [shared.x, shared.y]
    if shared.k1:
        r = radius = np.linalg.norm(distorted, axis=-1, keepdims=True)
        for _ in range(5):
            r = r - (r + shared.k1 * r**3 - radius) / np.maximum(1 + 3 * shared.k1 * r**2, 0.2)
        distorted = distorted * (r / np.maximum(radius, 1e-12))
    return np.concatenate([distorted, np.ones_like(distorted[..., :1])], -1)


def residuals(cloud: Cloud, shared: Shared, poses: Poses) -> np.ndarray:
    """Sampson distances (P, N) in standard deviations of the noise, 0 where there is no match."""
    return _distances(rays(cloud.a, shared), rays(cloud.b, shared), poses) * _scale(cloud, shared)


def _distances(a: np.ndarray, b: np.ndarray, poses: Poses) -> np.ndarray:
    """Sampson distances (P, N) of rays (P, N, 3), in focal lengths."""
    E = cross(poses.t) @ poses.R
    Ea, Eb = a @ E.swapaxes(-1, -2), b @ E
    # products of so short vectors are summed by einsum much faster than by sum
    norm = np.einsum("pni,pni->pn", Ea[..., :2], Ea[..., :2]) + np.einsum("pni,pni->pn", Eb[..., :2], Eb[..., :2])
    return np.einsum("pni,pni->pn", b, Ea) / np.sqrt(np.maximum(norm, 1e-24))


def _scale(cloud: Cloud, shared: Shared) -> np.ndarray:
    """Standard deviations of the noise in a focal length (P, N), 0 where there is no match."""
    return np.exp(shared.log_focal) * cloud.used / cloud.noise[:, None]


def cost(r: np.ndarray) -> np.ndarray:
    """Cauchy's robust cost (P,) of residuals (P, N): half their squares, where they are small."""
    return 0.5 * CAUCHY**2 * np.log1p(np.square(r / CAUCHY)).sum(-1)


def cross(v: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) of the cross product with vectors (..., 3)."""
    x, y, z = np.moveaxis(v, -1, 0)
    o = np.zeros_like(x)
    return np.stack([o, -z, y, z, o, -x, -y, x, o], -1).reshape(*v.shape[:-1], 3, 3)


def rotation(v: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) by rotation vectors (..., 3)."""
    angle = np.linalg.norm(v, axis=-1)[..., None, None]
    K = cross(v)
    return np.eye(3) + np.sinc(angle / np.pi) * K + 0.5 * np.square(np.sinc(angle / (2 * np.pi))) * K @ K


def moved(poses: Poses, step: np.ndarray) -> Poses:
    """Poses after a step (P, 5): a rotation vector, and a way along two tangents of the translation."""
    aside = np.where(np.abs(poses.t[:, :1]) < 0.7, [[1.0, 0, 0]], [[0, 1.0, 0]])
    first = np.cross(poses.t, aside)
    first /= np.linalg.norm(first, axis=-1, keepdims=True)
    t = poses.t + step[:, 3:4] * first + step[:, 4:5] * np.cross(poses.t, first)
    return Poses(rotation(step[:, :3]) @ poses.R, t / np.linalg.norm(t, axis=-1, keepdims=True))


class System(NamedTuple):
    """The linearised problem at a camera and poses."""

    pose: np.ndarray
    """(P, 5, 5) information of the poses"""
    mixed: np.ndarray
    """(P, 5, G)"""
    camera: np.ndarray
    """(P, G, G)"""
    pose_gradient: np.ndarray
    """(P, 5)"""
    camera_gradient: np.ndarray
    """(P, G)"""
    cost: np.ndarray
    """(P,)"""


def linearise(cloud: Cloud, shared: Shared, poses: Poses, free: int) -> System:
    """The System of the poses and of the first ``free`` numbers of the camera."""
    a, b, scale = rays(cloud.a, shared), rays(cloud.b, shared), _scale(cloud, shared)
    r = _distances(a, b, poses) * scale
    columns = []
    for k in range(5):
        step = np.zeros((len(r), 5))
        step[:, k] = STEP
        columns.append(_distances(a, b, moved(poses, step)) * scale - r)
    for k in range(free):
        values = list(shared)
        values[k] += STEP
        columns.append(residuals(cloud, Shared(*values), poses) - r)
    J = np.stack(columns, -1) / STEP
    weighted = J * (1 / (1 + np.square(r / CAUCHY)))[..., None]
    H, g = weighted.swapaxes(-1, -2) @ J, (weighted * r[..., None]).sum(1)
    return System(H[:, :5, :5], H[:, :5, 5:], H[:, 5:, 5:], g[:, :5], g[:, 5:], cost(r))


def reduced(system: System, damping: np.ndarray | float = DAMPING) -> tuple[np.ndarray, ...]:
    """Without the poses: information (P, G, G) and gradient (P, G), and how the poses follow: (P, 5, G) and (P, 5).

    ``damping`` (P,) of the poses is relative to the diagonal of their information.
    """
    diagonal = np.einsum("pii->pi", system.pose)
    added = np.broadcast_to(damping, len(diagonal))[:, None] * (diagonal + 1e-3 * diagonal.mean(-1, keepdims=True))
    damped = system.pose + (added + 1e-12)[..., None] * np.eye(5)
    follow = np.linalg.solve(damped, np.concatenate([system.mixed, system.pose_gradient[..., None]], -1))
    back = system.mixed.swapaxes(-1, -2)
    information = system.camera - back @ follow[..., :-1]
    gradient = system.camera_gradient - (back @ follow[..., -1:])[..., 0]
    return information, gradient, follow[..., :-1], follow[..., -1]


def fit_poses(cloud: Cloud, shared: Shared, poses: Poses, steps: int) -> tuple[Poses, np.ndarray]:
    """Poses of a camera that is known, and their costs (P,), by Levenberg's and Marquardt's steps."""
    damping = np.full(len(cloud.a), FIRST_DAMPING)
    costs = cost(residuals(cloud, shared, poses))
    for _ in range(steps):
        tried = moved(poses, -reduced(linearise(cloud, shared, poses, 0), damping)[3])
        found = better((poses, costs), (tried, cost(residuals(cloud, shared, tried))))
        damping = np.where(found[1] < costs, damping / 5, damping * 8).clip(DAMPING, 1e3)
        poses, costs = found
    return poses, costs


def poses_of(F: np.ndarray, shared: Shared) -> Poses:
    """Poses of the essential matrices nearest to fundamental ones (P, 3, 3), of pixels from the middle."""
    f = np.exp(shared.log_focal)
    E = F * np.outer([f, f, 1], [f, f, 1])
    U, _, Vt = np.linalg.svd(E)
    U, Vt = U * np.sign(np.linalg.det(U))[:, None, None], Vt * np.sign(np.linalg.det(Vt))[:, None, None]
    W = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    return Poses(U @ W @ Vt, U[..., 2])


def turned(cloud: Cloud, shared: Shared) -> list[Poses]:
    """Rotations that map the rays of one frame to those of the other best, each with three translations.

    These are at right angles to one another, the first fits best; pairs that hardly move have minima in several.
    """
    a, b = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (rays(cloud.a, shared), rays(cloud.b, shared)))
    weight = cloud.used[..., None]
    for _ in range(5):
        U, _, Vt = np.linalg.svd((b * weight).swapaxes(-1, -2) @ a)
        U[..., 2] *= np.linalg.det(U @ Vt)[:, None]
        R = U @ Vt
        away = np.linalg.norm(b - a @ R.swapaxes(-1, -2), axis=-1) * cloud.used
        scale = np.maximum((away.sum(-1) / cloud.used.sum(-1))[:, None], 1e-6)
        weight = (cloud.used / (1 + np.square(away / scale)))[..., None]
    normals = np.cross(a @ R.swapaxes(-1, -2), b) * cloud.used[..., None]
    directions = np.linalg.eigh(normals.swapaxes(-1, -2) @ normals)[1]
    return [Poses(R, directions[..., k]) for k in range(3)]


def fit_from_scratch(cloud: Cloud, F: np.ndarray, shared: Shared, steps: int) -> tuple[Poses, np.ndarray]:
    """Poses of a camera that is known, and their costs (P,), the best from several starts, F (P, 3, 3) one of them."""
    starts = [poses_of(F, shared), *turned(cloud, shared)]
    return reduce(better, (fit_poses(cloud, shared, start, steps) for start in starts))


def better(first: tuple[Poses, np.ndarray], second: tuple[Poses, np.ndarray]) -> tuple[Poses, np.ndarray]:
    """Of every pair the poses with the lower cost (P,), and that."""
    wins = second[1] < first[1]
    R, t = (np.where(wins.reshape(-1, *[1] * (x.ndim - 1)), y, x) for x, y in zip(first[0], second[0], strict=True))
    return Poses(R, t), np.where(wins, second[1], first[1])


def fundamental_matrices(cloud: Cloud) -> np.ndarray:
    """The matrices (P, 3, 3) of least algebraic error, of pixels from the middle."""
    scale = float(np.abs(cloud.a).max())
    a, b = (np.concatenate([x / scale, np.ones_like(x[..., :1])], -1) for x in (cloud.a, cloud.b))
    rows = (b[..., :, None] * a[..., None, :]).reshape(*a.shape[:2], 9) * cloud.used[..., None]
    F = np.linalg.eigh(rows.swapaxes(-1, -2) @ rows)[1][..., 0].reshape(-1, 3, 3)
    return F / np.outer([scale, scale, 1], [scale, scale, 1])
