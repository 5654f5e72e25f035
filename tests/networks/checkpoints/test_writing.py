"""Networks written in the layouts of other systems, which read them whole."""

import io

import pytest
import torch

from vode.errors import InputError
from vode.networks.checkpoints.reading import read_checkpoint
from vode.networks.checkpoints.writing import checkpoint_files
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import TRIANFLOW, DepthOptions, FlowOptions

SIZE = (96, 320)


def written(folder, system, depth, flow):
    files = checkpoint_files(system, depth, flow, SIZE)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return {name: torch.load(io.BytesIO(data), weights_only=True) for name, data in files.items()}


@pytest.fixture(scope="module")
def flow():
    torch.manual_seed(0)
    return FlowNet(TRIANFLOW)


def assert_same(found, network):
    state = network.state_dict()
    assert found.state_dict().keys() == state.keys()
    for name, value in found.state_dict().items():
        assert torch.equal(value, state[name]), name


@pytest.mark.parametrize("disparity", [(0.01, 9.99), (1e-4, 1.0)])
def test_trianflow_reads_all_tensors_under_its_names(reference, flow, disparity, tmp_path):
    depth = DepthNet(DepthOptions(disparity=disparity))
    content = written(tmp_path, "trianflow", depth, flow)
    assert list(content) == ["last.pth"]
    state = content["last.pth"]["model_state_dict"]
    wanted = {f"depth_net.encoder.encoder.{name}": shape for name, shape in reference.resnet_shapes(18).items()}
    wanted |= reference.decoder_shapes(
        (64, 64, 128, 256, 512),
        1,
        lambda level, part: f"depth_net.decoder.upconvs.{level}.{part}.conv.conv",
        lambda scale: f"depth_net.decoder.dispconvs.{scale}.conv",
    )
    wanted |= {f"model_pose.model_flow.{name}": shape for name, shape in reference.flow_shapes().items()}
    assert {name: tuple(value.shape) for name, value in state.items()} == wanted
    again = read_checkpoint([tmp_path])
    assert_same(again.depth, depth)
    assert_same(again.flow, flow)


@pytest.mark.parametrize("encoder", ["resnet18", "resnet50"])
def test_monodepth2_reads_all_tensors_under_its_names(reference, flow, encoder, tmp_path):
    depth = DepthNet(DepthOptions(encoder=encoder, scales=4, upsampling="nearest"))
    if encoder != "resnet18":
        depth.encoder.mean.fill_(0.45)
        depth.encoder.deviation.fill_(0.225)
    content = written(tmp_path, "monodepth2", depth, flow)
    assert list(content) == ["encoder.pth", "depth.pth"]
    about = {name: content["encoder.pth"].pop(name) for name in ("height", "width", "use_stereo")}
    assert about == {"height": 96, "width": 320, "use_stereo": False}
    shapes = reference.resnet_shapes(int(encoder.removeprefix("resnet")))
    found = {name: tuple(value.shape) for name, value in content["encoder.pth"].items()}
    assert found == {f"encoder.{name}": shape for name, shape in shapes.items()}
    again = read_checkpoint([tmp_path])
    assert again.size == SIZE
    assert_same(again.depth, depth)


def test_reading_and_writing_again_changes_nothing(reference, flow, tmp_path):
    depth = DepthNet()
    written(tmp_path, "trianflow", depth, flow)
    first = torch.load(tmp_path / "last.pth", weights_only=True)["model_state_dict"]
    again = read_checkpoint([tmp_path])
    second = written(tmp_path, "trianflow", again.depth, again.flow)["last.pth"]["model_state_dict"]
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.mark.parametrize(
    ("system", "options", "named"),
    [
        ("trianflow", {"encoder": "resnet34"}, "depth.encoder resnet34"),
        ("trianflow", {"upsampling": "nearest", "padding": "zeros"}, "depth.upsampling nearest, depth.padding zeros"),
        ("trianflow", {"canonical_focal": 240.0}, "depth.canonical_focal"),
        ("monodepth2", {"upsampling": "nearest"}, "depth.scales 1"),
        ("monodepth2", {"scales": 4, "upsampling": "nearest", "disparity": (0.1, 1.0)}, "depth.disparity"),
        ("monodepth2", {"scales": 4, "upsampling": "nearest", "encoder": "resnet50"}, "other colours"),
    ],
)
def test_depth_that_the_system_cannot_have_is_refused(flow, system, options, named):
    with pytest.raises(InputError, match=named):
        checkpoint_files(system, DepthNet(DepthOptions(**options)), flow, SIZE)


def test_flow_that_the_system_cannot_have_is_refused():
    flow = FlowNet(FlowOptions(cost="mean"))
    with pytest.raises(InputError, match=r"flow\.normalise True, flow\.image normalised, flow\.outside border"):
        checkpoint_files("trianflow", DepthNet(), flow, SIZE)
