"""Textures: filtered to the pixel, fixed to the surface."""

import pytest
import torch

from vode.world.materials import Pattern
from vode.world.texture import Noise, Places, draw, pulses, roughness

NOISE = Noise(0)


def places(uv, foot, aspect=1.0):
    """Of a level surface seen with a footprint of ``foot`` metres, ``aspect`` times longer along v."""
    count = len(uv)
    zero = torch.zeros(count)
    point = torch.stack([uv[:, 0], zero, uv[:, 1]], -1)
    minor = torch.tensor([foot, 0.0, 0.0]).expand(count, 3)
    major = torch.tensor([0.0, 0.0, foot * aspect]).expand(count, 3)
    return Places(point, uv, minor, major, torch.tensor([foot, foot * aspect]).expand(count, 2))


@pytest.mark.parametrize(("period", "width"), [(1.0, 0.3), (0.37, 0.1), (4.0, 3.9)])
def test_pulses_are_the_mean_over_the_pixel(period, width):
    generator = torch.Generator().manual_seed(0)
    x = 40 * torch.rand(64, generator=generator, dtype=torch.float64) - 20
    foot = 0.01 + 3 * torch.rand(64, generator=generator, dtype=torch.float64)
    steps = (torch.arange(20000, dtype=torch.float64) + 0.5) / 20000 - 0.5
    inside = torch.remainder(x[:, None] + steps * foot[:, None], period) < width
    assert torch.allclose(pulses(x, period, width, foot), inside.double().mean(1), atol=3e-3)


@pytest.mark.parametrize("foot", [0.002, 0.03, 0.5])
def test_detail_reaches_from_pixel_to_pixel_at_every_distance_and_does_not_alias(foot):
    # neighbouring pixels of a line are a footprint apart
    count = 4000
    line = torch.stack([foot * torch.arange(count).float(), torch.full((count,), 3.3)], -1)
    value = roughness(places(line, foot), NOISE)
    change = value.diff()
    assert 0.1 < value.std() < 0.8
    assert change.std() > 0.15 * value.std(), "no detail"
    # white noise would differ by sqrt(2) standard deviations from pixel to pixel
    assert change.std() < 1.0 * value.std(), "aliased"


def test_noise_is_continuous_in_the_size_of_the_pixel():
    line = torch.rand(500, 2, generator=torch.Generator().manual_seed(1)) * 30
    sizes = torch.logspace(-2, 0, 400).tolist()
    values = torch.stack([roughness(places(line, size), NOISE) for size in sizes])
    assert values.diff(dim=0).abs().max() < 0.15


def test_a_grazing_view_keeps_detail_across_and_averages_along():
    count = 4000
    across = torch.stack([0.02 * torch.arange(count).float(), torch.full((count,), 7.0)], -1)
    value = roughness(places(across, 0.02, aspect=6.0), NOISE)
    assert value.diff().std() > 0.03
    straight = roughness(places(across, 0.12), NOISE)
    assert value.diff().std() > straight.diff().std()


@pytest.mark.parametrize("pattern", [p for p in Pattern if p is not Pattern.PLAIN])
def test_patterns_fade_to_their_mean_and_stay_within_bounds(pattern):
    generator = torch.Generator().manual_seed(2)
    uv = 200 * torch.rand(3000, 2, generator=generator) - 100
    pitch = torch.tensor([[3.5, 4.2]]).expand(3000, 2)
    near, far = (draw(pattern, places(uv, foot), pitch, NOISE) for foot in (0.01, 40.0))
    for drawn in (near, far):
        assert ((drawn.second >= -1e-4) & (drawn.second <= 1 + 1e-4)).all()
        assert drawn.second.isfinite().all()
        assert (drawn.shade > 0).all()
    if pattern is Pattern.ROAD:
        return
    assert far.second.std() < 0.35 * near.second.std() + 0.02
    assert far.second.mean() == pytest.approx(near.second.mean().item(), abs=0.12)


def test_a_road_has_lines_at_its_edges_and_dashes_between_its_lanes():
    def covered(u, v):
        uv = torch.tensor([[u, v]])
        return draw(Pattern.ROAD, places(uv, 0.01), torch.tensor([[3.5, 7.0]]), NOISE).second.item()

    assert covered(0.0, 1.0) == pytest.approx(1.0, abs=0.05)
    assert covered(0.0, 6.0) == covered(1.75, 1.0) == 0.0
    assert covered(6.72, 6.0) == covered(-6.72, 6.0) == pytest.approx(1.0, abs=0.05)
