"""Steps at the edges of predicted depth."""

import pytest
import torch

from vode.networks import edges
from vode.networks.depth import DepthNet
from vode.networks.edges import magnify_depth, steepen_edges
from vode.networks.options import DepthOptions


def column(*depths: float) -> torch.Tensor:
    """A map of equal rows."""
    return torch.tensor(depths, dtype=torch.float64).expand(1, 1, 5, -1)


def test_a_ramp_becomes_a_step_between_the_depths_that_it_joins():
    ramp = column(5, 5, 5, 6, 10, 16, 20, 20, 20)
    assert steepen_edges(ramp, 1.2).unique().tolist() == [5, 20]
    assert steepen_edges(ramp.mT, 1.2).equal(steepen_edges(ramp, 1.2).mT)


def test_neighbours_are_those_of_a_pooled_window():
    torch.manual_seed(0)
    depth = torch.randn(2, 3, 7, 9)
    assert torch.equal(edges._largest(depth), torch.nn.functional.max_pool2d(depth, 3, 1, 1))


def test_a_step_and_a_slope_stay():
    for depth in (column(5, 5, 5, 20, 20, 20), column(5, 5.2, 5.4, 5.6, 5.8, 6.0)):
        torch.testing.assert_close(steepen_edges(depth, 1.2), depth)


def test_no_depth_is_made_up_and_scale_does_not_matter():
    torch.manual_seed(0)
    depth = torch.rand(2, 1, 20, 30, dtype=torch.float64) + 0.5
    steep = steepen_edges(depth, 1.2)
    assert torch.isin((steep * 1e6).round(), (depth * 1e6).round()).all()
    torch.testing.assert_close(steepen_edges(7 * depth, 1.2), 7 * steep)


def test_a_magnified_step_stays_one_and_a_slope_is_interpolated():
    step = column(5, 5, 5, 20, 20, 20)
    large = magnify_depth(step, (20, 24), 1.2)
    assert large.unique().tolist() == [5, 20]
    # inverse depth, from 0.2 at 9.5 to 0.05 at 13.5, passes that of the geometric mean of both, 0.1, at 12.2
    assert (large[0, 0, 0] == 5).sum() == 13
    slope = column(5, 5.2, 5.4, 5.6, 5.8, 6.0)
    expected = 1 / torch.nn.functional.interpolate(1 / slope, (20, 24), mode="bilinear", align_corners=False)
    torch.testing.assert_close(magnify_depth(slope, (20, 24), 1.2), expected)
    assert magnify_depth(step, (20, 24)).unique().numel() > 2
    assert magnify_depth(step, (5, 6), 1.2).equal(step)


@pytest.mark.parametrize("ratio", [0.0, 1.3])
def test_the_network_predicts_with_steps_and_trains_without(ratio):
    torch.manual_seed(0)
    network = DepthNet(DepthOptions(edge_ratio=ratio)).eval()
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        plain = network.depth_of(network(image)[0])
        expected = steepen_edges(plain, ratio) if ratio else plain
        torch.testing.assert_close(network.depth(image), expected)
