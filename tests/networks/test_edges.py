"""Steps at the edges of predicted depth."""

import pytest
import torch

from vode.networks.depth import DepthNet, disparity_to_depth
from vode.networks.edges import steepen_edges
from vode.networks.options import DepthOptions


def column(*depths: float) -> torch.Tensor:
    """A map of equal rows."""
    return torch.tensor(depths, dtype=torch.float64).expand(1, 1, 5, -1)


def test_a_ramp_becomes_a_step_between_the_depths_that_it_joins():
    ramp = column(5, 5, 5, 6, 10, 16, 20, 20, 20)
    assert steepen_edges(ramp, 1.2).unique().tolist() == [5, 20]
    assert steepen_edges(ramp.mT, 1.2).equal(steepen_edges(ramp, 1.2).mT)


def test_a_step_and_a_slope_stay():
    for depth in (column(5, 5, 5, 20, 20, 20), column(5, 5.2, 5.4, 5.6, 5.8, 6.0)):
        torch.testing.assert_close(steepen_edges(depth, 1.2), depth)


def test_no_depth_is_made_up_and_scale_does_not_matter():
    torch.manual_seed(0)
    depth = torch.rand(2, 1, 20, 30, dtype=torch.float64) + 0.5
    steep = steepen_edges(depth, 1.2)
    assert torch.isin((steep * 1e6).round(), (depth * 1e6).round()).all()
    torch.testing.assert_close(steepen_edges(7 * depth, 1.2), 7 * steep)


@pytest.mark.parametrize("ratio", [0.0, 1.3])
def test_the_network_predicts_with_steps_and_trains_without(ratio):
    torch.manual_seed(0)
    network = DepthNet(DepthOptions(edge_ratio=ratio)).eval()
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        plain = disparity_to_depth(network(image)[0])
        expected = steepen_edges(plain, ratio) if ratio else plain
        torch.testing.assert_close(network.depth(image), expected)
