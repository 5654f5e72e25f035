"""What surfaces look like: noise that is fixed to them and patterns, both filtered to the size of a pixel.

Every pixel is a small ellipse on its surface. Noise has octaves down to two pixels, wherever it is seen from, and none
finer; patterns are averaged over the ellipse. So nothing aliases, and nothing is without detail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.world.materials import Pattern

CELLS = 64
"""cells along each side of the block of noise, which repeats"""
OCTAVES = 3
"""that follow the size of a pixel"""
STAINS = (0.9, 3.7)
"""metres: cells of the noise that does not follow the pixel"""
TAPS = 3
"""samples along the ellipse of a pixel that sees a surface at a grazing angle"""
CONTRAST = 1.5
"""what the mean of these samples is multiplied by, as it varies less than one"""


class Places(NamedTuple):
    """Where on surfaces pixels look, each (N, ...)."""

    point: Tensor
    """(N, 3) metres, in axes fixed to the body"""
    uv: Tensor
    """(N, 2) metres"""
    minor: Tensor
    """(N, 3) metres: short half axis of the pixel's ellipse, times two"""
    major: Tensor
    """(N, 3) metres: the long one"""
    foot: Tensor
    """(N, 2) metres: extent of the pixel in u and v"""


class Noise:
    """Smooth random numbers in space, of mean 0 within about -1..1, which repeat every ``CELLS`` cells."""

    def __init__(self, seed: int = 0, device: torch.device | str | None = None) -> None:
        generator = torch.Generator().manual_seed(seed)
        cells = torch.rand(1, 1, CELLS, CELLS, CELLS, generator=generator) * 2 - 1
        self._cells = F.pad(cells, (0, 1, 0, 1, 0, 1), mode="circular").to(device)

    def at(self, cell: Tensor) -> Tensor:
        """Values (...) at places (..., 3) given in cells."""
        wrapped = torch.remainder(cell, CELLS) * (2 / CELLS) - 1
        found = F.grid_sample(self._cells, wrapped.view(1, 1, 1, -1, 3), "bilinear", "border", align_corners=True)
        return found.view(cell.shape[:-1])

    def octaves(self, point: Tensor, size: Tensor, count: int) -> Tensor:
        """``count`` octaves of cells from two pixels of ``size`` (N,) metres upwards, continuous in the size: (N,)."""
        finest = (2 * size.clamp(min=1e-5)).log2()
        first = finest.floor() + 1
        fade = first - finest
        level = first + torch.arange(count, device=point.device).view(-1, 1)
        # octaves differ by a shift, so that their cells do not line up
        cell = point / level.exp2().unsqueeze(-1) + level.unsqueeze(-1) * point.new_tensor([17.3, 5.9, 29.1])
        values = self.at(cell)
        values[0] *= fade
        values[-1] *= 1 - fade
        return values.sum(0)

    def stains(self, point: Tensor, size: Tensor) -> Tensor:
        """Noise of fixed cells, each faded out before it reaches two pixels: (N,)."""
        total = torch.zeros_like(size)
        for cell in STAINS:
            total = total + 0.6 * self.at(point / cell + 11.7) * (cell / (2 * size) - 1).clamp(0, 1)
        return total


def roughness(places: Places, noise: Noise) -> Tensor:
    """Irregularity of the surface (N,), about -1..1, the mean of several samples where a pixel's ellipse is long."""
    short, long = places.minor.norm(dim=-1), places.major.norm(dim=-1)
    value = noise.stains(places.point, long)
    grazing = long > 2 * short
    some = (~grazing).nonzero()[:, 0]
    value[some] += noise.octaves(places.point[some], short[some], OCTAVES)
    some = grazing.nonzero()[:, 0]
    steps = (torch.arange(TAPS, device=short.device) + 0.5) / TAPS - 0.5
    spread = places.point[some] + steps.view(-1, 1, 1) * places.major[some]
    size = torch.maximum(short, long / TAPS)[some].expand(TAPS, -1)
    along = noise.octaves(spread.reshape(-1, 3), size.reshape(-1), OCTAVES - 1)
    value[some] += along.view(TAPS, -1).mean(0) * CONTRAST
    return value


