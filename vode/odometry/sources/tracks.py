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
NOISE = 0.06
"""pixels: standard deviation of a ray"""
KEPT = 0.95
"""what remains of older rays with each view: tracks slide along surfaces, so that the latest say more of a point"""
FRACTION = 0.6
"""of the correspondences that may be tracked points"""
FAR = 0.1
"""widths of the image that points may have moved on average, until the first baseline must have been found"""


class TrackedPoints:
    """Points seen since earlier frames, where the newest view sees them, and their depth; on the processor."""

    def __init__(self, intrinsics: Tensor, size: tuple[int, int], options: TrackerOptions) -> None:
        """Intrinsics (3, 3) of images of ``size`` (height, width)."""
        self._intrinsics, self._width = intrinsics.detach().double().cpu(), size[1]
        self._most = int(FRACTION * options.count)
        focal = float(self._intrinsics.diagonal()[:2].prod().sqrt())
        self._noise = NOISE / focal
        self._pixels = torch.zeros(0, 2, dtype=torch.float64)
        self._normal, self._offset = torch.zeros(0, 3, 3, dtype=torch.float64), torch.zeros(0, 3, dtype=torch.float64)
        self._rays = torch.zeros(0, dtype=torch.float64)
        self._evidence: tuple[Evidence, int] | None = None
        self.started = False
        """whether a first baseline has set the unit"""
        self._length = 1.0

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

    def scaled(self, motion: FrameMotion) -> FrameMotion:
        """A motion whose scale nothing tells with the length of the last one that moved."""
        if motion.reason is not Reason.ASSUMED_SCALE:
            return motion
        T_b_a = motion.T_b_a.clone()
        T_b_a[:3, 3] *= self._length
        return motion._replace(T_b_a=T_b_a)

    def keeps(self, motion: FrameMotion, evidence: Evidence, others: Tensor | None) -> bool:
        """Note what a motion was found from; False where its frame is too near to the last view to set the unit.

        Then the last view is to stay, until the baseline suffices or the view is nearly lost.
        """
        found, explained = evidence
        self._evidence = evidence, 0 if others is None else others.shape[1]
        if self.started or motion.method in (Method.ESSENTIAL, Method.EXTRAPOLATED):
            return True
        moved = (found.points_b - found.points_a)[explained].norm(dim=-1)
        return len(moved) == 0 or float(moved.median()) > FAR * self._width

    def advance(self, motion: FrameMotion, T_world_a: Tensor, T_world_b: Tensor) -> None:
        """The frame of the motion noted last becomes the newest view: points seen in it go on, others begin."""
        if self._evidence is None:
            return
        (found, explained), others = self._evidence
        a, b, good = (x[0].detach().cpu() for x in (found.points_a, found.points_b, explained & (found.scores > 0)))
        a, b = a.double(), b.double()
        last = others + len(self._pixels)
        tracked = good[others:last]
        if motion.method is Method.ESSENTIAL:
            self.started, self._length = True, float(motion.T_b_a[:3, 3].norm())
        fresh = last + good[last:].nonzero()[:, 0] if self.started else torch.zeros(0, dtype=torch.int64)
        room = max(self._most - int(tracked.sum()), 0)
        fresh = fresh[torch.linspace(0, max(len(fresh) - 1, 0), min(room, len(fresh))).long()]
        normal, offset = self._sums(a[fresh], T_world_a)
        self._pixels = torch.cat([b[others:last][tracked], b[fresh]])
        more_normal, more_offset = self._sums(self._pixels, T_world_b)
        self._normal = torch.cat([KEPT * self._normal[tracked], normal]) + more_normal
        self._offset = torch.cat([KEPT * self._offset[tracked], offset]) + more_offset
        self._rays = torch.cat([KEPT * self._rays[tracked], torch.ones(len(fresh), dtype=torch.float64)]) + 1
        self._evidence = None

    def rescale(self, factor: float, shift: Tensor) -> None:
        """The world's points x become ``factor`` x + ``shift``."""
        self._offset = factor * self._offset + self._normal @ shift
        self._length *= factor

    def _sums(self, pixels: Tensor, T_world_cam: Tensor) -> tuple[Tensor, Tensor]:
        """What rays through pixels (M, 2) add to the sums of I - r r^T (M, 3, 3), and of that times the centre."""
        ray = rays(pixels[None], self._intrinsics[None])[0] @ T_world_cam[:3, :3].T
        ray = ray / ray.norm(dim=-1, keepdim=True)
        # the noise of a ray takes twice its variance from its square, and would bring points nearer
        square = (1 + 2 * self._noise**2) * ray[:, :, None] * ray[:, None]
        normal = torch.eye(3, dtype=torch.float64) - square
        return normal, normal @ T_world_cam[:3, 3]

    def _points(self, T_world_cam: Tensor) -> tuple[Tensor, Tensor]:
        """All points (M, 3) in the axes of the newest view, and whether each is known (M,)."""
        if not len(self._normal):
            return self._offset, torch.zeros(0, dtype=torch.bool)
        values, vectors = torch.linalg.eigh(self._normal)
        # noise alone spreads rays that are parallel
        least = self._noise**2 * (2 * self._rays).clamp(min=1 / TRUSTED**2)
        local = (vectors.mT @ self._offset[..., None])[..., 0] / values.clamp(min=1e-12)
        points = transform(inverse(T_world_cam), (vectors @ local[..., None])[..., 0])
        return points, (values[:, 0] > least) & (points[:, 2] > 0) & points.isfinite().all(-1)
