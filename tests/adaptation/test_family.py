"""Adaptation as a run: prepared once, resumed to the bit, and kept only where it helps."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import vode
from vode.adaptation import family
from vode.adaptation.clips import cut, split
from vode.adaptation.config import AdaptationConfig, AdaptDepthStage, AdaptFlowStage
from vode.adaptation.options import StructureOptions
from vode.augmentation.options import NO_AUGMENT, Augment
from vode.errors import InputError
from vode.evaluation.runs import score_depth
from vode.networks.depth import DepthNet
from vode.odometry.options import TrackerOptions
from vode.run_folder import RunFolder, find_run
from vode.training import loop, video
from vode.training.checkpoint import checkpoints
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE, WORLD = (64, 192), WorldOptions(size=(64, 192), frames=24)


@pytest.fixture(scope="module")
def start():
    """The folder of the shipped weights."""
    return find_run(Path("vode-small")).path


def tiny(start, **changes):
    config = AdaptationConfig(
        dataset="world",
        sequences=("5",),
        size=SIZE,
        world=WORLD,
        start_from=start,
        minutes=0.0,
        batch=1,
        part=24,
        clip_length=3,
        clip_stride=1,
        held_out=0.3,
        augment=NO_AUGMENT,
        depth_stage=AdaptDepthStage(4, 3e-4),
        flow_stage=AdaptFlowStage(2, 1e-5),
        structure=StructureOptions(points=2000, least_parallax=0.7, parallax=(1.0, 3.0)),
        motion=TrackerOptions(flow="classical"),
        log_every=1,
        save_every=2,
        device="cpu",
        half=True,
    )
    return replace(config, **changes)


@pytest.fixture(scope="module")
def structure(start, tmp_path_factory):
    """The folder of what was found out about the sequence, which takes longest."""
    folder = RunFolder(tmp_path_factory.mktemp("prepared"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        use(monkeypatch, WorldSequence(5, WORLD))
        family.prepare(tiny(start), folder)
    return folder.path / "structure"


def prepared(folder, structure):
    """The folder of a new run that has been prepared."""
    shutil.copytree(structure, folder / "structure")
    return folder


def use(monkeypatch, sequence):
    """Adapt to this sequence, and score nothing."""
    monkeypatch.setattr(family, "training_sequences", lambda config: [sequence])
    monkeypatch.setattr(family, "score", lambda networks, config: {})


def same(a, b):
    one, other = load_file(a), load_file(b)
    return all(one[key].equal(other[key]) for key in one)


def test_a_resumed_adaptation_equals_an_uninterrupted_one(start, structure, tmp_path, monkeypatch):
    use(monkeypatch, WorldSequence(5, WORLD))
    short = tiny(
        start, depth_stage=AdaptDepthStage(5, 1e-3), flow_stage=AdaptFlowStage(3, 1e-4), augment=Augment(), keep=9
    )
    whole, cut_short = (prepared(tmp_path / name, structure) for name in ("whole", "cut"))
    for folder in (whole, cut_short):
        loop.train(short, folder)
    for path in checkpoints(RunFolder(cut_short))[:2]:
        path.unlink()
    made = {path: path.stat().st_mtime_ns for path in (cut_short / "structure").iterdir()}
    loop.resume(cut_short, AdaptationConfig)
    assert {path: path.stat().st_mtime_ns for path in (cut_short / "structure").iterdir()} == made
    ends = [torch.load(checkpoints(RunFolder(f))[0], weights_only=True)["networks"] for f in (whole, cut_short)]
    assert all(ends[0][key].equal(ends[1][key]) for key in ends[0])
    assert same(whole / "depth.safetensors", cut_short / "depth.safetensors")


@pytest.mark.parametrize("kind", ["standing", "turning", "traffic"])
def test_a_camera_that_goes_nowhere_changes_nothing(request, start, tmp_path, monkeypatch, kind):
    sequence = request.getfixturevalue(kind)(6, WORLD)
    assert sequence.moving(16).float().mean() > 0.05 or kind == "turning"
    use(monkeypatch, sequence)
    results = loop.train(tiny(start), tmp_path / "run")
    assert (results["depth_adapted"], results["flow_adapted"]) == (0, 0)
    for name in ("depth", "flow"):
        assert same(Path(start) / f"{name}.safetensors", tmp_path / "run" / f"{name}.safetensors")
    assert vode.load(tmp_path / "run", device="cpu").size == SIZE


def test_results_of_a_clip_too_short_to_judge_are_unknown(start, tmp_path, monkeypatch):
    use(monkeypatch, WorldSequence(5, WorldOptions(size=SIZE, frames=5)))
    results = loop.train(tiny(start, clip_length=2, clip_stride=1), tmp_path / "run")
    assert [results[f"{name}_{when}"] for name in ("depth", "flow") for when in ("before", "after")] == [None] * 4
    # NaN would not be JSON
    assert "NaN" not in (tmp_path / "run" / "results.json").read_text()


def test_a_rendered_clip_makes_depth_better_by_exact_truth(start, structure, tmp_path, monkeypatch):
    sequence = WorldSequence(5, WORLD)
    use(monkeypatch, sequence)
    stage = AdaptDepthStage(20, 2e-4, "cosine", warm_up=5)
    config = tiny(start, stages=("depth",), held_out=0.42, depth_stage=stage)
    results = loop.train(config, prepared(tmp_path / "run", structure))
    assert results["depth_adapted"] == 1
    assert results["depth_after"] < results["depth_before"]
    before, after = (
        score_depth(find_run(folder).load_network(DepthNet).eval(), sequence, SIZE, every=4)["abs_rel"]
        for folder in (start, tmp_path / "run")
    )
    assert after < 0.95 * before


def test_minutes_set_the_steps(start, structure, tmp_path, monkeypatch):
    use(monkeypatch, WorldSequence(5, WORLD))
    config = family.prepare(tiny(start, minutes=0.1), RunFolder(prepared(tmp_path / "run", structure)))
    assert config.minutes == 0
    assert config.depth_stage.steps >= 1
    assert config.flow_stage.steps >= 1


def test_damaged_structure_is_named(start, structure, tmp_path, monkeypatch):
    use(monkeypatch, WorldSequence(5, WORLD))
    folder = RunFolder(prepared(tmp_path / "run", structure))
    config = family.prepare(tiny(start), folder)
    [path] = (folder.path / "structure").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=path.name):
        family.samples(config, folder)


def test_videos_are_cut_into_parts_and_parts_into_two():
    sequence = WorldSequence(5, WORLD)
    assert [len(part) for part in cut([sequence], 20, 1000)] == [24]
    assert [part.name for part in cut([sequence], 12, 12)] == ["world5 0-11"]
    before, after = split(sequence, 0.5, 4)
    assert (before.starts, after.starts) == (tuple(range(8)), tuple(range(12, 20)))


def test_short_videos_hold_out_a_third():
    before, after = split(WorldSequence(5, WORLD), 0.1, 1)
    assert (before.starts, after.starts) == (tuple(range(15)), tuple(range(16, 23)))


@pytest.mark.parametrize(
    "changes", [{"start_from": None}, {"augment": Augment(crop=0.1)}, {"held_out": 1.0}, {"part": 2}]
)
def test_options_that_cannot_work_are_refused(start, changes):
    with pytest.raises(InputError):
        tiny(start, **changes)


def test_frames_are_scored_with_the_sequence_of_the_run(start, tmp_path, monkeypatch):
    sequence = WorldSequence(5, replace(WORLD, frames=8))
    monkeypatch.setattr(video, "scoring_sequence", lambda config: sequence)
    networks = loop.build_networks(tiny(start))
    assert family.score(networks, tiny(start))["depth_abs_rel"] > 0
