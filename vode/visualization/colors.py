"""Flow, depth and error maps as RGB pictures in 0..1."""

from __future__ import annotations

import math

import torch
from matplotlib import colormaps
from torch import Tensor

# Hues around the wheel of Baker et al. (IJCV 2011): red at angle 0 (to the right, clockwise), and the
# number of steps that each transition takes of the wheel's 55.
_WHEEL = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0))
_STEPS = (0, 15, 6, 4, 11, 13, 6)


def flow_to_color(flow: Tensor, *, max_flow: float | Tensor | None = None) -> Tensor:
    """Colour of flow (..., 2, H, W) in pixels -> (..., 3, H, W): the hue tells direction, the saturation length.

    White is no motion; full saturation is ``max_flow`` pixels, by default the 99th percentile of each image,
    and longer flow is darker. Flow that is not finite is black. The wheel is that of Baker et al., "A database
    and evaluation methodology for optical flow", IJCV 2011.
    """
    known = flow.isfinite().all(dim=-3)
    flow = torch.where(known.unsqueeze(-3), flow, 0.0)
    length = flow.norm(dim=-3)
    if max_flow is None:
        max_flow = _quantiles(length, known, (0.99,))[..., 0, None, None]
    reach = length / torch.as_tensor(max_flow, dtype=flow.dtype, device=flow.device).clamp(min=1e-6)
    hue = _wheel(torch.atan2(flow[..., 1, :, :], flow[..., 0, :, :]))
    inside = (reach <= 1).unsqueeze(-3)
    reach = reach.unsqueeze(-3)
    color = torch.where(inside, 1 - reach.clamp(max=1) * (1 - hue), 0.75 * hue)
    return torch.where(known.unsqueeze(-3), color, 0.0)


def depth_range(depth: Tensor, *, percentiles: tuple[float, float] = (2.0, 98.0)) -> tuple[float, float]:
    """Nearest and farthest depth (m) of a map or several, without the outer percentiles; (1, 80) if all is unknown."""
    known = _known(depth)
    if not known.any():
        return 1.0, 80.0
    shares = (percentiles[0] / 100, percentiles[1] / 100)
    near, far = _quantiles(depth.reshape(1, -1).float(), known.reshape(1, -1), shares)[0].tolist()
    return near, max(far, near * 1.001)


def depth_to_color(depth: Tensor, *, limits: tuple[float, float] | None = None) -> Tensor:
    """Colour of depth (..., 1, H, W) metres -> (..., 3, H, W): near is bright, far dark, unknown (0) black.

    The colour follows the disparity 1 / depth between ``limits`` (near, far), by default ``depth_range``.
    """
    near, far = limits or depth_range(depth)
    known = _known(depth)
    disparity = 1 / torch.where(known, depth.float(), far)
    color = map_color((disparity - 1 / far) / (1 / near - 1 / far), "magma")
    return torch.where(known, color, 0.0)


def error_to_color(error: Tensor, *, limit: float = 0.3, known: Tensor | None = None) -> Tensor:
    """Colour of a relative error (..., 1, H, W) -> (..., 3, H, W): dark blue is 0, yellow ``limit`` and more.

    Where ``known`` (same shape, bool) is false, the picture is black.
    """
    color = map_color(error / limit, "cividis")
    return color if known is None else torch.where(known, color, 0.0)


def map_color(values: Tensor, name: str) -> Tensor:
    """Colours (..., 3, H, W) of ``values`` (..., 1, H, W) in 0..1 (others are clamped) in matplotlib's map ``name``."""
    table = torch.as_tensor(colormaps[name].resampled(256)(range(256))[:, :3], dtype=torch.float32)
    index = (values.nan_to_num().clamp(0, 1) * 255).round().long().squeeze(-3)
    return table.to(values.device)[index].movedim(-1, -3)


def _wheel(angle: Tensor) -> Tensor:
    """Colour (..., 3, H, W) of an angle (..., H, W) in radians, between the wheel's hues."""
    ends = torch.tensor(_STEPS, dtype=angle.dtype, device=angle.device).cumsum(0) / sum(_STEPS)
    colors = torch.tensor(_WHEEL, dtype=angle.dtype, device=angle.device)
    turn = (angle / (2 * math.pi)).remainder(1)
    after = torch.searchsorted(ends, turn.contiguous(), right=True).clamp(1, len(_STEPS) - 1)
    share = (turn - ends[after - 1]) / (ends[after] - ends[after - 1])
    color = torch.lerp(colors[after - 1], colors[after], share.unsqueeze(-1))
    return color.movedim(-1, -3)


def _known(depth: Tensor) -> Tensor:
    return depth.isfinite() & (depth > 0)


def _quantiles(values: Tensor, known: Tensor, shares: tuple[float, ...]) -> Tensor:
    """Quantiles (..., len(shares)) over the known values of each (H, W) or row; 0 where nothing is known."""
    flat, mask = (x.reshape(*x.shape[:-2], -1) if x.ndim > 2 else x.reshape(1, -1) for x in (values, known))
    # torch.quantile stops at 16 million values, and cannot leave the unknown ones out; sorting does both.
    ordered = torch.where(mask, flat, float("inf")).sort(dim=-1).values
    count = mask.sum(dim=-1, keepdim=True)
    at = (torch.tensor(shares, device=values.device) * (count - 1).clamp(min=0)).round().long()
    return torch.where(count > 0, ordered.gather(-1, at), 0.0)
