"""Losses of GeoNet: exact flow costs little, the consistency mask leaves out what is hidden, and gradients."""

import pytest
import torch
from torch import Tensor

from vode.geometry import warp
from vode.geometry.pose import relative
from vode.losses.full_flow import full_flow_losses, geometric_consistency, warp_error
from vode.losses.options import FlowConsistencyOptions
from vode.losses.smoothness import first_order_smoothness
from vode.view_synthesis.warp import inverse_warp
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

HEIGHT, WIDTH, LEFT, STEP = 12, 40, 10, 8


def moved_square(step=STEP):
    """Flows, in both directions, of a square that moves to the right before a standing wall, and what is hidden."""
    ab, ba = torch.zeros(2, 1, 2, HEIGHT, WIDTH).unbind()
    square, moved = torch.zeros(2, 1, 1, HEIGHT, WIDTH, dtype=torch.bool).unbind()
    square[..., 3:9, LEFT : LEFT + 12] = True
    moved[..., 3:9, LEFT + step : LEFT + step + 12] = True
    ab[:, :1][square], ba[:, :1][moved] = step, -step
    return ab, ba, moved & ~square, square & ~moved


def test_the_mask_leaves_out_exactly_what_is_hidden():
    ab, ba, hidden_in_b, hidden_in_a = moved_square()
    for flow, back, hidden in ((ab, ba, hidden_in_b), (ba, ab, hidden_in_a)):
        loss, mask = geometric_consistency(flow, back)
        assert hidden.any()
        assert torch.equal(mask == 0, hidden)
        assert loss.item() < 1e-5


def test_the_mask_leaves_out_what_leaves_the_image():
    flow = torch.zeros(1, 2, HEIGHT, WIDTH)
    flow[:, 0] = 5.0
    _, mask = geometric_consistency(flow, -flow)
    assert torch.equal(mask[0, 0].bool(), (torch.arange(WIDTH) < WIDTH - 5).expand(HEIGHT, WIDTH))


@pytest.mark.parametrize(("length", "scale", "bound"), [(10, 0, 3), (100, 0, 5), (10, 1, 1.5), (100, 1, 5)])
def test_the_bound_of_the_difference(length, scale, bound):
    flow, back = torch.zeros(2, 1, 2, 1, 300).unbind()
    flow[:, 0] = length
    for difference, counts in ((bound - 0.1, True), (bound + 0.1, False)):
        back[:, 0] = difference - length
        loss, mask = geometric_consistency(flow, back, scale=scale)
        assert bool(mask[0, 0, 0, 0]) == counts
        assert loss.item() == pytest.approx(difference / 2 if counts else 0, abs=1e-4)


@pytest.fixture(scope="module")
def pair():
    """A pair with a moving car, images, flows in both directions, and rigid flow."""
    sequence = WorldSequence(7, WorldOptions(size=(64, 128), frames=2))
    return Pair(sequence)


class Pair:
    def __init__(self, sequence):
        self.images = [sequence.frame(i)[None] for i in (0, 1)]
        (ab, self.seen), (ba, _) = sequence.flow_between(0, 1), sequence.flow_between(1, 0)
        self.flows = ab[None], ba[None]
        self.moving = sequence.moving(0)[None]
        depth = sequence.depth(0)[None]
        T_b_a = relative(*sequence.poses[:2])[None].float()
        known = torch.where(depth > 0, depth, 1e4)
        self.rigid = inverse_warp(known, T_b_a[:, None], sequence.intrinsics[None]).flow[:, 0]


def scales(flow: Tensor) -> list[Tensor]:
    return [torch.nn.functional.avg_pool2d(flow, 2**k) / 2**k for k in range(4)]


def test_the_mask_agrees_with_what_the_world_hides(pair):
    _, mask = geometric_consistency(*pair.flows, options=FlowConsistencyOptions(pixels=1.0))
    mask, seen = mask[0].bool(), pair.seen
    assert (mask & seen).sum() / seen.sum() > 0.97
    back = warp.backward_warp(pair.flows[1], pair.flows[0])
    apart = (pair.flows[0] + back).norm(dim=1) > 4
    assert not (mask & ~seen & apart).any()


def test_exact_flow_costs_less_than_any_other(pair):
    exact, mask = full_flow_losses(*pair.images, *map(scales, pair.flows))
    assert 0 < mask.mean() < 1
    for wrong, factor in ((0.0, 1.9), (0.7, 1.15), (0.9, 1.0), (1.1, 1.0), (1.3, 1.15)):
        other, _ = full_flow_losses(*pair.images, *(scales(wrong * flow) for flow in pair.flows))
        assert other["flow_warp"] > factor * exact["flow_warp"]
    one_sided, _ = full_flow_losses(*pair.images, scales(pair.flows[0]), scales(0.9 * pair.flows[1]))
    assert one_sided["flow_consistency"] > 1.5 * exact["flow_consistency"]


def test_what_moves_is_left_over_by_rigid_flow(pair):
    moving = pair.moving.float()
    rigid, full = (warp_error(*pair.images, flow)[1] for flow in (pair.rigid, pair.flows[0]))
    standing = (1 - moving) * pair.seen
    assert ((rigid - full).abs() * standing).sum() / standing.sum() < 0.01
    assert (rigid * moving).sum() > 1.3 * (full * moving).sum()


def test_first_order_smoothness_by_hand():
    values, image = torch.zeros(1, 2, 4, 5), torch.zeros(1, 3, 4, 5)
    values[:, 0, :, 3:] = 2.0
    assert first_order_smoothness(values, image).item() == pytest.approx(2 * 4 / (2 * 4 * 4))
    image[..., 3:] = 1.0
    assert first_order_smoothness(values, image).item() == pytest.approx(2 * 4 / (2 * 4 * 4) * 0.36788, rel=1e-4)


def test_gradients():
    torch.manual_seed(0)
    a, b = torch.rand(2, 1, 3, 5, 6, dtype=torch.float64).unbind()
    ab, ba = (torch.rand(1, 2, 5, 6, dtype=torch.float64) * 0.6 + 0.2 for _ in range(2))
    ab, ba = ab.requires_grad_(), (-ba).requires_grad_()

    def total(ab, ba):
        losses, _ = full_flow_losses(a, b, [ab], [ba], FlowConsistencyOptions(pixels=2.0))
        return torch.stack(list(losses.values()))

    assert torch.autograd.gradcheck(total, (ab, ba))


def test_flows_that_agree_nowhere_cost_nothing_and_have_finite_gradients():
    flow = torch.full((1, 2, 6, 8), 50.0, requires_grad=True)
    losses, mask = full_flow_losses(torch.rand(1, 3, 6, 8), torch.rand(1, 3, 6, 8), [flow], [flow])
    assert not mask.any()
    sum(loss.sum() for loss in losses.values()).backward()
    assert losses["flow_warp"].item() == losses["flow_consistency"].item() == 0
    assert flow.grad.isfinite().all()
