"""ResidualFlowNet: sizes, units, what it sees, training, and its weights file."""

import pytest
import torch

from vode.errors import InputError
from vode.networks.options import ResidualFlowOptions
from vode.networks.residual_flow import ResidualFlowNet
from vode.networks.weights import load_weights, weights_bytes


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ResidualFlowNet()


def inputs(height=50, width=101, batch=1):
    torch.manual_seed(1)
    images = [torch.rand(batch, 3, height, width) for _ in range(3)]
    return [*images, 5 * torch.randn(batch, 2, height, width), torch.rand(batch, 1, height, width)]


def test_flow_at_four_scales_of_any_size(network):
    sizes = [tuple(flow.shape) for flow in network.eval()(*inputs())]
    assert sizes == [(1, 2, -(-50 // 2**k), -(-101 // 2**k)) for k in range(4)]


def test_it_starts_near_zero(network):
    assert all(flow.abs().mean() < 0.5 for flow in ResidualFlowNet().train()(*inputs(64, 192, batch=2)))


def test_outputs_are_fractions_of_the_image_in_pixels_of_each_scale(network):
    for head in network.heads.values():
        saved = head.weight.data.clone(), head.bias.data.clone()
        head.weight.data.zero_()
        head.bias.data.fill_(0.5)
        head.saved = saved
    flows = network.eval()(*inputs(64, 128))
    for head in network.heads.values():
        head.weight.data, head.bias.data = head.saved
    for k, flow in enumerate(flows):
        assert flow[0, 0].unique().tolist() == pytest.approx([0.05 * 128 / 2**k])
        assert flow[0, 1].unique().tolist() == pytest.approx([0.05 * 64 / 2**k])


@pytest.mark.parametrize("which", range(5))
def test_it_sees_every_input(network, which):
    given = [x.requires_grad_() for x in inputs(64, 64)]
    network.eval()(*given)[0].square().sum().backward()
    assert given[which].grad.abs().sum() > 0


def test_rigid_flow_beyond_the_image_is_no_farther_than_its_size(network):
    target, source, warped, rigid, error = inputs(64, 64)
    flows = [network.eval()(target, source, warped, torch.full_like(rigid, far), error)[0] for far in (64.0, 1e9)]
    assert torch.equal(*flows)


def test_every_parameter_is_trained(network):
    sum(flow.square().mean() for flow in network.train()(*inputs(64, 96, batch=2))).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in network.parameters())


def test_it_comes_back_from_a_file(network, tmp_path):
    file = tmp_path / "residual_flow.safetensors"
    file.write_bytes(weights_bytes(network))
    with torch.no_grad():
        loaded, own = load_weights(file, ResidualFlowNet)(*inputs()), network.eval()(*inputs())
    torch.testing.assert_close(loaded, own, rtol=1e-4, atol=1e-4)


def test_an_encoder_of_timm():
    network = ResidualFlowNet(ResidualFlowOptions(encoder="mobilenetv3_small_050", decoder=(8, 8, 8, 8, 8)))
    assert [flow.shape[-1] for flow in network.eval()(*inputs(64, 96))] == [96, 48, 24, 12]


@pytest.mark.parametrize("wrong", [{"decoder": (1, 2)}, {"unit": 0.0}, {"encoder": "resnet17"}])
def test_options_that_make_no_network(wrong):
    with pytest.raises(InputError):
        ResidualFlowNet(ResidualFlowOptions(**wrong))
