"""Runs of GeoNet and PoseNet-Flow: stages in their order, scores, and networks that load again."""

import json
from dataclasses import replace

import pytest
import torch

import vode
from vode.errors import InputError
from vode.networks.options import DepthOptions, PoseOptions, ResidualFlowOptions
from vode.networks.residual_flow import ResidualFlowNet
from vode.recipes import recipe
from vode.run_folder import RunFolder
from vode.training import loop
from vode.view_synthesis import family
from vode.view_synthesis.config import ViewSynthesisConfig
from vode.view_synthesis.geonet import load_geonet, score_full_flow, snippet_around
from vode.view_synthesis.options import SnippetOptions
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE, STEPS, SMALL = (64, 96), 1, "mobilenetv3_small_050"


@pytest.fixture(scope="module")
def sequence():
    return WorldSequence(3, WorldOptions(size=SIZE, frames=4))


@pytest.fixture(scope="module", params=["geonet", "posenet-flow"])
def run(request, sequence, tmp_path_factory):
    """The name of a recipe, the folder of a run of one step a stage, and its results."""
    folder = tmp_path_factory.mktemp("runs") / request.param
    config = recipe(request.param)
    stages = {f"{name}_stage": replace(stage, steps=STEPS) for name, stage in config.plan()}
    config = replace(
        config,
        **stages,
        dataset="world",
        sequences=("3",),
        camera=(),
        size=SIZE,
        depth=DepthOptions(encoder=SMALL, decoder=(8, 8, 8, 8, 8), scales=4),
        pose=replace(config.pose, network="posecnn"),
        residual=ResidualFlowOptions(encoder=SMALL, decoder=(8, 8, 8, 8, 8)),
        world=WorldOptions(frames=4),
        batch=1,
        workers=0,
        log_every=1,
        visualize_every=1,
        device="cpu",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(family, "scoring_sequence", lambda _: sequence)
        results = loop.train(config, folder)
    return request.param, folder, results


def test_stages_come_in_their_order_and_train_their_losses(run):
    name, folder, _ = run
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    first, last = ("depth", "residual") if name == "geonet" else ("flow", "depth")
    assert [line["stage"] for line in lines] == [first] * STEPS + [last] * STEPS
    losses = {
        "depth": {"photometric", "smoothness"},
        "residual": {"flow_warp", "flow_smoothness", "flow_consistency", "agree"},
        "flow": {"flow_photometric", "flow_smoothness"},
    }
    assert all(losses[line["stage"]] <= line.keys() for line in lines)


def test_depth_motion_and_flow_are_scored(run):
    name, _, results = run
    flow = {"full_flow_epe_px", "rigid_flow_epe_px"} if name == "geonet" else {"flow_epe_px"}
    assert all(results[key] > 0 for key in {"depth_abs_rel", "depth_abs_rel_constant"} | flow)
    assert results.keys() >= {"t_err_percent", "ate_m"}


def test_the_networks_of_a_run_load_again(run, sequence):
    name, folder, results = run
    model = vode.load(folder, device="cpu")
    assert model.predict_depth(sequence.frame(0)).shape == SIZE
    assert model.pose.options.input == ("images" if name == "geonet" else "flow")
    if name == "posenet-flow":
        assert not RunFolder(folder).has_network(ResidualFlowNet)
        return
    geonet, size = load_geonet(folder, device="cpu")
    again = score_full_flow(geonet, sequence, 3, size)
    assert again == pytest.approx({key: results[key] for key in again}, rel=1e-4)


def test_the_tracker_of_the_run_takes_the_pose_network_with_flow(run, sequence):
    name, folder, _ = run
    if name != "posenet-flow":
        return
    model = vode.load(folder, device="cpu")
    odometry = vode.VisualOdometry(model, sequence.camera)
    for i in range(2):
        found = odometry.register_frame(sequence.frame(i), i / 10)
    assert found.method == "network"
    images = torch.stack([sequence.frame(0), sequence.frame(1)])[None]
    before = model.pose(model.flow(images[:, 1], images[:, 0])[0][0][:, None]).T_s_t[0, 0].double()
    torch.testing.assert_close(torch.as_tensor(found.pose).double(), before, rtol=1e-3, atol=1e-5)


def test_a_run_of_flow_starts_from_another_and_keeps_what_that_has(run):
    name, folder, _ = run
    config = replace(recipe("posenet-flow"), start_from=folder)
    if name == "geonet":
        with pytest.raises(InputError, match="pose network"):
            family.networks(config)
        return
    again = RunFolder(folder)
    found = family.networks(replace(config, pose=again.read_config(ViewSynthesisConfig).pose))
    for key, network in found.items():
        kept = again.load_network(type(network)).state_dict()
        assert all(torch.equal(value, kept[field]) for field, value in network.state_dict().items()), key


def test_snippets_repeat_the_ends_of_a_sequence(sequence):
    assert torch.equal(snippet_around(sequence, 0, 3), torch.stack([sequence.frame(i) for i in (0, 0, 1)]))
    assert torch.equal(snippet_around(sequence, 2, 5), torch.stack([sequence.frame(i) for i in (0, 1, 2, 3, 3)]))


def test_stages_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="input to flow"):
        replace(recipe("posenet-flow"), pose=PoseOptions(network="resnet18"))
    config, two = recipe("geonet"), PoseOptions(frames=2)
    with pytest.raises(InputError, match="3 frames or more"):
        replace(config, snippet=SnippetOptions(length=2), pose=two)
