"""What a bench trains: recipes on its data, their steps fitted to its budget."""

from dataclasses import replace

import pytest

from vode.errors import InputError
from vode.pipelines.bench.entries import FAMILIES, entries, final, scheduled, within
from vode.pipelines.bench.options import BenchOptions
from vode.recipes import RECIPES, recipe
from vode.training.config import StageConfig, VideoStage
from vode.training.step import learning_rate


def test_every_recipe_of_depth_and_odometry_can_take_part():
    names = [name for name, config in RECIPES.items() if config.family in FAMILIES]
    options = BenchOptions(size=(48, 96), sequences=("3",), batch=5, samples=1000)
    found = entries(names, options)
    assert list(found) == names
    assert {"world", "depth-supervised"} <= set(names)
    for config in found.values():
        assert (config.dataset, config.data, config.size, config.sequences, config.batch) == (
            *("world", None, (48, 96)), ("3",), 5
        )  # fmt: skip
        assert (config.workers, config.validate_every) == (0, 0)
    assert entries(["world"], BenchOptions())["world"].batch == recipe("world").batch


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], "no recipe to train; name some of world"),
        (["nothing"], "no recipe is called 'nothing'; choose one of world"),
        (["posenet"], "posenet: a recipe of the family relocalization; .* world, "),
        (["world", "adapt"], "adapt: a recipe of the family adaptation"),
        (["world", "world"], "world: named twice"),
    ],
)
def test_other_recipes_are_refused_by_name(names, told):
    with pytest.raises(InputError, match=told):
        entries(names, BenchOptions())


def test_a_recipe_without_steps_is_refused():
    with pytest.raises(InputError, match="idle: nothing to train"):
        entries({"idle": replace(recipe("world"), stages=())}, BenchOptions())


@pytest.mark.parametrize(
    "wrong", [{"minutes": 0.0}, {"minutes": float("nan")}, {"samples": -1}, {"seeds": ()}, {"points": 0}]
)
def test_options_without_sense_are_refused(wrong):
    with pytest.raises(InputError):
        BenchOptions(**wrong)


def staged(*steps):
    stages = (VideoStage(steps=count, decay="step", decay_every=100, warm_up=20) for count in steps)
    return replace(
        recipe("world"), batch=4, **dict(zip(("flow_stage", "depth_stage", "joint_stage"), stages, strict=True))
    )


def test_minutes_are_divided_in_the_proportion_of_the_steps_by_what_a_step_takes():
    config, seconds = staged(1600, 400, 200), {"flow": 0.25, "depth": 0.5, "joint": 1.0}
    schedule = within(config, BenchOptions(minutes=2), seconds)
    # 400 + 200 + 200 seconds of the recipe in 120 seconds
    assert schedule.steps == {"flow": 240, "depth": 60, "joint": 30}
    assert sum(schedule.steps[name] * seconds[name] for name in seconds) == 120
    # 240 of 330 steps are those of flow, which take a minute; 30 of depth 15 seconds
    shares = [0, 240 / 330, 270 / 330, 1]
    assert [schedule.minutes(share) for share in shares] == pytest.approx([0, 1, 1.25, 2])


@pytest.mark.parametrize("samples", [8000, 60, 12])
def test_samples_are_seen_to_the_last_one(samples):
    schedule = within(staged(1600, 400, 250), BenchOptions(samples=samples), {})
    assert 4 * sum(schedule.steps.values()) == samples
    assert min(schedule.steps.values()) >= 1


def test_the_schedule_of_the_learning_rate_is_stretched_with_the_steps():
    config = scheduled(staged(1600, 400, 0), {"flow": 160, "depth": 4000})
    assert (config.flow_stage.decay_every, config.flow_stage.warm_up) == (10, 16)
    assert (config.depth_stage.decay_every, config.depth_stage.warm_up) == (1000, 20)
    assert config.joint_stage.steps == 0
    whole, short = StageConfig(1000, decay="cosine"), scheduled(staged(1000, 0, 0), {"flow": 10}).flow_stage
    cosine = replace(short, decay="cosine", warm_up=0)
    assert learning_rate(cosine, 5) == pytest.approx(learning_rate(whole, 500))


def test_a_run_saves_the_points_of_its_curve_and_is_not_scored_by_itself():
    schedule = within(staged(80, 20, 0), BenchOptions(samples=400), {})
    config = final(staged(80, 20, 0), schedule, seed=7, points=5)
    assert (config.seed, config.save_every, config.score_at_end) == (7, 20, False)
    # the start, every 20th step of both stages, and their ends
    assert config.keep >= 1 + 4 + 1
