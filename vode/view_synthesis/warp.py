"""The inverse warp: frames seen from the target's camera, by its depth and their motion (Zhou et al., 2017, eq. 2)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from vode.geometry import warp
from vode.geometry.camera import pixel_grid
from vode.geometry.pose import inverse
from vode.geometry.resize import image_size
from vode.geometry.synthesis import NEAREST, reproject


class Views(NamedTuple):
    """Target frames and other frames of the same scene, of one camera and one size."""

    target: Tensor
    """(B, 3, h, w) in 0..1"""
    sources: Tensor
    """(B, S, 3, h, w)"""
    T_s_t: Tensor
    """(B, S, 4, 4), from the target to each source"""
    intrinsics: Tensor
    """(B, 3, 3) pixels"""
    still: Tensor | None = None
    """(B, S, 1, h, w): photometric errors of the sources as they are, where they are known already"""

    def reversed(self) -> Views:
        """Each source as a target, with the target as its only source: B S of them."""
        count = self.sources.shape[1]
        return Views(
            self.sources.flatten(0, 1),
            self.target.repeat_interleave(count, 0)[:, None],
            inverse(self.T_s_t).flatten(0, 1)[:, None],
            self.intrinsics.repeat_interleave(count, 0),
        )


class Warped(NamedTuple):
    """Where the sources show the pixels of the target."""

    pixels: Tensor
    """(B, S, 2, h, w) in the sources"""
    depth: Tensor
    """(B, S, 1, h, w): that of the target's points in the sources' cameras"""
    seen: Tensor
    """bool (B, S, 1, h, w): in front of the source's camera and inside its image"""

    def sample(self, maps: Tensor) -> Tensor:
        """Values of the sources' maps (B, S, C, h, w) at the target's pixels; beyond the border those of the border."""
        found = warp.sample(maps.flatten(0, 1), self.pixels.flatten(0, 1))
        return found.unflatten(0, maps.shape[:2])

    @property
    def flow(self) -> Tensor:
        """Rigid flow (B, S, 2, h, w) in pixels from the target to the sources."""
        size = image_size(self.pixels)
        return self.pixels - pixel_grid(*size, device=self.pixels.device, dtype=self.pixels.dtype)


def inverse_warp(depth: Tensor, T_s_t: Tensor, intrinsics: Tensor) -> Warped:
    """Where sources at T_s_t (B, S, 4, 4) show the points of the target's ``depth`` (B, 1, h, w), in one unit.

    intrinsics (B, 3, 3). Gradients reach depth and motion.
    """
    batch, count = T_s_t.shape[:2]
    cameras = intrinsics.repeat_interleave(count, 0)
    pixels, z = reproject(depth.repeat_interleave(count, 0), cameras, T_s_t.flatten(0, 1), cameras)
    seen = warp.inside(pixels.detach(), image_size(depth)) & (z.detach() > NEAREST)
    pixels, z, seen = (x.unflatten(0, (batch, count)) for x in (pixels, z, seen))
    return Warped(pixels, z, seen)