def pulses(x: Tensor, period: Tensor | float, width: Tensor | float, foot: Tensor) -> Tensor:
    """Fraction of [x - foot/2, x + foot/2] within pulses on [0, width) of every period: a box filter, exact."""
    size = foot.clamp(min=1e-4)

    def integral(y: Tensor) -> Tensor:
        whole = (y / period).floor()
        return whole * width + (y - whole * period).minimum(torch.as_tensor(width, dtype=y.dtype, device=y.device))

    # measured from the beginning of its period, the difference is exact far from the origin too
    start = torch.remainder(x - size / 2, period)
    return ((integral(start + size) - integral(start)) / size).clamp(0, 1)


def random_of(*cells: Tensor) -> Tensor:
    """A number in 0..1 for each cell of whole numbers."""
    mixed = sum((cell * factor for cell, factor in zip(cells, (12.9898, 78.233), strict=False)), torch.zeros(()))
    return torch.remainder((mixed.sin() * 43758.5453), 1.0)


class Drawn(NamedTuple):
    """What a pattern does to a surface, each (N,)."""

    second: Tensor
    """coverage by the second colour, 0..1"""
    shade: Tensor
    """factor of brightness"""
    gloss: Tensor
    """gloss that it adds"""


def draw(pattern: Pattern, places: Places, pitch: Tensor, noise: Noise) -> Drawn:
    """A pattern of ``pitch`` (N, 2) at ``places``."""
    return _DRAWN[pattern](places, pitch, noise)


def _cells(places: Places, pitch: Tensor, strength: float) -> Tensor:
    """A shade for each cell of the pattern, lost where cells are smaller than two pixels."""
    cell = (places.uv / pitch).floor()
    fade = (pitch / places.foot.clamp(min=1e-5) / 2 - 1).clamp(0, 1).amin(-1)
    return 1 + strength * (random_of(cell[:, 0], cell[:, 1]) - 0.5) * fade


def _windows(places: Places, pitch: Tensor, noise: Noise) -> Drawn:
    (u, v), (foot_u, foot_v), (pitch_u, pitch_v) = places.uv.T, places.foot.T, pitch.T
    across = pulses(u - 0.24 * pitch_u, pitch_u, 0.52 * pitch_u, foot_u)
    pane = across * pulses(v - 0.3 * pitch_v, pitch_v, 0.5 * pitch_v, foot_v)
    bar = pulses(u - 0.48 * pitch_u, pitch_u, 0.04 * pitch_u, foot_u)
    pane = pane * (1 - bar)
    return Drawn(pane, 1 + pane * (_cells(places, pitch, 1.2) - 1), 0.5 * pane)


def _bricks(places: Places, pitch: Tensor, noise: Noise) -> Drawn:
    (u, v), (foot_u, foot_v), (pitch_u, pitch_v) = places.uv.T, places.foot.T, pitch.T
    course = (v / pitch_v).floor()
    shifted = u + torch.remainder(course, 2) * pitch_u / 2
    flat = pulses(v, pitch_v, 0.14 * pitch_v, foot_v)
    upright = pulses(shifted, pitch_u, 0.06 * pitch_u, foot_u)
    moved = places._replace(uv=torch.stack([shifted, v], -1))
    return Drawn(flat + upright * (1 - flat), _cells(moved, pitch, 0.5), torch.zeros_like(u))


def _tiles(places: Places, pitch: Tensor, noise: Noise) -> Drawn:
    lines = [pulses(places.uv[:, k], pitch[:, k], 0.04 * pitch[:, k], places.foot[:, k]) for k in (0, 1)]
    return Drawn(lines[0] + lines[1] * (1 - lines[0]), _cells(places, pitch, 0.15), torch.zeros_like(lines[0]))


