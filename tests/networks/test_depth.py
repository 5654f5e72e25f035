"""DepthNet: its shape, range and sizes."""

import pytest
import torch

from vode.networks.depth import DepthNet, DepthOptions, disparity_to_depth


def test_parameters():
    assert sum(p.numel() for p in DepthNet().parameters()) == 14_327_217


@pytest.mark.parametrize("size", [(64, 96), (50, 101), (20, 30)])
@pytest.mark.parametrize("options", [DepthOptions(), DepthOptions(scales=4, upsampling="nearest")])
def test_any_size_in_the_same_size_out(size, options):
    network = DepthNet(options).eval()
    with torch.no_grad():
        outputs = network(torch.rand(1, 3, *size))
        depth = network.depth(torch.rand(1, 3, *size))
    assert [tuple(o.shape) for o in outputs] == [
        (1, 1, -(-size[0] // 2**k), -(-size[1] // 2**k)) for k in range(options.scales)
    ]
    assert depth.shape == (1, 1, *size)
    assert depth.min() >= 0.0999
    assert depth.max() <= 100.01


def test_disparity_and_depth():
    sigma = torch.tensor([0.0, 0.5, 1.0])
    torch.testing.assert_close(disparity_to_depth(sigma), torch.tensor([100.0, 1 / 5.005, 0.1]))


def test_an_image_does_not_depend_on_its_batch():
    torch.manual_seed(0)
    network = DepthNet().eval()
    images = torch.rand(3, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(network.depth(images)[1:2], network.depth(images[1:2]), atol=1e-4, rtol=1e-4)
