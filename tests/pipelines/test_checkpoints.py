"""Checkpoints of other systems as runs, which are evaluated, tracked with and trained from, and back."""

import dataclasses

import numpy as np
import pytest
import torch

import vode
from vode.errors import InputError
from vode.networks.checkpoints.layouts import pose_layout
from vode.networks.checkpoints.writing import checkpoint_files
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import TRIANFLOW, DepthOptions, PoseOptions
from vode.networks.pose import PoseNet
from vode.pipelines.checkpoints import export_checkpoint, import_checkpoint
from vode.pipelines.options import ImportOptions
from vode.recipes import recipe
from vode.training.loop import build_networks
from vode.training.video import networks

SIZE = (64, 96)
MONODEPTH2 = DepthOptions(scales=4, upsampling="nearest")


@pytest.fixture(scope="module")
def trianflow(tmp_path_factory):
    """The file of random networks in TrianFlow's layout, and their tensors."""
    torch.manual_seed(0)
    depth, flow = DepthNet(), FlowNet(TRIANFLOW)
    path = tmp_path_factory.mktemp("trianflow") / "last.pth"
    path.write_bytes(checkpoint_files("trianflow", depth, flow, SIZE)["last.pth"])
    return path


@pytest.fixture(scope="module")
def monodepth2(tmp_path_factory):
    """The folder of a random network in Monodepth2's layout."""
    folder = tmp_path_factory.mktemp("monodepth2")
    depth = DepthNet(MONODEPTH2)
    for name, data in checkpoint_files("monodepth2", depth, FlowNet(), SIZE).items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (70, 120, 3), dtype=np.uint8)


def test_an_imported_run_predicts_what_the_file_does(trianflow, image, tmp_path):
    lines = import_checkpoint([trianflow], tmp_path / "run", options=ImportOptions(size=SIZE))
    assert lines == ["weights of trianflow, images of 96x64"]
    run, file = vode.load(tmp_path / "run", device="cpu"), vode.load(trianflow, device="cpu")
    assert (run.size, file.size) == (SIZE, (256, 832))
    file.size = SIZE
    np.testing.assert_array_equal(run.predict_depth(image), file.predict_depth(image))
    np.testing.assert_array_equal(
        run.predict_flow(image, image[:, ::-1], refine=False), file.predict_flow(image, image[:, ::-1], refine=False)
    )


def test_a_flow_network_that_the_files_lack_is_that_of_other_weights(monodepth2, image, tmp_path):
    lines = import_checkpoint([monodepth2], tmp_path / "run")
    assert lines[-1] == "no flow network in these files: that of vode-small is taken"
    run, shipped = vode.load(tmp_path / "run", device="cpu"), vode.load("vode-small", device="cpu")
    assert run.size == SIZE
    for name, value in shipped.flow.state_dict().items():
        assert torch.equal(run.flow.state_dict()[name], value)
    other = vode.load(monodepth2, device="cpu")
    np.testing.assert_array_equal(other.predict_depth(image), run.predict_depth(image))


def test_an_imported_pose_network_tracks_and_is_trained_on(tmp_path):
    torch.manual_seed(1)
    pose = PoseNet(PoseOptions("resnet18", rotation="axis-angle"))
    for name, data in checkpoint_files("monodepth2", DepthNet(MONODEPTH2), FlowNet(), SIZE).items():
        (tmp_path / name).write_bytes(data)
    files: dict[str, dict[str, torch.Tensor]] = {"pose_encoder": {}, "pose": {}}
    for name, value in pose_layout("monodepth2", pose).tensors(pose).items():
        files["pose" if name.startswith("net.") else "pose_encoder"][name] = value
    for name, tensors in files.items():
        # the rotation first, as it is in these files
        tensors = {k: v[[3, 4, 5, 0, 1, 2]] if k.startswith("net.3.") else v for k, v in tensors.items()}
        torch.save(tensors, tmp_path / f"{name}.pth")
    lines = import_checkpoint([tmp_path], tmp_path / "run")
    assert lines[1:] == ["no flow network in these files: that of vode-small is taken"]
    model = vode.load(tmp_path / "run", device="cpu")
    images = [np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8) for seed in range(2)]
    options = dataclasses.replace(model.tracker, tracker="pose-network", refine="none", scale_from="depth")
    odometry = vode.VisualOdometry(model, vode.Camera.of_view(SIZE, 70.0), options)
    for each in images:
        found = odometry.register_frame(each)
    pair = torch.stack([torch.from_numpy(each).permute(2, 0, 1) for each in images])[None] / 255
    with torch.no_grad():
        expected = pose.eval()(pair).T_s_t[0, 0]
    np.testing.assert_allclose(found.pose, expected.double(), atol=1e-6)
    wanted = {"depth": MONODEPTH2, "pose": pose.options}
    config = dataclasses.replace(recipe("monodepth2-small"), start_from=tmp_path / "run", **wanted)
    started = build_networks(config)["pose"]
    assert all(torch.equal(value, started.state_dict()[name]) for name, value in pose.state_dict().items())


def test_an_imported_run_is_tracked_with(trianflow, tmp_path):
    import_checkpoint([trianflow], tmp_path / "run", options=ImportOptions(size=SIZE))
    odometry = vode.VisualOdometry(vode.load(tmp_path / "run", device="cpu"), vode.Camera.of_view(SIZE, 70.0))
    for seed in range(2):
        odometry.register_frame(np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8))
    assert len(odometry.trajectory) == 2


def test_training_starts_from_an_imported_run(trianflow, tmp_path):
    import_checkpoint([trianflow], tmp_path / "run")
    config = dataclasses.replace(recipe("world"), start_from=tmp_path / "run")
    started, file = networks(config), vode.load(trianflow, device="cpu")
    assert started["flow"].options == TRIANFLOW
    assert torch.equal(started["depth"].encoder.conv1.weight, file.depth.encoder.conv1.weight)


@pytest.mark.parametrize("system", ["trianflow", "monodepth2"])
def test_import_export_import_gives_identical_tensors(system, trianflow, monodepth2, tmp_path):
    import_checkpoint([trianflow if system == "trianflow" else monodepth2], tmp_path / "first")
    files = export_checkpoint(tmp_path / "first", system, tmp_path / "theirs")
    assert all(file.is_file() for file in files)
    import_checkpoint(files, tmp_path / "second", system)
    first, second = (vode.load(tmp_path / name, device="cpu") for name in ("first", "second"))
    assert first.size == second.size
    for kind in ("depth", "flow"):
        state = getattr(second, kind).state_dict()
        for name, value in getattr(first, kind).state_dict().items():
            assert torch.equal(state[name], value), name


def test_nothing_is_written_where_something_is_refused(trianflow, tmp_path):
    broken = tmp_path / "broken.pth"
    broken.write_bytes(trianflow.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"broken\.pth: damaged"):
        import_checkpoint([broken], tmp_path / "run")
    with pytest.raises(InputError, match="not of monodepth2"):
        import_checkpoint([trianflow], tmp_path / "run", "monodepth2")
    with pytest.raises(InputError, match="nowhere"):
        import_checkpoint([trianflow.parent / "nowhere.pth"], tmp_path / "run")
    with pytest.raises(InputError, match=r"efficientnet_lite0"):
        export_checkpoint("vode-small", "trianflow", tmp_path / "theirs")
    assert sorted(tmp_path.iterdir()) == [broken]
    import_checkpoint([trianflow], tmp_path / "run")
    with pytest.raises(InputError, match="holds a run already"):
        import_checkpoint([trianflow], tmp_path / "run")
