"""FlowNet: its shape, the cost volume, symmetry and sizes."""

import pytest
import torch
import torch.nn.functional as F

from vode.networks.cost_volume import cost_volume
from vode.networks.flow import FlowNet, normalise_features
from vode.networks.options import FlowOptions


def naive_cost(a, b, search):
    height, width = a.shape[-2:]
    padded = F.pad(b, [search] * 4)
    steps = range(2 * search + 1)
    return torch.stack([(a * padded[:, :, y : y + height, x : x + width]).sum(1) for y in steps for x in steps], 1)


@pytest.mark.parametrize("size", [(1, 3), (5, 7), (16, 48), (6, 33), (3, 70)])
def test_cost_volume_equals_a_loop_over_displacements(size):
    torch.manual_seed(0)
    a, b = (torch.randn(2, 6, *size, dtype=torch.float64, requires_grad=True) for _ in range(2))
    ours, naive = cost_volume(a, b, 4), naive_cost(a, b, 4)
    assert ours.shape == (2, 81, *size)
    torch.testing.assert_close(ours, naive)
    weight = torch.randn_like(naive)
    for one, two in zip(
        torch.autograd.grad(ours, (a, b), weight), torch.autograd.grad(naive, (a, b), weight), strict=True
    ):
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize("size", [(1, 3), (5, 7), (16, 48), (6, 33), (3, 70)])
@torch.no_grad()
def test_cost_volume_in_16_bits_is_that_of_a_loop_in_32(size):
    torch.manual_seed(0)
    a, b = (torch.randn(2, 6, *size).bfloat16() for _ in range(2))
    torch.testing.assert_close(cost_volume(a, b, 4).float(), naive_cost(a.float(), b.float(), 4), rtol=0.01, atol=0.01)


def test_a_shifted_image_has_its_cost_at_the_shift():
    torch.manual_seed(0)
    a = normalise_features(torch.randn(1, 16, 12, 20))
    b = a.roll((2, -3), (2, 3))
    best = cost_volume(a, b, 4)[0, :, 5:7, 8:12].argmax(0)
    assert (best == (2 + 4) * 9 + (-3 + 4)).all()


def test_normalised_features():
    features = normalise_features(3 + torch.randn(2, 8, 5, 6))
    torch.testing.assert_close(features.norm(dim=1), torch.ones(2, 5, 6))


def test_parameters():
    assert sum(p.numel() for p in FlowNet().parameters()) == 5_134_324


@pytest.mark.parametrize("size", [(64, 128), (50, 101), (33, 70)])
def test_any_size_in_the_same_size_out(size):
    a, b = torch.rand(2, 1, 3, *size)
    with torch.no_grad():
        ab, ba = FlowNet().eval()(a, b)
    expected = [(-(-size[0] // 2**k), -(-size[1] // 2**k)) for k in range(4)]
    assert [tuple(flow.shape[-2:]) for flow in ab] == expected
    assert [tuple(flow.shape[-2:]) for flow in ba] == expected


def test_both_directions_and_batches_are_independent():
    torch.manual_seed(1)
    network = FlowNet().eval()
    a, b = torch.rand(2, 2, 3, 64, 128)
    with torch.no_grad():
        ab, ba = network(a, b)
        swapped, _ = network(b, a)
        alone, _ = network(a[1:], b[1:])
    torch.testing.assert_close(ba[0], swapped[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ab[0][1:], alone[0], atol=1e-4, rtol=1e-4)


def test_scales_hold_pixels_of_their_own_size():
    torch.manual_seed(0)
    with torch.no_grad():
        flows, _ = FlowNet().eval()(*torch.rand(2, 1, 3, 64, 128))
    coarse = flows[2].mean((2, 3))
    assert (coarse.abs() > 0.01).any()
    for k, factor in ((0, 4), (1, 2)):
        torch.testing.assert_close(flows[k].mean((2, 3)), factor * coarse, rtol=1e-3, atol=1e-4)


def test_normalised_features_ignore_gain_and_offset():
    torch.manual_seed(0)
    features, offset = torch.randn(2, 8, 5, 6), torch.randn(2, 8, 1, 1)
    torch.testing.assert_close(normalise_features(4 * features + offset), normalise_features(features))
    flat = torch.full((1, 8, 5, 6), 0.3, requires_grad=True)
    normalised = normalise_features(flat)
    assert normalised.abs().max() < 1e-2
    (gradient,) = torch.autograd.grad(normalised.sum(), flat)
    assert gradient.isfinite().all()


def test_other_sizes_are_padded_by_repeating_the_border():
    torch.manual_seed(0)
    network, images = FlowNet().eval(), torch.rand(2, 1, 3, 50, 90)
    padded = [F.pad(image, (0, 38, 0, 14), mode="replicate") for image in images]
    with torch.no_grad():
        flow, whole = network(*images)[0][0], network(*padded)[0][0]
    torch.testing.assert_close(flow, whole[..., :50, :90])


@pytest.mark.parametrize("options", [FlowOptions(), FlowOptions(search=2), FlowOptions(normalise=False)])
def test_every_parameter_is_trained(options):
    torch.manual_seed(0)
    network = FlowNet(options).train()
    forward, backward = network(*torch.rand(2, 1, 3, 64, 64))
    sum(flow.square().mean() for flow in forward + backward).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    assert network.pyramid[0][0][0].weight.grad.any()
