"""Networks of other systems, read from checkpoints in their layout, compute what those systems compute."""

import pickle

import pytest
import torch

from vode.errors import InputError
from vode.networks.checkpoints.reading import is_checkpoint, read_checkpoint

RGB, BGR = [0, 1, 2], [2, 1, 0]


def sc_conv(level, part):
    return f"decoder.decoder.{2 * level + part}.conv.conv"


def sc_head(scale):
    return f"decoder.decoder.{10 + scale}.conv"


def channels(layers):
    return (64, 64, 128, 256, 512) if layers == 18 else (64, 256, 512, 1024, 2048)


def prefixed(prefix, tensors):
    return {f"{prefix}{name}": value for name, value in tensors.items()}


def without(prefix, state):
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def monodepth2_conv(level, part):
    return f"decoder.{2 * level + part}.conv.conv"


def monodepth2_head(scale):
    return f"decoder.{10 + scale}.conv"


def trianflow_conv(level, part):
    return f"decoder.upconvs.{level}.{part}.conv.conv"


def trianflow_head(scale):
    return f"decoder.dispconvs.{scale}.conv"


def image(height=64, width=96, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def assert_same_depth(network, image, disparities):
    """Depth at every scale, within 1e-5 of the inverse of the disparities."""
    outputs = network(image)
    assert len(outputs) == len(disparities)
    for sigma, disparity in zip(outputs, disparities, strict=True):
        assert disparity.std() > 0.02
        torch.testing.assert_close(network.depth_of(sigma), 1 / disparity, rtol=1e-5, atol=0)


@pytest.fixture
def monodepth2(reference, tmp_path):
    return write_monodepth2(reference, tmp_path, 18)


def write_monodepth2(reference, folder, layers):
    encoder = reference.random_weights(prefixed("encoder.", reference.resnet_shapes(layers)))
    shapes = reference.decoder_shapes(channels(layers), 4, monodepth2_conv, monodepth2_head)
    decoder = reference.random_weights(shapes, 1)
    torch.save(encoder | {"height": 192, "width": 640, "use_stereo": False}, folder / "encoder.pth")
    torch.save(decoder, folder / "depth.pth")
    return encoder, decoder


@pytest.fixture
def trianflow(reference, tmp_path):
    shapes = prefixed("encoder.encoder.", reference.resnet_shapes(18))
    shapes |= reference.decoder_shapes(channels(18), 1, trianflow_conv, trianflow_head)
    depth, flow = reference.random_weights(shapes), reference.random_weights(reference.flow_shapes(), 1)
    state = prefixed("depth_net.", depth) | prefixed("model_pose.model_flow.", flow)
    torch.save({"iteration": 5, "model_state_dict": state, "optimizer_state_dict": {}}, tmp_path / "last.pth")
    return depth, flow


@pytest.mark.parametrize("layers", [18, 50])
def test_depth_of_monodepth2_is_its_own_at_all_scales(reference, layers, tmp_path):
    encoder, decoder = write_monodepth2(reference, tmp_path, layers)
    found = read_checkpoint([tmp_path / "depth.pth", tmp_path / "encoder.pth"])
    assert (found.system, found.flow, found.size, found.left_out) == ("monodepth2", None, (192, 640), ())
    with torch.no_grad():
        features = reference.resnet_features(without("encoder.", encoder), (image() - 0.45) / 0.225)
        sigmas = reference.decoder_disparities(decoder, features, monodepth2_conv, monodepth2_head, "nearest")
    # depths of 0.1 to 100
    assert_same_depth(found.depth, image(), [1 / 100 + (1 / 0.1 - 1 / 100) * sigma for sigma in sigmas])


def test_depth_of_sc_sfmlearner_is_its_own_at_all_scales(reference, tmp_path):
    shapes = prefixed("encoder.encoder.", reference.resnet_shapes(18))
    shapes |= reference.decoder_shapes(channels(18), 4, sc_conv, sc_head)
    state = reference.random_weights(shapes)
    torch.save({"epoch": 3, "state_dict": prefixed("module.", state)}, tmp_path / "dispnet_model_best.pth.tar")
    found = read_checkpoint([tmp_path])
    assert found.system == "sc-sfmlearner"
    with torch.no_grad():
        features = reference.resnet_features(without("encoder.encoder.", state), (image() - 0.45) / 0.225)
        sigmas = reference.decoder_disparities(state, features, sc_conv, sc_head, "nearest")
    assert_same_depth(found.depth, image(), [10 * sigma + 0.01 for sigma in sigmas])


@pytest.mark.parametrize("size", [(64, 96), (70, 109)])
def test_depth_of_sfmlearner_is_its_own_at_all_scales_and_sizes(reference, size, tmp_path):
    state = reference.random_weights(reference.dispnet_shapes())
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "dispnet.pth.tar")
    found = read_checkpoint([tmp_path / "dispnet.pth.tar"], "sfmlearner")
    pixels = image(*size)
    with torch.no_grad():
        disparities = reference.dispnet_disparities(state, (pixels - 0.5) / 0.5)
    assert_same_depth(found.depth, pixels, disparities)


