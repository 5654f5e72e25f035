"""Accuracy and time of the two-view solvers on exact scenes with noise and outliers, one pair at a time.

python benchmarks/two_view.py [--draws 20]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from report import machine, table
from torch import Tensor

from vode.geometry.camera import project, rays
from vode.geometry.pose import rotation_angle, so3_exp
from vode.geometry.two_view import BACKENDS, TwoViewOptions, relative_pose

SIZE = (376, 1241)
K = torch.tensor([[718.856, 0, 607.1928], [0, 718.856, 185.2157], [0, 0, 1]], dtype=torch.float64)
COUNT = 6000
DEPTH = (4.0, 60.0)
TURN = 0.02
REACH = 40.0
THRESHOLD = 1.0
REFERENCE = "opencv F"
HEADINGS = ("condition", "backend", "rotation (deg)", "direction (deg)", "worst direction (deg)", "ms")
DIGITS = (4, 3, 3, 0)


@dataclass(frozen=True)
class Condition:
    """Points 4 to 60 m away all over an image of KITTI's size; the camera turns by 0.02 rad about any axis."""

    name: str
    outliers: float = 0.3
    """share that is off by up to 40 px in x and y"""
    noise: float = 0.5
    """pixels, in the second image"""
    direction: tuple[float, float, float] = (0.05, 0.0, -1.0)
    baseline: float = 1.0
    """metres"""


CONDITIONS = (
    Condition("forward, 30 % outliers"),
    Condition("50 % outliers", outliers=0.5),
    Condition("70 % outliers", outliers=0.7),
    Condition("sideways", direction=(1.0, 0.0, -0.05)),
    Condition("0.1 m", baseline=0.1),
    Condition("1 px noise", noise=1.0),
)


def scene(seed: int, condition: Condition) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels a and b (1, N, 2) and the true T_b_a (4, 4)."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    T_b_a = torch.eye(4, dtype=torch.float64)
    axis = normal(3)
    T_b_a[:3, :3] = so3_exp(TURN * axis / axis.norm())
    way = torch.tensor(condition.direction) + 0.05 * normal(3)
    T_b_a[:3, 3] = condition.baseline * way / way.norm()
    a = uniform(COUNT, 2) * torch.tensor([SIZE[1] - 1.0, SIZE[0] - 1.0])
    points = rays(a, K) * (DEPTH[0] + (DEPTH[1] - DEPTH[0]) * uniform(COUNT, 1))
    b = project(points @ T_b_a[:3, :3].T + T_b_a[:3, 3], K)[0] + condition.noise * normal(COUNT, 2)
    wrong = uniform(COUNT, 1) < condition.outliers
    b = torch.where(wrong, b + REACH * (2 * uniform(COUNT, 2) - 1), b)
    return a[None], b[None], T_b_a


def by_fundamental(a: Tensor, b: Tensor) -> Tensor:
    """The usual way of flow-based trackers: OpenCV's 8-point RANSAC, then E = K^T F K."""
    cv2.setRNGSeed(0)
    camera, pixels_a, pixels_b = K.numpy(), a[0].numpy(), b[0].numpy()
    F, mask = cv2.findFundamentalMat(pixels_a, pixels_b, cv2.FM_RANSAC, THRESHOLD, 0.99)
    T_b_a = np.eye(4)
    if F is not None and F.shape == (3, 3):
        _, rotation, translation, _ = cv2.recoverPose(camera.T @ F @ camera, pixels_a, pixels_b, camera, mask=mask)
        T_b_a[:3, :3], T_b_a[:3, 3] = rotation, translation[:, 0]
    return torch.from_numpy(T_b_a)


def solver(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    if name == REFERENCE:
        return by_fundamental
    return lambda a, b: relative_pose(a, b, K[None], threshold=THRESHOLD, options=TwoViewOptions(backend=name)).T_b_a[0]


def errors(T_b_a: Tensor, ground_truth: Tensor) -> tuple[float, float]:
    """Of rotation and direction of translation, degrees; a motion without a direction is wrong by 180."""
    turned = rotation_angle(T_b_a[:3, :3].T @ ground_truth[:3, :3])
    t, s = T_b_a[:3, 3], ground_truth[:3, 3]
    way = torch.atan2(torch.linalg.cross(t, s).norm(), t @ s) if t.any() else torch.tensor(torch.pi)
    return float(turned.rad2deg()), float(way.rad2deg())


def measure(condition: Condition, solve: Callable[[Tensor, Tensor], Tensor], draws: int) -> list[float]:
    """Median rotation and direction error, worst direction error, median milliseconds."""
    rows = []
    for seed in range(draws):
        a, b, ground_truth = scene(seed, condition)
        start = time.perf_counter()
        T_b_a = solve(a, b)
        took = 1e3 * (time.perf_counter() - start)
        rows.append([*errors(T_b_a, ground_truth), took])
    values = np.array(rows)
    middle = np.median(values, 0)
    return [middle[0], middle[1], values[:, 1].max(), middle[2]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found = {}
    for name in (*BACKENDS, REFERENCE):
        measure(CONDITIONS[0], solver(name), 2)
        for condition in CONDITIONS:
            found[condition.name, name] = measure(condition, solver(name), options.draws)
    print(f"{options.draws} draws; {machine('opencv-python-headless', 'poselib')}\n")
    rows = [
        (
            condition.name,
            name,
            *(f"{value:.{digits}f}" for value, digits in zip(found[condition.name, name], DIGITS, strict=True)),
        )
        for condition in CONDITIONS
        for name in (*BACKENDS, REFERENCE)
    ]
    print(table(HEADINGS, rows))


if __name__ == "__main__":
    main()
