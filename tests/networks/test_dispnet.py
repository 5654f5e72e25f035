"""DispNet: SfMLearner's depth network; its arithmetic is that of tests/networks/checkpoints."""

import pytest
import torch

from vode.errors import InputError
from vode.networks.depth import DepthNet
from vode.networks.dispnet import DispNet
from vode.networks.options import DepthOptions
from vode.networks.weights import load_weights, weights_bytes


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return DepthNet.build(DepthOptions(encoder="dispnet", scales=4))


def test_it_is_built_by_name_and_comes_back_from_a_file(network, tmp_path):
    assert isinstance(network, DispNet)
    assert type(DepthNet.build(DepthOptions())) is DepthNet
    (tmp_path / "depth.safetensors").write_bytes(weights_bytes(network))
    loaded, image = load_weights(tmp_path / "depth.safetensors", DepthNet), torch.rand(1, 3, 64, 96)
    assert isinstance(loaded, DispNet)
    with torch.no_grad():
        torch.testing.assert_close(loaded.depth(image), network.eval().depth(image))


def test_sizes_and_training(network):
    outputs = network.train()(torch.rand(2, 3, 50, 101))
    assert [tuple(output.shape) for output in outputs] == [(2, 1, -(-50 // 2**k), -(-101 // 2**k)) for k in range(4)]
    sum(output.square().mean() for output in outputs).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_it_has_no_pretrained_encoder():
    with pytest.raises(InputError, match="no pretrained encoder"):
        DepthNet.build(DepthOptions(encoder="dispnet", encoder_weights="imagenet"))
