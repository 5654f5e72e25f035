"""A sliding window over the last keyframes, whose poses are refined together on the points tracked through them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from vode.geometry.camera import project, rays
from vode.geometry.matches import Matches
from vode.geometry.pose import from_rotation_translation, inverse
from vode.geometry.triangulation import MIN_PARALLAX, midpoint
from vode.odometry.bundle_adjustment import NEAREST, Problem, bundle_adjust
from vode.odometry.options import WindowOptions

LOST = 0.5
"""fraction of the points, below which a frame that still sees so few becomes a keyframe"""


class Window:
    """The last keyframes, the newest frame, and the points that they see; on the processor, in float64."""

    def __init__(self, intrinsics: Tensor, options: WindowOptions) -> None:
        self.options, self.intrinsics = options, intrinsics.detach().double().cpu()
        self.frames: list[int] = []
        self._followed = torch.zeros(0, dtype=torch.int64)

    def start(self, frame: int, T_world_cam: Tensor) -> None:
        """A window of one frame."""
        self.frames = [frame]
        empty = torch.zeros(1, 0, dtype=torch.float64)
        none = torch.zeros(0, dtype=torch.int64)
        T_cam_world = inverse(T_world_cam)[None]
        pixels, motions = empty[..., None].expand(1, 0, 2), T_cam_world[:0]
        self._problem = Problem(T_cam_world, pixels, empty > 0, none, empty[0], motions, empty[0])
        self._followed = none

    def tracked(self) -> Tensor:
        """Points (1, M, 2) of the newest frame that are to be found in the next one."""
        return self._problem.pixels[-1:, self._followed]

    def poses(self) -> dict[int, Tensor]:
        """World-from-camera poses of the frames."""
        return dict(zip(self.frames, inverse(self._problem.T_cam_world), strict=True))

    def depth(self) -> Tensor:
        """Depth (1, M) in the newest frame of the points of ``tracked``."""
        p, follow = self._problem, self._followed
        anchor = p.anchor[follow]
        local = rays(p.pixels[anchor, follow][None], self.intrinsics[None])[0] / p.inverse_depth[follow, None]
        move = p.T_cam_world[-1] @ inverse(p.T_cam_world)[anchor]
        return ((move[:, 2, :3] * local).sum(-1) + move[:, 2, 3]).clamp(min=0)[None]

    def rescale(self, factor: float, shift: Tensor) -> None:
        """The world's points x become ``factor`` x + ``shift``."""
        p = self._problem
        T_world_cam = inverse(p.T_cam_world)
        T_world_cam = from_rotation_translation(T_world_cam[:, :3, :3], factor * T_world_cam[:, :3, 3] + shift)
        motions = from_rotation_translation(p.motions[:, :3, :3], factor * p.motions[:, :3, 3])
        self._problem = replace(
            p,
            T_cam_world=inverse(T_world_cam),
            inverse_depth=p.inverse_depth / factor,
            motions=motions,
            deviations=p.deviations * factor,
        )

    def add(self, frame: int, T_b_a: Tensor, deviation: float, found: Matches, explained: Tensor) -> None:
        """A frame b by its measured motion from the newest one, a; then all are refined.

        ``deviation`` is that of the translation, relative to its length. ``found`` are matches (1, N) of a and b,
        the carried points first, of which the motion explains some, ``explained`` (1, N).
        """
        a, b, good = (x[0].detach().cpu() for x in (found.points_a, found.points_b, explained))
        a, b, T_b_a = a.double(), b.double(), T_b_a.double().cpu()
        tracked = len(self._followed)
        keyframe = self._is_keyframe(good[:tracked])
        points = midpoint(a[None], b[None], self.intrinsics[None], T_b_a[None])
        # rays that cannot be told from parallel ones meet at the distance of the least parallax
        far = (T_b_a[:3, 3].norm() / MIN_PARALLAX).clamp(min=NEAREST)
        depth = torch.where(points.valid[0], points.depth_a[0], far)
        fresh = tracked + good[tracked:].nonzero()[:, 0]
        room = self.options.tracks - int(good[:tracked].sum()) if keyframe else 0
        fresh = fresh[torch.linspace(0, max(len(fresh) - 1, 0), min(max(room, 0), len(fresh))).long()]
        self._append(frame, T_b_a, max(deviation, self.options.deviation), b[:tracked], good[:tracked])
        self._begin_tracks(a[fresh], b[fresh], depth[fresh])
        if not keyframe:
            self._leave(len(self.frames) - 2)
        while len(self.frames) > self.options.frames:
            self._leave(0)
        if len(self.frames) > 2:
            self._problem = bundle_adjust(self._problem, self.intrinsics, self.options.bundle_adjustment, fixed=2)

    def _is_keyframe(self, good: Tensor) -> bool:
        """Whether the newest frame, a, is to stay: it moved away from the last keyframe, or points get lost."""
        if len(self.frames) < 2 or good.sum() < LOST * self.options.tracks:
            return True
        p = self._problem
        both = self._followed[(p.seen[-1] & p.seen[-2])[self._followed]]
        rotation = p.T_cam_world[-1, :3, :3] @ p.T_cam_world[-2, :3, :3].T
        turned = rays(p.pixels[-2, both][None], self.intrinsics[None]) @ rotation.T
        away = (project(turned, self.intrinsics[None])[0][0] - p.pixels[-1, both]).norm(dim=-1)
        return len(both) == 0 or bool(away.median() > self.options.parallax)

    def _append(self, frame: int, T_b_a: Tensor, deviation: float, b: Tensor, good: Tensor) -> None:
        """The newest frame, with where the points that are followed are in it."""
        p, follow = self._problem, self._followed
        pixels, seen = torch.zeros_like(p.pixels[-1]), torch.zeros_like(p.seen[-1])
        pixels[follow], seen[follow] = b, good
        self._problem = replace(
            p,
            T_cam_world=torch.cat([p.T_cam_world, (T_b_a @ p.T_cam_world[-1])[None]]),
            pixels=torch.cat([p.pixels, pixels[None]]),
            seen=torch.cat([p.seen, seen[None]]),
            motions=torch.cat([p.motions, T_b_a[None]]),
            deviations=torch.cat([p.deviations, deviation * T_b_a[None, :3, 3].norm(dim=-1).clamp(min=1e-6)]),
        )
        self.frames = [*self.frames, frame]
        self._followed = follow[good]

    def _begin_tracks(self, a: Tensor, b: Tensor, depth: Tensor) -> None:
        """Points (M, 2) that are seen for the first time, in the last two frames, at depth (M,) in a."""
        p, count = self._problem, len(a)
        unseen = torch.zeros(len(self.frames) - 2, count, 2, dtype=torch.float64)
        both = torch.ones(2, count, dtype=torch.bool)
        self._followed = torch.cat([self._followed, len(p.anchor) + torch.arange(count)])
        self._problem = replace(
            p,
            pixels=torch.cat([p.pixels, torch.cat([unseen, torch.stack([a, b])])], 1),
            seen=torch.cat([p.seen, torch.cat([unseen[..., 0] > 0, both])], 1),
            anchor=torch.cat([p.anchor, p.anchor.new_full((count,), len(self.frames) - 2)]),
            inverse_depth=torch.cat([p.inverse_depth, 1 / depth]),
        )

    def _leave(self, gone: int) -> None:
        """Take a frame out: its points get the first other frame that sees them, or go too."""
        p = self._problem
        points = torch.arange(len(p.anchor))
        local = rays(p.pixels[p.anchor, points][None], self.intrinsics[None])[0] / p.inverse_depth[:, None]
        stay = torch.arange(len(self.frames)) != gone
        seen = p.seen[stay]
        anchor = torch.where(p.anchor == gone, seen.int().argmax(0), p.anchor - (p.anchor > gone).long())
        T_cam_world = p.T_cam_world[stay]
        move = T_cam_world[anchor] @ inverse(p.T_cam_world)[p.anchor]
        depth = (move[:, 2, :3] * local).sum(-1) + move[:, 2, 3]
        keep = (seen.sum(0) > 1) & (depth > NEAREST)
        number = keep.long().cumsum(0) - 1
        self._followed = number[self._followed[keep[self._followed]]]
        self.frames = [frame for k, frame in enumerate(self.frames) if k != gone]
        motions, deviations = _without(p.motions, p.deviations, gone)
        self._problem = Problem(
            T_cam_world, p.pixels[stay][:, keep], seen[:, keep], anchor[keep], 1 / depth[keep], motions, deviations
        )


def _without(motions: Tensor, deviations: Tensor, gone: int) -> tuple[Tensor, Tensor]:
    """Motions between neighbours, and their deviations, when a frame is taken out: the two about it become one."""
    if 0 < gone < len(motions):
        through = (motions[gone] @ motions[gone - 1])[None]
        both = deviations[gone - 1 : gone + 1].square().sum().sqrt()[None]
        motions = torch.cat([motions[: gone - 1], through, motions[gone + 1 :]])
        return motions, torch.cat([deviations[: gone - 1], both, deviations[gone + 1 :]])
    kept = torch.arange(len(motions)) != max(gone - 1, 0)
    return motions[kept], deviations[kept]
