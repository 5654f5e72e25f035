"""Flow, depth and error maps as RGB images in 0..1."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# Hues around the wheel of Baker et al. (IJCV 2011), red at angle 0 (to the right, clockwise), and how many
# of the wheel's 55 steps each transition takes.
_WHEEL = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0))
_STEPS = (0, 15, 6, 4, 11, 13, 6)


def flow_to_color(flow: Tensor, *, max_flow: float | Tensor | None = None) -> Tensor:
    """Colour of flow (..., 2, H, W) in pixels -> (..., 3, H, W): hue is direction, saturation is length.

    White is no motion; full saturation is ``max_flow`` pixels, by default the 99th percentile of each image;
    longer flow is darker. Non-finite flow is black. The wheel is that of Baker et al., "A
    database and evaluation methodology for optical flow", IJCV 2011.
    """
    if max_flow is None:
        max_flow = flow_length(flow)[..., None, None]
    known = flow.isfinite().all(dim=-3)
    flow = torch.where(known.unsqueeze(-3), flow, 0.0)
    reach = flow.norm(dim=-3) / torch.as_tensor(max_flow, dtype=flow.dtype, device=flow.device).clamp(min=1e-6)
    hue = _wheel(torch.atan2(flow[..., 1, :, :], flow[..., 0, :, :]))
    inside = (reach <= 1).unsqueeze(-3)
    reach = reach.unsqueeze(-3)
    color = torch.where(inside, 1 - reach.clamp(max=1) * (1 - hue), 0.75 * hue)
    return torch.where(known.unsqueeze(-3), color, 0.0)


def color_wheel(side: int) -> Tensor:
    """The legend of ``flow_to_color``: (3, side, side), the colour of the flow from the centre to each pixel."""
    place = torch.linspace(-1, 1, side)
    flow = torch.stack(torch.meshgrid(place, place, indexing="xy"))
    return torch.where(flow.norm(dim=0) <= 1, flow_to_color(flow, max_flow=1.0), 1.0)


def flow_length(flow: Tensor, *, percentile: float = 99.0) -> Tensor:
    """Percentile (...) of the length in pixels of the finite flow of (..., 2, H, W)."""
    length = flow.norm(dim=-3).flatten(-2)
    return _quantiles(length, length.isfinite(), (percentile / 100,))[..., 0]


def depth_range(depth: Tensor, *, percentiles: tuple[float, float] = (2.0, 98.0)) -> tuple[float, float]:
    """Range of the known depths (m) between two percentiles; (1, 80) if none is known."""
    known = _known(depth)
    if not known.any():
        return 1.0, 80.0
    fractions = (percentiles[0] / 100, percentiles[1] / 100)
    near, far = _quantiles(depth.flatten().float(), known.flatten(), fractions).tolist()
    return near, max(far, near * 1.001)


def depth_to_color(depth: Tensor, *, limits: tuple[float, float] | None = None) -> Tensor:
    """Colour of depth (..., 1, H, W) metres -> (..., 3, H, W): near is bright, far dark, unknown (0) black.

    The colour follows the disparity 1 / depth between ``limits`` (near, far), by default ``depth_range``.
    """
    near, far = limits or depth_range(depth)
    known = _known(depth)
    disparity = 1 / torch.where(known, depth.float(), far)
    fraction = ((disparity - 1 / far) / (1 / near - 1 / far)).clamp(0, 1)
    # The colour map starts at black, which is reserved for unknown depth.
    color = map_color(0.12 + 0.88 * fraction, "magma")
    return torch.where(known, color, 0.0)


def error_to_color(error: Tensor, *, limit: float = 0.3, known: Tensor | None = None) -> Tensor:
    """Colour of a relative error (..., 1, H, W) -> (..., 3, H, W): dark blue is 0, yellow is ``limit`` or more.

    Black where ``known`` (same shape, bool) is False.
    """
    color = map_color(error / limit, "cividis")
    return color if known is None else torch.where(known, color, 0.0)


def map_color(values: Tensor, name: str) -> Tensor:
    """Colours (..., 3, H, W) of ``values`` (..., 1, H, W), clamped to 0..1, by matplotlib's colour map ``name``."""
    # a fifth of a second that nothing without colours has to wait for
    from matplotlib import colormaps

    table = torch.as_tensor(colormaps[name].resampled(256)(range(256))[:, :3], dtype=torch.float32)
    index = (values.nan_to_num().clamp(0, 1) * 255).round().long().squeeze(-3)
    return table.to(values.device)[index].movedim(-1, -3)


def _wheel(angle: Tensor) -> Tensor:
    """Colour (..., 3, H, W) of an angle (..., H, W) in radians, interpolated between the wheel's hues."""
    ends = torch.tensor(_STEPS, dtype=angle.dtype, device=angle.device).cumsum(0) / sum(_STEPS)
    colors = torch.tensor(_WHEEL, dtype=angle.dtype, device=angle.device)
    turn = (angle / (2 * math.pi)).remainder(1)
    after = torch.searchsorted(ends, turn.contiguous(), right=True).clamp(1, len(_STEPS) - 1)
    fraction = (turn - ends[after - 1]) / (ends[after] - ends[after - 1])
    color = torch.lerp(colors[after - 1], colors[after], fraction.unsqueeze(-1))
    return color.movedim(-1, -3)


def _known(depth: Tensor) -> Tensor:
    return depth.isfinite() & (depth > 0)


def _quantiles(values: Tensor, known: Tensor, fractions: tuple[float, ...]) -> Tensor:
    """Quantiles (..., len(fractions)) over the known values (..., N); 0 where nothing is known."""
    # torch.quantile is limited to 16 million values and cannot skip the unknown ones.
    ordered = torch.where(known, values, float("inf")).sort(dim=-1).values
    count = known.sum(dim=-1, keepdim=True)
    rank = (torch.tensor(fractions, device=values.device) * (count - 1).clamp(min=0)).round().long()
    return torch.where(count > 0, ordered.gather(-1, rank), 0.0)
