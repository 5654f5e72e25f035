"""Weights files: round trip, and what is refused."""

import pytest
import torch

from vode.errors import InputError
from vode.networks.depth import DepthNet, DepthOptions
from vode.networks.flow import FlowNet
from vode.networks.weights import load_weights, weights_bytes


def test_round_trip_with_options(tmp_path):
    network = DepthNet(DepthOptions(scales=4, upsampling="nearest"))
    (tmp_path / "depth.safetensors").write_bytes(weights_bytes(network))
    loaded = load_weights(tmp_path / "depth.safetensors", "depth")
    assert loaded.options == network.options
    assert not loaded.training
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_imagenet_weights_are_not_fetched_to_be_replaced(tmp_path):
    network = DepthNet()
    network.options = DepthOptions(imagenet=True)
    (tmp_path / "depth.safetensors").write_bytes(weights_bytes(network))
    assert load_weights(tmp_path / "depth.safetensors", "depth").options.imagenet is False


def test_files_that_are_refused(tmp_path):
    path = tmp_path / "flow.safetensors"
    with pytest.raises(InputError, match="no such weights"):
        load_weights(path, "flow")
    data = weights_bytes(FlowNet())
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"flow\.safetensors: weights of kind 'flow'"):
        load_weights(path, "depth")
    for cut in (0, 4, 1000, len(data) - 5):
        path.write_bytes(data[:cut])
        with pytest.raises(InputError, match=r"flow\.safetensors: damaged"):
            load_weights(path, "flow")
    torch.save({"a": 1}, path)
    with pytest.raises(InputError, match=r"flow\.safetensors"):
        load_weights(path, "flow")
