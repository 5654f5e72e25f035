"""The weights that ship: whole, small, with their card and licences, and as good as the card says."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open

import vode
from vode.datasets.kitti.stereo import KittiScene
from vode.evaluation.depth import DepthProtocol, depth_scores
from vode.evaluation.odometry import evaluate_odometry
from vode.evaluation.runs import ground_truth_trajectory
from vode.networks.options import DepthOptions, FlowOptions
from vode.odometry.track import track
from vode.recipes import recipe
from vode.recipes.supervised import EVERYWHERE
from vode.run_folder import find_run
from vode.training.config import SupervisedConfig
from vode.world.sequence import WorldSequence

NAME = "vode-small"
MOST_BYTES = 25e6
SEEDS = {"residential": 23_000, "highway": 23_001, "tunnel": 23_002, "room": 23_003}
"""of rendered sequences that were neither trained on nor chosen with"""


@pytest.fixture(scope="module")
def model():
    return vode.load(NAME, device="cpu")


@pytest.fixture(scope="module")
def folder():
    return find_run(NAME).path


def test_the_files_are_small_and_of_16_bits_and_have_a_card_and_licences(folder):
    weights = sorted(folder.glob("*.safetensors"))
    assert [file.name for file in weights] == ["depth.safetensors", "flow.safetensors"]
    assert sum(file.stat().st_size for file in weights) < MOST_BYTES
    for file in weights:
        with safe_open(file, "pt") as opened:
            tensors = [opened.get_tensor(name) for name in opened.keys()]  # noqa: SIM118
        kernels = [tensor for tensor in tensors if tensor.ndim > 1 and tensor.numel() > 1000]
        assert {kernel.dtype for kernel in kernels} == {torch.float16}
    card = (folder / "card.md").read_text("utf-8")
    for said in ("python train.py vode-small", "Seed", "Licence", "hours", "bad at"):
        assert said in card, said
    assert "Apache License" in (folder / "LICENSE-APACHE").read_text("utf-8")
    assert "EfficientNet" in (folder / "NOTICE").read_text("utf-8")


def test_the_recipe_makes_these_networks(folder):
    config, made = find_run(NAME).read_config(SupervisedConfig), recipe(NAME)
    assert isinstance(config.flow, FlowOptions)
    assert isinstance(config.depth, DepthOptions)
    assert config.depth == made.depth
    assert (config.flow, config.size, config.dataset, config.tracker) == (made.flow, made.size, "world", made.tracker)


def test_depth_is_metric_on_scenes_that_were_never_trained_on(model):
    predictions, truths = [], []
    for kind, seed in SEEDS.items():
        sequence = WorldSequence(seed, replace(EVERYWHERE, size=(128, 416), scenes=(kind,)))
        for i in (10, 45):
            predictions.append(model.predict_depth(sequence.frame(i), camera=sequence.intrinsics)[None])
            truths.append(sequence.depth(i))
    scores = depth_scores(iter(predictions), iter(truths), DepthProtocol())
    assert scores.errors.mean(0)[0] < 0.2
    assert 0.7 < np.median(scores.ratios) < 1.4


def test_flow_of_scenes_that_were_never_trained_on_beats_no_motion_by_far(model):
    sequence = WorldSequence(23_004, replace(EVERYWHERE, size=(128, 416), scenes=("town",)))
    truth, visible = sequence.flow(20)
    found = model.predict_flow(sequence.frame(20), sequence.frame(21)).movedim(-1, 0)
    seen = visible[0] > 0
    assert (found - truth).norm(dim=0)[seen].mean() < 0.25 * truth.norm(dim=0)[seen].mean()


def test_real_depth_is_right_without_real_training(model, real_data):
    root = real_data / "kitti_2015"
    if not root.is_dir():
        pytest.skip("no KITTI 2015")
    scenes = [KittiScene(root, file.stem[:6]) for file in sorted((root / "disp_occ_0").glob("*_10.png"))]
    predictions = (model.predict_depth(scene.frame(0), camera=scene.intrinsics)[None] for scene in scenes)
    errors = depth_scores(predictions, (scene.depth(0) for scene in scenes), DepthProtocol()).errors.mean(0)
    assert errors[0] < 0.2
    assert errors[4] > 0.72


def test_real_video_is_tracked_in_metres(model, real_data):
    if not (real_data / "kitti_odometry").is_dir():
        pytest.skip("no KITTI odometry")
    sequence = vode.open_sequence("kitti-odom", real_data / "kitti_odometry", "00", camera=0, end=60)
    size = model.tracking_size(sequence.size)
    found = track(sequence, model.perception(), size=size, options=model.tracker).trajectory
    assert evaluate_odometry(found, ground_truth_trajectory(sequence), alignment="6dof")["ate_m"] < 3
