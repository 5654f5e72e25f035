"""Exported files, run by other programs, give what the networks give."""

import importlib.util
import re

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import vode
from vode.cli.main import main
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import DepthOptions, FlowOptions
from vode.networks.padding import pad_to_multiple
from vode.odometry.frames import Frame
from vode.pipelines.export.eight_bits import HELD_OUT
from vode.pipelines.export.export import export_model
from vode.pipelines.export.images import everywhere
from vode.pipelines.export.onnx_file import Session
from vode.pipelines.export.options import ExportOptions
from vode.pipelines.export.perception import OnnxNetworks

SIZE, SMALL = (64, 96), (64, 192)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    torch.manual_seed(0)
    depth = DepthNet(DepthOptions(decoder=(4, 4, 4, 4, 4), canonical_focal=60.0)).eval()
    folder = tmp_path_factory.mktemp("run") / "model"
    vode.Model(depth, FlowNet(FlowOptions(search=1)).eval(), size=SIZE).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(run):
    return vode.Model.from_pretrained(run, device="cpu")


def session(file):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def images(count, height, width):
    generator = torch.Generator().manual_seed(1)
    small = torch.rand(count, 3, height // 8, width // 8, generator=generator)
    return torch.nn.functional.interpolate(small, (height, width), mode="bicubic").clamp(0, 1)


@torch.no_grad()
def test_a_program_of_torch_is_read_again_and_gives_the_same(run, model, tmp_path):
    (written,) = export_model(run, "torch-export", tmp_path, ExportOptions(networks=("depth",)))
    program = torch.export.load(written.file).module()
    image, focal = images(1, *SIZE), torch.tensor([120.0])
    torch.testing.assert_close(program(image, focal), model.depth.depth(image, focal))


@torch.no_grad()
def test_16_bits_take_half_of_the_file_and_are_near_and_the_file_says_what_it_means(run, model, tmp_path):
    options = ExportOptions(networks=("depth",), precision="float16", image="uint8")
    (written,) = export_model(run, "onnx", tmp_path, options)
    assert written.file.stat().st_size < 0.55 * (run / "depth.safetensors").stat().st_size
    levels, focal = (images(1, *SIZE) * 255).to(torch.uint8), torch.tensor([90.0])
    opened = session(written.file)
    given = {"image": levels.permute(0, 2, 3, 1).numpy(), "focal": focal.numpy()}
    half = opened.run(["depth"], given)[0]
    exact = model.depth.depth(levels.float() / 255, focal).numpy()
    assert not np.array_equal(exact, half)
    np.testing.assert_allclose(half, exact, rtol=0.05)
    told = opened.get_modelmeta().custom_metadata_map
    assert (told["unit"], told["canonical_focal"], told["vode"]) == ("metres", "60", vode.__version__)
    assert {"licence", "size", "preprocessing", "focal"} <= set(told)
    assert str(vode.__path__[0]).encode() not in written.file.read_bytes()


@torch.no_grad()
def test_8_bits_take_a_third_of_the_file_at_most_and_the_file_says_what_depth_loses(tmp_path):
    options = ExportOptions(networks=("depth",), size=SMALL, precision="int8")
    (written,) = export_model("vode-small", "onnx", tmp_path, options)
    proto = onnx.load(written.file)
    kernels = [each for each in proto.graph.initializer if len(each.dims) == 4]
    # and nothing is left of the kernels in 32 bits but scales and biases
    assert {each.data_type for each in kernels} == {onnx.TensorProto.INT8}
    assert 0.25 < written.file.stat().st_size / sum(4 * np.prod(each.dims) for each in kernels) < 0.33
    found = re.fullmatch(
        r"AbsRel (0\.\d+) on 36 rendered images, (0\.\d+) in 32 bits",
        Session(written.file.read_bytes()).metadata["difference"],
    )
    assert found is not None
    coarse, exact = map(float, found.groups())
    model = vode.load("vode-small", device="cpu")
    depths = [model.depth.depth(image, focal)[0, 0] for image, focal, _ in everywhere(SMALL, HELD_OUT)]
    scores = vode.evaluate_depth(depths, [depth[0, 0] for _, _, depth in everywhere(SMALL, HELD_OUT)])
    assert exact == pytest.approx(scores["abs_rel"], abs=0.002)
    assert exact < coarse < exact + 0.02


@pytest.mark.parametrize("flags", [["--to", "onnx"], ["--to", "torch-export", "--networks", "depth"]])
def test_8_bits_are_for_depth_in_onnx_files(flags, tmp_path, capsys):
    assert main(["export", "vode-small", *flags, "--precision", "int8", "--out", str(tmp_path / "out")]) == 2
    assert "--networks depth --to onnx" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


class Padded(torch.nn.Module):
    def forward(self, image):
        return pad_to_multiple(image, 32, 64)


@pytest.mark.parametrize("size", [(70, 100), (65, 128), (96, 333)])
def test_images_of_any_size_are_padded_in_a_graph_as_without_one(size):
    sides = {i: torch.export.Dim(name, min=64, max=2**14) for i, name in ((2, "height"), (3, "width"))}
    traced = torch.export.export(
        Padded(),
        (torch.rand(1, 3, 200, 330),),
        dynamic_shapes=(sides,),
        prefer_deferred_runtime_asserts_over_guards=True,
    )
    image = torch.rand(1, 3, *size)
    torch.testing.assert_close(traced.module()(image), pad_to_multiple(image, 32, 64), rtol=0, atol=0)


def test_onnxruntime_sees_what_torch_sees_in_a_video(model):
    image = images(2, *SIZE)
    intrinsics = torch.tensor([[[80.0, 0, 48], [0, 80, 32], [0, 0, 1]]])
    a, b = (Frame(i, image[i : i + 1], intrinsics) for i in (0, 1))
    ours, theirs = OnnxNetworks(model, SIZE), model.perception()
    torch.testing.assert_close(ours.depth(a), theirs.depth(a), rtol=1e-4, atol=0)
    for flow, expected in zip(ours.flow(a, b), theirs.flow(a, b), strict=True):
        torch.testing.assert_close(flow, expected, rtol=1e-4, atol=1e-4)


def test_too_small_a_size_is_said_in_one_line(tmp_path, capsys):
    size = ["--size", "32", "64"]
    assert main(["export", "vode-small", "--to", "onnx", "--out", str(tmp_path / "out"), *size]) == 2
    assert "64 pixels or more" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("verb", [["export", "vode-small", "--to", "onnx"], ["run", "demo", "--backend", "onnx"]])
def test_a_missing_extra_is_named(verb, tmp_path, capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "onnx" else find(name, *a))
    assert main([*verb, "--out", str(tmp_path / "out")]) == 2
    assert "pip install 'vode[onnx]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
