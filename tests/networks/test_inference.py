"""Networks in 16 bits: near those in 32, wherever their normalisations are."""

from dataclasses import replace

import pytest
import torch
from torch import nn

import vode
from vode.networks.depth import DepthNet
from vode.networks.encoders import ResNet18
from vode.networks.flow import FlowNet
from vode.networks.inference import folded, in_16_bits
from vode.networks.options import DepthOptions
from vode.recipes.supervised import EVERYWHERE
from vode.world.sequence import WorldSequence

SIZE = (76, 249)
OPTIONS = DepthOptions(decoder=(8, 8, 16, 16, 16))


@pytest.fixture(scope="module")
def model():
    return vode.load("vode-small", device="cpu")


@pytest.fixture(scope="module")
def pair():
    """Two images, and the flow between them."""
    sequence = WorldSequence(21_007, replace(EVERYWHERE, size=SIZE, scenes=("residential",)))
    flow, seen = sequence.flow_between(5, 6)
    return sequence.frame(5)[None], sequence.frame(6)[None], flow, seen[0] > 0


def with_statistics(network):
    """The network as if it had been trained: every normalisation with means and deviations of its own."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
    return network.eval()


def norms(network):
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("encoder", ["resnet18", "efficientnet_lite0"])
@torch.no_grad()
def test_folded_normalisations_change_nothing(encoder):
    network = with_statistics(DepthNet(DepthOptions(encoder=encoder, decoder=OPTIONS.decoder)))
    image = torch.rand(1, 3, 96, 64)
    quick = folded(network)
    assert norms(network) > 10
    assert norms(quick) == 0
    torch.testing.assert_close(quick.depth(image), network.depth(image), rtol=1e-3, atol=0)


class NormFirst(nn.Module):
    """A layer that lists its parts in another order than it uses them in."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

    def forward(self, x):
        return self.conv(self.norm(x))


@torch.no_grad()
def test_normalisations_of_another_order_stay():
    network = DepthNet(OPTIONS)
    plain = network.encoder

    class Unusual(ResNet18):
        def __init__(self):
            super().__init__()
            self.first = NormFirst()

        def forward(self, x):
            return plain.forward(self.first(x))

    network.encoder = Unusual()
    network = with_statistics(network)
    assert folded(network) is network
    image = torch.rand(1, 3, 64, 64)
    with torch.autocast("cpu", torch.bfloat16):
        found = in_16_bits(network).depth(image)
    torch.testing.assert_close(found.log(), network.depth(image).log(), rtol=0, atol=0.1)


@torch.no_grad()
def test_depth_in_16_bits_is_near_and_the_network_stays_as_it_was(model, pair):
    before = {name: value.clone() for name, value in model.depth.state_dict().items()}
    exact = model.depth.depth(pair[0], 200.0)
    with torch.autocast("cpu", torch.bfloat16):
        found = in_16_bits(model.depth).depth(pair[0], 200.0)
    assert found.dtype == torch.float32
    difference = (found / exact).log().abs()
    assert 0 < difference.mean() < 0.03
    for name, value in model.depth.state_dict().items():
        assert torch.equal(value, before[name])


@torch.no_grad()
def test_flow_in_16_bits_has_no_larger_errors(model, pair):
    a, b, true, seen = pair
    quick = in_16_bits(model.flow)
    with torch.autocast("cpu", torch.bfloat16):
        found = quick.towards(quick.features(a), quick.features(b), SIZE)[0]
        back = quick.towards(quick.features(b), quick.features(a), SIZE)[0]
    exact = [flow[0][0] for flow in model.flow(a, b)]
    errors = [(flow - true).norm(dim=0)[seen].mean() for flow in (found, exact[0])]
    assert errors[0] < 1.05 * errors[1] + 0.02
    assert errors[0] < 0.3 * true.norm(dim=0)[seen].mean()
    assert (back - exact[1]).norm(dim=0).median() < 0.2


@torch.no_grad()
def test_flow_from_kept_features_is_that_of_images(pair):
    torch.manual_seed(0)
    network = FlowNet().eval()
    of_a, of_b = (network.features(image) for image in pair[:2])
    for found, wanted in zip(
        (network.towards(of_a, of_b, SIZE), network.towards(of_b, of_a, SIZE)), network(*pair[:2]), strict=True
    ):
        torch.testing.assert_close(found, wanted[0], rtol=1e-3, atol=1e-3)
