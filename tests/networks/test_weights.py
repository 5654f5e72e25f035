"""Weights files: round trip, and what is refused."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load, save

from vode.errors import InputError
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import EARLIER_FLOW, DepthOptions, FlowOptions
from vode.networks.weights import load_weights, weights_bytes


def test_round_trip_with_options(tmp_path):
    network = DepthNet(DepthOptions(scales=4, upsampling="nearest"))
    (tmp_path / "depth.safetensors").write_bytes(weights_bytes(network))
    loaded = load_weights(tmp_path / "depth.safetensors", DepthNet)
    assert loaded.options == network.options
    assert not loaded.training
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_an_encoder_s_first_weights_are_not_fetched_to_be_replaced(tmp_path):
    network = DepthNet()
    network.options = DepthOptions(encoder_weights="imagenet")
    (tmp_path / "depth.safetensors").write_bytes(weights_bytes(network))
    assert load_weights(tmp_path / "depth.safetensors", DepthNet).options.encoder_weights == "none"


def test_files_of_version_0_1_that_tell_of_imagenet_are_read(tmp_path):
    network, path = DepthNet(), tmp_path / "depth.safetensors"
    options = {"imagenet": True, "scales": 1, "upsampling": "nearest"}
    about = json.dumps({"kind": "depth", "options": options})
    path.write_bytes(save(network.state_dict(), {"vode": about}))
    loaded = load_weights(path, DepthNet)
    assert loaded.options == DepthOptions(upsampling="nearest")
    assert torch.equal(loaded.encoder.conv1.weight, network.encoder.conv1.weight)


def test_half_precision_is_half_the_size_and_loads_as_float32(tmp_path):
    torch.manual_seed(0)
    network, path = DepthNet(DepthOptions(decoder=(8, 8, 16, 16, 16))).eval(), tmp_path / "depth.safetensors"
    path.write_bytes(weights_bytes(network, half=True))
    assert path.stat().st_size < 0.51 * len(weights_bytes(network))
    loaded, image = load_weights(path, DepthNet), torch.rand(1, 3, 64, 64)
    for name, value in loaded.state_dict().items():
        assert value.dtype == network.state_dict()[name].dtype, name
    with torch.no_grad():
        torch.testing.assert_close(loaded.depth(image), network.depth(image), rtol=1e-2, atol=0)


def test_files_that_are_refused(tmp_path):
    path = tmp_path / "flow.safetensors"
    with pytest.raises(InputError, match="no such weights"):
        load_weights(path, FlowNet)
    data = weights_bytes(FlowNet())
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"flow\.safetensors: weights of kind 'flow'"):
        load_weights(path, DepthNet)
    for cut in (0, 4, 1000, len(data) - 5):
        path.write_bytes(data[:cut])
        with pytest.raises(InputError, match=r"flow\.safetensors: damaged"):
            load_weights(path, FlowNet)
    torch.save({"a": 1}, path)
    with pytest.raises(InputError, match=r"flow\.safetensors: damaged weights"):
        load_weights(path, FlowNet)


def rewrite(data, **about):
    return save(
        load(data), {"vode": json.dumps({"kind": "flow", "options": {"search": 4, "normalise": True}, **about})}
    )


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"options": {"search": 3, "normalise": True}}, "another network"),
        ({"options": {"search": "far", "normalise": True}}, "another network"),
        ({"options": {"search": 10**6}}, "give 1 to 32"),
        ({"options": {"search": 1e999}}, "does not fit"),
        ({"options": {"range": 4}}, "another network"),
        ({"options": None}, "another network"),
        ({"kind": "pose"}, "kind 'pose'"),
        ({"kind": "depth"}, "kind 'depth'"),
    ],
)
def test_weights_that_do_not_fit_their_description_are_refused(tmp_path, about, says):
    path = tmp_path / "flow.safetensors"
    path.write_bytes(rewrite(weights_bytes(FlowNet()), **about))
    with pytest.raises(InputError, match=rf"flow\.safetensors: .*{says}"):
        load_weights(path, FlowNet)


def test_an_encoder_that_nobody_has_is_refused_with_the_file(tmp_path):
    path = tmp_path / "depth.safetensors"
    about = json.dumps({"kind": "depth", "options": {"encoder": "efficientnet_lite00"}})
    path.write_bytes(save({"a": torch.zeros(2)}, {"vode": about}))
    with pytest.raises(InputError, match=r"depth\.safetensors: .*no encoder is called 'efficientnet_lite00'"):
        load_weights(path, DepthNet)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"vode": "[]"}, {"vode": "7"}, {"vode": "{"}])
def test_foreign_files_are_refused(tmp_path, metadata):
    path = tmp_path / "flow.safetensors"
    path.write_bytes(save({"a": torch.zeros(2)}, metadata))
    with pytest.raises(InputError, match=r"flow\.safetensors: (not weights of this library|damaged)"):
        load_weights(path, FlowNet)


def test_options_that_older_files_do_not_tell_are_what_they_were(tmp_path):
    path = tmp_path / "flow.safetensors"
    old = FlowOptions(search=4, normalise=True, **{name: EARLIER_FLOW[name] for name in ("image", "outside", "start")})
    network = FlowNet(old).eval()
    path.write_bytes(rewrite(weights_bytes(network)))
    assert load_weights(path, FlowNet).options == replace(old, cost="rectified", outputs="finest")
    path.write_bytes(weights_bytes(FlowNet()))
    assert load_weights(path, FlowNet).options == FlowOptions()


def test_a_loaded_network_gives_the_same_flow(tmp_path):
    torch.manual_seed(0)
    network, images = FlowNet(FlowOptions(search=2)).eval(), torch.rand(2, 1, 3, 64, 64)
    (tmp_path / "flow.safetensors").write_bytes(weights_bytes(network))
    loaded = load_weights(tmp_path / "flow.safetensors", FlowNet)
    with torch.no_grad():
        torch.testing.assert_close(loaded(*images)[0][0], network(*images)[0][0], atol=1e-5, rtol=1e-4)