def _planks(places: Places, pitch: Tensor, noise: Noise) -> Drawn:
    (u, v), foot, width = places.uv.T, places.foot[:, 0], pitch[:, 0]
    board = (u / width).floor()
    fade = (width / foot.clamp(min=1e-5) / 2 - 1).clamp(0, 1)
    # grain: noise drawn out along the board
    grain_at = torch.stack([u / 0.01, v / 0.25, board * 7.7], -1)
    grain = noise.at(grain_at) * (0.02 / foot.clamp(min=1e-5) - 1).clamp(0, 1)
    shade = 1 + (0.5 * (random_of(board, board * 0) - 0.5) * fade) + 0.12 * grain
    return Drawn(pulses(u, width, 0.04 * width, foot), shade, torch.zeros_like(u))


def _stripes(places: Places, pitch: Tensor, noise: Noise) -> Drawn:
    u, foot, width = places.uv[:, 0], places.foot[:, 0], pitch[:, 0]
    return Drawn(pulses(u, 2 * width, width, foot), torch.ones_like(u), torch.zeros_like(u))


def _checks(places: Places, pitch: Tensor, noise: Noise) -> Drawn:
    one, two = (pulses(places.uv[:, k], 2 * pitch[:, k], pitch[:, k], places.foot[:, k]) for k in (0, 1))
    return Drawn(one + two - 2 * one * two, torch.ones_like(one), torch.zeros_like(one))


def _road(places: Places, pitch: Tensor, noise: Noise) -> Drawn:
    (u, v), (foot_u, foot_v), (lane, half) = places.uv.T, places.foot.T, pitch.T
    inside = u.abs() < half - 0.4
    dashes = pulses(u + 0.07, lane, 0.14, foot_u) * pulses(v, 9.0, 3.6, foot_v) * inside
    edges = pulses(u.abs() - (half - 0.35), 100.0, 0.14, foot_u)
    # wheels polish two tracks of every lane
    tracks = pulses(u - 0.22 * lane, lane / 2, 0.14 * lane, foot_u + 0.4)
    return Drawn(torch.maximum(dashes, edges), 1 - 0.12 * tracks, torch.zeros_like(u))


def _parking(places: Places, pitch: Tensor, noise: Noise) -> Drawn:
    lines = [pulses(places.uv[:, k] + 0.05, pitch[:, k], 0.1, places.foot[:, k]) for k in (0, 1)]
    return Drawn(torch.maximum(lines[0], lines[1]), torch.ones_like(lines[0]), torch.zeros_like(lines[0]))


def _spots(places: Places, pitch: Tensor, noise: Noise) -> Drawn:
    size, foot = pitch[:, 0], places.foot.amax(-1)
    value = noise.at(places.point / size[:, None]) + 0.5 * noise.at(2.1 * places.point / size[:, None] + 3.3)
    fade = (size / foot.clamp(min=1e-5) / 2 - 1).clamp(0, 1)
    return Drawn((0.5 + 4 * value * fade).clamp(0, 1), torch.ones_like(foot), torch.zeros_like(foot))


def _leaves(places: Places, pitch: Tensor, noise: Noise) -> Drawn:
    size, foot = pitch[:, 0], places.minor.norm(dim=-1)
    clump = noise.at(places.point / size[:, None]) * (size / foot.clamp(min=1e-5) / 2 - 1).clamp(0, 1)
    fine = noise.octaves(places.point, foot, OCTAVES)
    return Drawn(
        (0.4 + 0.7 * clump).clamp(0, 1), (1 + 0.45 * clump + 0.45 * fine).clamp(0.15, 2), torch.zeros_like(foot)
    )


_DRAWN: dict[Pattern, Callable[[Places, Tensor, Noise], Drawn]] = {
    Pattern.WINDOWS: _windows,
    Pattern.BRICKS: _bricks,
    Pattern.TILES: _tiles,
    Pattern.PLANKS: _planks,
    Pattern.STRIPES: _stripes,
    Pattern.CHECKS: _checks,
    Pattern.SPOTS: _spots,
    Pattern.LEAVES: _leaves,
    Pattern.ROAD: _road,
    Pattern.PARKING: _parking,
}
