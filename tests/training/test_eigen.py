"""The recipe of Eigen et al.'s networks: its loss is lowered, and its run is a model like others."""

import json
from dataclasses import replace

import torch

import vode
from vode.augmentation.options import NO_AUGMENT
from vode.networks.eigen import EigenNet
from vode.recipes import recipe
from vode.training import loop
from vode.world.options import WorldOptions


def test_a_short_training_lowers_the_loss_and_leaves_a_model(tmp_path):
    usual = recipe("eigen")
    config = replace(
        usual,
        size=(32, 64),
        sequences=("0",),
        world=WorldOptions(frames=2),
        batch=2,
        depth_stage=replace(usual.depth_stage, steps=20, warm_up=0, learning_rate=3e-4),
        augment=NO_AUGMENT,
        score_at_end=False,
        log_every=1,
        device="cpu",
    )
    loop.train(config, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [line["scale_invariant"] for line in lines]
    assert sum(losses[-3:]) < 0.5 * sum(losses[:3])
    assert {"log_depth", "depth_gradient"}.isdisjoint(lines[0])
    model = vode.load(tmp_path / "run", device="cpu")
    assert isinstance(model.depth, EigenNet)
    assert model.depth.options.full_size == (32, 64)
    assert model.predict_depth(torch.rand(3, 40, 70)).shape == (40, 70)
    again = replace(config, start_from=tmp_path / "run")
    assert loop.build_networks(again)["depth"].options == model.depth.options