def test_depth_of_trianflow_is_its_own_on_images_whose_channels_are_reversed(reference, trianflow, tmp_path):
    found = read_checkpoint([tmp_path])
    assert (found.system, found.size) == ("trianflow", (256, 832))
    with torch.no_grad():
        features = reference.resnet_features(
            without("encoder.encoder.", trianflow[0]), (image()[:, BGR] - 0.45) / 0.225
        )
        sigmas = reference.decoder_disparities(trianflow[0], features, trianflow_conv, trianflow_head, "bilinear")
    # as its depth is scored
    assert_same_depth(found.depth, image(), [sigma + 1e-4 for sigma in sigmas])


def test_flow_of_trianflow_is_its_own_in_both_directions_at_all_scales(reference, trianflow, tmp_path):
    a, b = image(128, 192), image(128, 192, seed=1)
    with torch.no_grad():
        forward, backward = read_checkpoint([tmp_path / "last.pth"]).flow(a, b)
        for found, expected in (
            (forward, reference.flows(trianflow[1], a[:, BGR], b[:, BGR])),
            (backward, reference.flows(trianflow[1], b[:, BGR], a[:, BGR])),
        ):
            assert [x.shape for x in found] == [x.shape for x in expected]
            for ours, theirs in zip(found, expected, strict=True):
                assert theirs.abs().max() > 1
                torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_a_checkpoint_of_the_flow_stage_holds_flow_alone(trianflow, tmp_path):
    torch.save({"model_state_dict": prefixed("module.", trianflow[1])}, tmp_path / "flow.pth")
    found = read_checkpoint([tmp_path / "flow.pth"])
    assert found.depth is None
    torch.testing.assert_close(found.flow.pyramid[1][0][0].weight.detach(), trianflow[1]["fpyramid.conv3.0.weight"])


def test_files_before_torch_1_6_and_weights_without_counters_are_read_too(monodepth2, tmp_path):
    bare = {name: value for name, value in monodepth2[0].items() if not name.endswith("num_batches_tracked")}
    torch.save(bare, tmp_path / "encoder.pth", _use_new_zipfile_serialization=False)
    found = read_checkpoint([tmp_path], size=(96, 320))
    assert found.size == (96, 320)
    torch.testing.assert_close(found.depth.encoder.conv1.weight.detach(), monodepth2[0]["encoder.conv1.weight"])


