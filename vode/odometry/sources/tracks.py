"""Points that the tracker triangulates from its own motion, so that tracks carry the scale where there is no depth.

Each point is where the rays that have seen it pass nearest to one another, the latest with the most weight: the
midpoint of its rays, of which two 3x3 sums are kept, whatever the number of frames (Szeliski, Computer Vision, 2nd ed.,
section 11.2.4).
"""

from __future__ import annotations

import torch
from torch import Tensor

from vode.geometry.camera import rays, transform
from vode.geometry.matches import Matches
from vode.geometry.pose import inverse
from vode.odometry.frame_motion import Evidence, FrameMotion
from vode.odometry.options import TrackerOptions
from vode.odometry.result import Method, Reason

TRUSTED = 0.1
"""largest relative standard deviation of a depth that is used"""
LOST = 0.5
"""fraction of the correspondences, of the most that a frame has with the view, below which the view is nearly lost"""
KEPT = 0.95
"""what remains of older rays with each view: tracks slide along surfaces, so that the latest say more of a point"""
FRACTION = 0.6
"""of the correspondences that may be tracked points"""


class TrackedPoints:
    """Points seen since earlier frames, where the newest view sees them, and their depth; on the processor."""

    def __init__(self, intrinsics: Tensor, options: TrackerOptions) -> None:
        """Intrinsics (3, 3) of the images, pixels."""
        self._intrinsics = intrinsics.detach().double().cpu()
        self._most = int(FRACTION * options.count)
        self._focal = float(self._intrinsics.diagonal()[:2].prod().sqrt())
        self._pixels = torch.zeros(0, 2, dtype=torch.float64)
        self._normal, self._offset = torch.zeros(0, 3, 3, dtype=torch.float64), torch.zeros(0, 3, dtype=torch.float64)
        self._rays, self._variance = torch.zeros(2, 0, dtype=torch.float64)
        self._evidence: tuple[Evidence, int] | None = None
        self.started = False
        """whether a first baseline has set the unit"""
        self._speed = 1.0

    def after(self, others: Tensor | None) -> Tensor:
        """Points (1, M, 2) to find in the next frame: ``others`` (1, L, 2), if any, and then these."""
        own = self._pixels[None]
        return own if others is None else torch.cat([others.to(own), own], 1)

    def depth(self, found: Matches, others: Tensor | None, T_world_cam: Tensor) -> Tensor:
        """Depth (1, N) in the newest view at matches (1, N) that begin with the points of ``after``; 0 = unknown."""
        depth = torch.zeros_like(found.scores)
        start = 0 if others is None else others.shape[1]
        points, known = self._points(T_world_cam)
        depth[0, start : start + len(points)] = torch.where(known, points[:, 2], 0.0).to(depth)
        return depth

    def points(self, T_world_cam: Tensor) -> Tensor:
        """Points (K, 3) whose depth is known, in the axes of the newest view."""
        points, known = self._points(T_world_cam)
        return points[known]

    def scaled(self, motion: FrameMotion, frames: int) -> FrameMotion:
        """A motion over so many frames whose scale nothing tells, as fast as the last one that moved."""
        if motion.reason is not Reason.ASSUMED_SCALE:
            return motion
        T_b_a = motion.T_b_a.clone()
        T_b_a[:3, 3] *= self._speed * frames
        return motion._replace(T_b_a=T_b_a)

    def note(self, evidence: Evidence, others: Tensor | None) -> None:
        """What the next motion is found from, with the points ``others`` (1, L, 2), if any, before these."""
        self._evidence = evidence, 0 if others is None else others.shape[1]

    def advance(self, motion: FrameMotion, frames: int, T_world_a: Tensor, T_world_b: Tensor) -> None:
        """The frame of the motion noted last, over so many frames, becomes the newest view: points seen in it go on,
        others begin."""
        if self._evidence is None:
            return
        evidence, others = self._evidence
        found, explained = evidence.found, evidence.explained
        a, b, good = (x[0].detach().cpu() for x in (found.points_a, found.points_b, explained & (found.scores > 0)))
        a, b = a.double(), b.double()
        last = others + len(self._pixels)
        tracked = good[others:last]
        if motion.method is Method.ESSENTIAL:
            self.started, self._speed = True, float(motion.T_b_a[:3, 3].norm()) / frames
        fresh = last + good[last:].nonzero()[:, 0] if self.started else torch.zeros(0, dtype=torch.int64)
        room = max(self._most - int(tracked.sum()), 0)
        fresh = fresh[torch.linspace(0, max(len(fresh) - 1, 0), min(room, len(fresh))).long()]
        variance = (evidence.noise / self._focal) ** 2
        normal, offset = self._sums(a[fresh], T_world_a, variance)
        self._pixels = torch.cat([b[others:last][tracked], b[fresh]])
        more_normal, more_offset = self._sums(self._pixels, T_world_b, variance)
        self._normal = torch.cat([KEPT * self._normal[tracked], normal]) + more_normal
        self._offset = torch.cat([KEPT * self._offset[tracked], offset]) + more_offset
        one = torch.ones(len(fresh), dtype=torch.float64)
        self._rays = torch.cat([KEPT * self._rays[tracked], one]) + 1
        self._variance = torch.cat([KEPT * self._variance[tracked], variance * one]) + variance
        self._evidence = None

    def rescale(self, factor: float, shift: Tensor) -> None:
        """The world's points x become ``factor`` x + ``shift``."""
        self._offset = factor * self._offset + self._normal @ shift
        self._speed *= factor

    def _sums(self, pixels: Tensor, T_world_cam: Tensor, variance: float) -> tuple[Tensor, Tensor]:
        """What rays through pixels (M, 2) add to the sums of I - r r^T (M, 3, 3), and of that times the centre.

        ``variance`` is that of a ray, radians squared.
        """
        ray = rays(pixels[None], self._intrinsics[None])[0] @ T_world_cam[:3, :3].T
        ray = ray / ray.norm(dim=-1, keepdim=True)
        # the noise of a ray takes twice its variance from its square, and would bring points nearer
        square = (1 + 2 * variance) * ray[:, :, None] * ray[:, None]
        normal = torch.eye(3, dtype=torch.float64) - square
        return normal, normal @ T_world_cam[:3, 3]

    def _points(self, T_world_cam: Tensor) -> tuple[Tensor, Tensor]:
        """All points (M, 3) in the axes of the newest view, and whether each is known (M,)."""
        if not len(self._normal):
            return self._offset, torch.zeros(0, dtype=torch.bool)
        values, vectors = torch.linalg.eigh(self._normal)
        # noise alone spreads rays that are parallel
        least = self._variance * torch.clamp(1 / (TRUSTED**2 * self._rays), min=2)
        local = (vectors.mT @ self._offset[..., None])[..., 0] / values.clamp(min=1e-12)
        points = transform(inverse(T_world_cam), (vectors @ local[..., None])[..., 0])
        return points, (values[:, 0] > least) & (points[:, 2] > 0) & points.isfinite().all(-1)
