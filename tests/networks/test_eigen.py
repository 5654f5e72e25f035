"""Eigen et al.'s coarse and fine networks, against their layers in NumPy, and who learns from which loss."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.networks.depth import DepthNet
from vode.networks.eigen import EigenNet
from vode.networks.inference import in_16_bits
from vode.networks.options import LARGEST, DepthOptions
from vode.networks.weights import load_weights, weights_bytes

OPTIONS = DepthOptions(encoder="eigen", full_size=(36, 52))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return DepthNet.build(OPTIONS)


def windows(x, side, step):
    return np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(1, 2))[:, ::step, ::step]


def conv(x, layer, step=1):
    weight, bias = (p.detach().numpy().astype(np.float64) for p in (layer.weight, layer.bias))
    edge = weight.shape[-1] // 2
    padded = np.pad(x, ((0, 0), (edge, edge), (edge, edge)))
    return np.einsum("chwij,ocij->ohw", windows(padded, weight.shape[-1], step), weight) + bias[:, None, None]


def pool(x):
    down, right = (side % 2 for side in x.shape[1:])
    return windows(np.pad(x, ((0, 0), (0, down), (0, right)), constant_values=-np.inf), 2, 2).max((-2, -1))


def relu(x):
    return np.maximum(x, 0)


def linear(x, layer):
    return layer.weight.detach().numpy().astype(np.float64) @ x + layer.bias.detach().numpy()


def test_it_computes_the_layers_of_the_paper(network):
    image = torch.rand(3, 36, 52)
    x = (image.numpy().astype(np.float64) - 0.45) / 0.225
    first, second, third, fourth, fifth = (m for m in network.coarse if isinstance(m, torch.nn.Conv2d))
    assert [tuple(m.weight.shape) for m in (first, second, third, fourth, fifth)] == [
        (96, 3, 11, 11), (256, 96, 5, 5), (384, 256, 3, 3), (384, 384, 3, 3), (256, 384, 3, 3)
    ]  # fmt: skip
    seen = pool(relu(conv(pool(relu(conv(x, first, 4))), second)))
    seen = relu(conv(relu(conv(relu(conv(seen, third)), fourth)), fifth, 2))
    # 1/32 of the size, rounded up at every layer
    assert seen.shape == (256, 2, 2)
    coarse = linear(relu(linear(seen.ravel(), network.hidden)), network.heads[1]).reshape(1, 9, 13)
    local = pool(relu(conv(x, network.local[0], 2)))
    assert local.shape == (63, 9, 13)
    fine = conv(relu(conv(np.concatenate([local, coarse]), network.refine[0])), network.heads[0])
    with torch.no_grad():
        (found,) = network.eval()(image[None])
    wanted = torch.nn.functional.interpolate(torch.from_numpy(fine)[None], (36, 52), mode="bilinear").sigmoid()
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-6)


def test_each_network_learns_from_its_own_loss(network):
    fine, coarse = network.train()(torch.rand(2, 3, 36, 52))
    coarse_parts = {"coarse", "hidden", "heads.1"}
    for output, mine in ((fine, False), (coarse, True)):
        network.zero_grad(set_to_none=True)
        output.sum().backward(retain_graph=True)
        learned = {name for name, p in network.named_parameters() if p.grad is not None}
        of_coarse = {name for name in dict(network.named_parameters()) if name.startswith(tuple(coarse_parts))}
        assert learned == (of_coarse if mine else set(dict(network.named_parameters())) - of_coarse)


def test_images_of_any_size_get_maps_of_their_size(network):
    with torch.no_grad():
        for size in ((36, 52), (50, 101), (8, 8)):
            (sigma,) = network.eval()(torch.rand(2, 3, *size))
            assert sigma.shape == (2, 1, *size)
            assert network.depth(torch.rand(1, 3, *size)).min() > 0


def test_it_is_built_by_name_and_comes_back_from_a_file(network, tmp_path):
    assert isinstance(network, EigenNet)
    (tmp_path / "depth.safetensors").write_bytes(weights_bytes(network))
    loaded, image = load_weights(tmp_path / "depth.safetensors", DepthNet), torch.rand(1, 3, 36, 52)
    assert isinstance(loaded, EigenNet)
    with torch.no_grad():
        torch.testing.assert_close(loaded.depth(image), network.eval().depth(image))
        with torch.autocast("cpu", torch.bfloat16):
            halved = in_16_bits(network)(image)[0]
        torch.testing.assert_close(halved, network(image)[0], rtol=0.02, atol=0.002)


def test_its_size_is_that_of_the_training_unless_it_is_given():
    asked = DepthOptions(encoder="eigen")
    assert asked.for_images((64, 96)).full_size == (64, 96)
    assert OPTIONS.for_images((64, 96)) == OPTIONS
    assert DepthOptions().for_images((64, 96)) == DepthOptions()
    with pytest.raises(InputError, match="layers for one size of images; give it"):
        DepthNet.build(asked)
    for wrong in ((LARGEST, 2), (-4, 8)):
        with pytest.raises(InputError, match="give a height and a width"):
            replace(asked, full_size=wrong)
    with pytest.raises(InputError, match="no pretrained encoder"):
        DepthNet.build(replace(OPTIONS, encoder_weights="imagenet"))