def test_pose_networks_that_do_not_fit_are_named(monodepth2, reference, tmp_path):
    encoder = reference.random_weights(prefixed("encoder.", reference.resnet_shapes(50, images=2)))
    torch.save(encoder, tmp_path / "pose_encoder.pth")
    torch.save({"state": {}, "param_groups": []}, tmp_path / "adam.pth")
    with pytest.raises(InputError, match=r"pose_encoder\.pth: half a pose network; .*pose\.pth"):
        read_checkpoint([tmp_path])
    torch.save({"net.0.weight": torch.zeros(256, 512, 1, 1)}, tmp_path / "pose.pth")
    found = read_checkpoint([tmp_path])
    assert found.pose is None
    assert len(found.left_out) == 1
    assert "resnet50" in found.left_out[0]
    encoder = reference.random_weights(prefixed("encoder.", reference.resnet_shapes(18, images=2)))
    torch.save(encoder, tmp_path / "pose_encoder.pth")
    with pytest.raises(InputError, match=r"pose_encoder\.pth: weights of another network; .*net\.1\.weight"):
        read_checkpoint([tmp_path])
    with pytest.raises(InputError, match=r"pose\.pth.*depth network"):
        read_checkpoint([tmp_path / "pose.pth"])


def test_folders_of_checkpoints_are_told_from_others(monodepth2, tmp_path):
    assert is_checkpoint(tmp_path)
    assert is_checkpoint(tmp_path / "depth.pth")
    (tmp_path / "empty").mkdir()
    assert not is_checkpoint(tmp_path / "empty")


class Code:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('code was run')",))


def test_code_in_a_pickle_is_refused_and_not_run(tmp_path):
    torch.save({"state_dict": Code()}, tmp_path / "a.pth")
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Code()))
    for name in ("a.pth", "b.pth"):
        with pytest.raises(InputError, match=f"{name}.*not plain weights"):
            read_checkpoint([tmp_path / name])


def test_a_file_that_was_not_copied_whole_is_named(monodepth2, tmp_path):
    content = (tmp_path / "depth.pth").read_bytes()
    (tmp_path / "depth.pth").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"depth\.pth: damaged weights"):
        read_checkpoint([tmp_path])
    old = tmp_path / "old.pth"
    torch.save(monodepth2[1], old, _use_new_zipfile_serialization=False)
    old.write_bytes(old.read_bytes()[:200_000])
    with pytest.raises(InputError, match=r"old\.pth: damaged weights"):
        read_checkpoint([old])
    with pytest.raises(InputError, match=r"none\.pth: no such weights"):
        read_checkpoint([tmp_path / "none.pth"])


def test_files_of_two_networks_are_refused(reference, monodepth2, trianflow, tmp_path):
    with pytest.raises(InputError, match=r"monodepth2.*trianflow|trianflow.*monodepth2"):
        read_checkpoint([tmp_path])
    other = tmp_path / "other"
    other.mkdir()
    write_monodepth2(reference, other, 50)
    with pytest.raises(
        InputError, match=r"encoder\.pth and .*depth\.pth: weights of another network; of another shape"
    ):
        read_checkpoint([tmp_path / "depth.pth", other / "encoder.pth"])
    with pytest.raises(InputError, match=r"each holds a depth decoder"):
        read_checkpoint([tmp_path / "depth.pth", other / "depth.pth"])
    with pytest.raises(InputError, match=r"half a depth network.*depth\.pth"):
        read_checkpoint([tmp_path / "encoder.pth"])


def test_other_networks_than_asked_for_or_known_are_named(monodepth2, tmp_path):
    with pytest.raises(InputError, match="weights of monodepth2, not of trianflow"):
        read_checkpoint([tmp_path], "trianflow")
    strange = tmp_path / "strange.pth"
    torch.save({"blocks.0.attention.weight": torch.zeros(3)}, strange)
    with pytest.raises(InputError, match=r"strange\.pth.*blocks\.0\.attention.*sfmlearner"):
        read_checkpoint([strange])
    for nothing in ({"epoch": 3}, [1, 2]):
        torch.save(nothing, strange)
        with pytest.raises(InputError, match=r"strange\.pth: holds no weights"):
            read_checkpoint([strange])
    lacking = {name: value for name, value in monodepth2[1].items() if name != "decoder.3.conv.conv.bias"}
    torch.save(lacking, tmp_path / "depth.pth")
    with pytest.raises(InputError, match=r"missing: decoder\.3\.conv\.conv\.bias"):
        read_checkpoint([tmp_path / "depth.pth", tmp_path / "encoder.pth"])
