"""DepthNet: its shape, range and sizes."""

import pytest
import torch
import torch.nn.functional as F

from vode.networks.depth import DepthNet, disparity_to_depth
from vode.networks.options import DepthOptions


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


def test_other_sizes_are_padded_by_repeating_the_border():
    torch.manual_seed(0)
    network, image = DepthNet().eval(), torch.rand(1, 3, 50, 90)
    with torch.no_grad():
        padded = network.depth(F.pad(image, (0, 6, 0, 14), mode="replicate"))
        torch.testing.assert_close(network.depth(image), padded[..., :50, :90])


def test_upsampling_is_as_asked():
    torch.manual_seed(0)
    bilinear, nearest = DepthNet().eval(), DepthNet(DepthOptions(upsampling="nearest")).eval()
    nearest.load_state_dict(bilinear.state_dict())
    square = torch.tensor([[[[1.0, 5.0]]]])
    assert nearest._upsample(square)[0, 0, 0].tolist() == [1, 1, 5, 5]
    assert bilinear._upsample(square)[0, 0, 0].tolist() == [1, 2, 4, 5]
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert not torch.allclose(bilinear(image)[0], nearest(image)[0])


def test_every_parameter_is_trained():
    torch.manual_seed(0)
    network = DepthNet(DepthOptions(scales=4)).train()
    sum(output.square().mean() for output in network(torch.rand(2, 3, 64, 64))).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
