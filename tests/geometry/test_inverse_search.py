"""Dense inverse search: exact on a smooth image whose motion is known, and from flow that is nearly right."""

import torch
from torch import Tensor

from vode.geometry.inverse_search import inverse_search, refine_flow

SIZE = (96, 160)
MOTION = (3.3, -1.7)


def texture(x: Tensor, y: Tensor) -> Tensor:
    """A smooth image (1, 3, H, W) at real-valued pixels, without repetition within ten pixels."""
    waves = torch.sin(0.55 * x + 0.2 * y) + torch.sin(0.13 * x - 0.61 * y) + torch.sin(0.31 * x + 0.37 * y)
    return (0.5 + waves / 7).repeat(1, 3, 1, 1)


def pair(motion: tuple[float, float]) -> tuple[Tensor, Tensor]:
    y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in SIZE), indexing="ij")
    return texture(x, y), texture(x - motion[0], y - motion[1])


def uniform(motion: tuple[float, float]) -> Tensor:
    return torch.tensor(motion).view(1, 2, 1, 1).expand(1, 2, *SIZE).clone()


def error(flow: Tensor, motion: tuple[float, float]) -> float:
    """Mean end-point error away from the border."""
    return (flow - uniform(motion)).norm(dim=1)[:, 12:-12, 12:-12].mean().item()


def test_a_small_motion_is_found_without_a_start():
    assert error(inverse_search(*pair(MOTION)), MOTION) < 0.15


def test_flow_that_is_a_pixel_off_is_refined_in_both_directions():
    back = (-MOTION[0], -MOTION[1])
    start_ab, start_ba = uniform((MOTION[0] + 1, MOTION[1] - 0.5)), uniform((back[0] - 0.7, back[1] + 0.7))
    before = start_ab.clone(), start_ba.clone()
    found_ab, found_ba = refine_flow(*pair(MOTION), start_ab, start_ba)
    assert error(found_ab, MOTION) < 0.1
    assert error(found_ba, back) < 0.1
    assert torch.equal(start_ab, before[0])
    assert torch.equal(start_ba, before[1])


def test_a_motion_too_large_to_be_searched_for_is_refined_from_where_it_starts():
    # the images' waves come again every 11 pixels, so that the search alone ends at a wrong one
    motion = (41.4, 17.2)
    back = (-motion[0], -motion[1])
    a, b = pair(motion)
    assert error(inverse_search(a, b), motion) > 5
    found, _ = refine_flow(a, b, uniform((motion[0] + 0.8, motion[1])), uniform(back))
    inside = (found - uniform(motion)).norm(dim=1)[:, 12:60, 12:100]
    assert inside.mean() < 0.3


def test_where_the_directions_contradict_each_other_flow_stays_as_it_was():
    a, b = pair(MOTION)
    # nothing in the right half of b is seen in a
    generator = torch.Generator().manual_seed(0)
    b[..., 80:] = torch.rand(1, 3, SIZE[0], 80, generator=generator)
    start = uniform((MOTION[0] + 1, MOTION[1]))
    found, _ = refine_flow(a, b, start, uniform((-MOTION[0], -MOTION[1])))
    kept = (found == start).all(1)
    # the search smooths, so that what it makes up agrees by chance now and then
    assert kept[:, 12:-12, 90:150].float().mean() > 0.4
    assert not kept[:, 12:-12, 12:60].any()
