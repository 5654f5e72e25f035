"""DepthNet: its shape, range and sizes."""

import pytest
import torch
import torch.nn.functional as F

from vode.errors import InputError
from vode.networks.depth import DepthNet
from vode.networks.options import DepthOptions


def test_parameters():
    assert sum(p.numel() for p in DepthNet().parameters()) == 14_327_217


@pytest.mark.parametrize("size", [(64, 96), (50, 101), (20, 30)])
@pytest.mark.parametrize("options", [DepthOptions(padding="zeros"), DepthOptions(scales=4, upsampling="nearest")])
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
    torch.testing.assert_close(DepthNet().depth_of(sigma), torch.tensor([100.0, 1 / 5.005, 0.1]))
    network = DepthNet(DepthOptions(disparity=(0.02, 0.48)))
    torch.testing.assert_close(network.depth_of(sigma), torch.tensor([50.0, 1 / 0.26, 2.0]))


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


def test_depth_is_multiplied_by_the_ratio_of_focal_lengths():
    torch.manual_seed(0)
    network, image = DepthNet(DepthOptions(canonical_focal=240.0)).eval(), torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        canonical = network.depth(image)
        for focal, factors in ((480, [2, 2]), (120.0, [0.5, 0.5]), (torch.tensor([240.0, 360.0]), [1, 1.5])):
            expected = canonical * torch.tensor(factors, dtype=torch.float32).view(2, 1, 1, 1)
            torch.testing.assert_close(network.depth(image, focal), expected)
    plain = DepthNet().eval()
    plain.load_state_dict(network.state_dict())
    assert (network.is_metric, plain.is_metric) == (True, False)
    with torch.no_grad():
        assert torch.equal(plain.depth(image, 480.0), canonical)


def test_metric_depth_keeps_the_aspect_of_images():
    metric, plain = DepthNet(DepthOptions(canonical_focal=240.0)), DepthNet()
    assert plain.input_size((128, 416), (480, 640)) == (128, 416)
    assert metric.input_size((128, 416), (480, 640)) == (200, 267)
    # 1242x375 is 1.9 % wider than 3.25:1
    assert metric.input_size((128, 416), (375, 1242)) == (128, 416)


REFUSED = ({"decoder": (16, 32)}, {"decoder": (0, 1, 1, 1, 1)}, {"canonical_focal": -1.0}, {"disparity": (0.0, 1.0)})


@pytest.mark.parametrize("options", REFUSED)
def test_options_that_make_no_network_are_refused(options):
    with pytest.raises(InputError, match="give"):
        DepthOptions(**options)


@torch.no_grad()
def test_depth_under_autocast_is_not_coarse():
    torch.manual_seed(0)
    net = DepthNet().eval()
    image = torch.rand(1, 3, 64, 96)
    with torch.autocast("cpu", torch.bfloat16):
        (found,) = net(image)
    assert found.dtype == torch.float32
    # 16 bits would leave a few dozen values
    assert len(found.unique()) > 0.9 * 64 * 96
