"""View synthesis as a run: trained, resumed, loaded, and tracked by its pose network or by geometry."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import vode
from vode.augmentation.options import NO_AUGMENT
from vode.errors import InputError
from vode.io.atomic import make_folder
from vode.networks.options import DepthOptions, PoseOptions
from vode.odometry.options import TrackerOptions
from vode.odometry.result import Method
from vode.pipelines.options import OdometryOptions
from vode.pipelines.tracking.sequences import track_sequences
from vode.run_folder import RunFolder, find_run
from vode.training import loop
from vode.training.checkpoint import checkpoints
from vode.view_synthesis import family
from vode.view_synthesis.config import SynthesisStage, ViewSynthesisConfig
from vode.view_synthesis.options import SnippetOptions, SynthesisOptions, SynthesisWeights
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

WORLD = WorldOptions(size=(32, 96), frames=6)


def tiny(**changes):
    config = ViewSynthesisConfig(
        sequences=("5",),
        size=(32, 96),
        world=WORLD,
        batch=1,
        augment=NO_AUGMENT,
        depth=DepthOptions(decoder=(8, 8, 8, 8, 8), scales=4),
        pose=PoseOptions(explainability=True),
        synthesis=SynthesisOptions("l1", "own"),
        depth_stage=SynthesisStage(4, 1e-3, weights=SynthesisWeights(explainability=0.2)),
        log_every=1,
        visualize_every=1,
        save_every=2,
        device="cpu",
    )
    return replace(config, **changes)


@pytest.fixture(scope="module", autouse=True)
def short():
    """Runs are scored on a few frames."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(family, "scoring_sequence", lambda _: WorldSequence(5, WORLD))
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory, short):
    folder = tmp_path_factory.mktemp("view-synthesis") / "run"
    return folder, loop.train(tiny(), folder)


def test_a_run_is_scored_with_the_motions_of_its_pose_network(run):
    _, results = run
    assert results.keys() >= {"depth_abs_rel", "depth_abs_rel_constant", "ate_m", "scale_deviation"}
    assert 0 < results["depth_abs_rel"] < 2
    assert results["ate_m"] > 0


def test_a_resumed_run_ends_with_the_same_weights(run, tmp_path):
    content = torch.load(checkpoints(RunFolder(run[0]))[0], weights_only=True)["networks"]
    shutil.copytree(run[0], tmp_path / "run")
    (newest,) = [path for path in checkpoints(RunFolder(tmp_path / "run")) if path.stem == "00000004"]
    newest.unlink()
    loop.resume(tmp_path / "run", ViewSynthesisConfig)
    again = torch.load(checkpoints(RunFolder(tmp_path / "run"))[0], weights_only=True)["networks"]
    assert all(torch.equal(content[name], again[name]) for name in content)


def test_a_loaded_run_tracks_by_its_pose_network_or_by_geometry(run, tmp_path):
    model = vode.load(run[0], device="cpu")
    assert model.pose is not None
    # what it lacks is that of the shipped weights
    assert model.flow.options == find_run("vode-small").load_network(type(model.flow)).options
    sequence = WorldSequence(5, WORLD)
    assert model.predict_depth(sequence.frame(0)).shape == (32, 96)
    methods = {}
    for tracker in (None, "vode"):
        out = make_folder(tmp_path / str(tracker))
        track_sequences(model, [sequence], out, OdometryOptions(tracker=tracker))
        methods[tracker] = (out / f"{sequence.name}.log.jsonl").read_text("utf-8").count(Method.NETWORK)
    assert methods[None] == 5
    assert methods["vode"] == 0
    with pytest.raises(InputError, match="no pose network"):
        track_sequences(vode.load("vode-small"), [sequence], tmp_path, OdometryOptions(tracker="pose-network"))
    odometry = vode.VisualOdometry(model, sequence.intrinsics)
    assert [odometry.register_frame(sequence.frame(i)).method for i in (0, 1)] == [Method.START, Method.NETWORK]


def test_a_saved_model_keeps_its_pose_network(run, tmp_path):
    model = vode.load(run[0], device="cpu")
    model.save_pretrained(tmp_path / "saved")
    again = vode.load(tmp_path / "saved", device="cpu")
    for name, value in model.pose.state_dict().items():
        assert torch.equal(again.pose.state_dict()[name], value)
    assert again.tracker == model.tracker


def test_a_run_starts_from_another_or_takes_its_depth_alone(run):
    config = tiny(start_from=run[0], depth=DepthOptions(), pose=PoseOptions())
    found = family.networks(config)
    assert found["pose"].options.explainability
    config = tiny(start_from=Path("vode-small"), depth=DepthOptions())
    found = family.networks(config)
    assert found["depth"].options.encoder == "efficientnet_lite0"
    assert found["pose"].options == config.pose
    with pytest.raises(InputError, match="options cannot change its depth"):
        family.networks(replace(config, depth=DepthOptions(scales=4, encoder="dispnet")))


def test_a_posecnn_must_fit_its_snippets():
    with pytest.raises(InputError, match="5 frames for snippets of 3"):
        tiny(pose=PoseOptions(frames=5))
    assert tiny(pose=PoseOptions("resnet18"), snippet=SnippetOptions(length=5)).snippet.length == 5


def test_a_stage_of_motion_alone_leaves_the_depth_as_it_is(tmp_path):
    motion = SynthesisStage(2, 1e-3, weights=SynthesisWeights(explainability=0.2))
    config = tiny(motion_stage=motion, stages=("motion",), score_at_end=False)
    torch.manual_seed(config.seed)
    before = family.networks(config)
    loop.train(config, tmp_path / "run")
    content = torch.load(checkpoints(RunFolder(tmp_path / "run"))[0], weights_only=True)["networks"]
    same = {
        name: all(torch.equal(content[f"{name}.{key}"], value) for key, value in network.state_dict().items())
        for name, network in before.items()
    }
    assert same == {"depth": True, "pose": False}
    assert [name for name, _ in tiny(motion_stage=motion).plan()] == ["motion", "depth"]


def test_before_motion_is_known_frames_are_compared_at_all_sizes_and_without_masks():
    options = SynthesisOptions("ssim", "full", "minimum", "border", auto_mask=True, consistency_mask=True)
    begun = SynthesisOptions("ssim", "own", "minimum", "masked")
    assert family.before_motion(options) == begun


def test_single_stereo_pairs_have_no_motion_to_learn():
    with pytest.raises(InputError, match="no motion to learn; set its steps to 0"):
        tiny(
            snippet=SnippetOptions(length=1, stereo=True),
            tracker=TrackerOptions(),
            pose=PoseOptions(),
            depth_stage=SynthesisStage(4),
            motion_stage=SynthesisStage(4),
        )
