"""Lengths that depth and tracks tell together, on made-up trajectories whose errors are known."""

from dataclasses import replace

import numpy as np
import pytest

from vode.odometry.options import ScaleFilterOptions
from vode.odometry.smoothing.scale_filter import ScaleFilter, Step

OPTIONS = ScaleFilterOptions(scene=0.0)
"""errors here are those that the filter itself knows of, but where a test makes others"""
COUNT, SPREAD = 300, 0.05


def errors(rng, *, options=OPTIONS, spread=SPREAD, count=COUNT):
    """Errors of the log lengths by tracks, which add up, and of those by depth, which last."""
    change = options.change * rng.standard_normal(count) + options.drift * rng.standard_normal()
    phi = np.exp(-1 / options.lasting)
    bias = [rng.standard_normal()]
    for _ in range(count - 1):
        bias.append(phi * bias[-1] + (1 - phi**2) ** 0.5 * rng.standard_normal())
    depth = spread * (options.bias * np.array(bias) + options.noise * rng.standard_normal(count))
    return change.cumsum(), depth


def filtered(tracks, depth, options=OPTIONS, *, spread=SPREAD, broken=()):
    """Log errors of the lengths at the end, and when each came, with its deviation; tracks and depth are log errors.

    True lengths are 1. A new length is told by tracks in the scale that the last one was corrected to.
    """
    scale_filter = ScaleFilter(options)
    logs, told, deviations = [], [], []
    for k, level in enumerate(depth):
        new = k in broken or not k
        logs.append(level if new else logs[-1] + tracks[k] - tracks[k - 1])
        scale_filter.add(Step(level, spread, np.inf if new else 0.0))
        count = len(scale_filter)
        found = scale_filter.corrections(np.exp(np.array(logs[-count:])))
        logs[-count:] = (np.array(logs[-count:]) + found.values).tolist()
        scale_filter.corrected(found.values, np.exp(np.array(logs[-count:])))
        told.append(logs[-1])
        deviations.append(found.deviation)
    return np.array(logs), np.array(told), np.array(deviations)


def test_exact_lengths_stay_exact():
    logs, told, deviations = filtered(np.zeros(50), np.zeros(50), spread=0.0)
    assert np.abs(logs).max() < 1e-9
    assert np.abs(told).max() < 1e-9
    assert deviations.max() < 1e-3


def test_exact_depth_is_followed_where_tracks_drift():
    logs, _, _ = filtered(0.01 * np.arange(200), np.zeros(200), spread=0.0)
    assert np.abs(logs).max() < 2e-3


def test_both_together_are_better_than_either_and_know_how_good_they_are():
    rng = np.random.default_rng(0)
    by_depth, by_both, steps, normalised = [], [], [], []
    for _ in range(12):
        tracks, depth = errors(rng)
        logs, told, deviations = filtered(tracks, depth)
        by_depth.append(depth)
        by_both.append(logs)
        steps.append((np.diff(depth).std(), np.diff(logs).std()))
        normalised.append(told / deviations)
    assert np.std(by_both) < 0.6 * np.std(by_depth)
    assert np.mean(steps, 0)[1] < 0.25 * np.mean(steps, 0)[0]
    assert 0.8 < np.sqrt(np.mean(np.square(normalised))) < 1.3


def test_deviations_know_of_errors_of_whole_scenes():
    rng = np.random.default_rng(9)
    options = ScaleFilterOptions()
    normalised, without = [], []
    for _ in range(60):
        tracks, depth = errors(rng, count=60)
        depth += options.scene * SPREAD * rng.standard_normal()
        for found, chosen in ((normalised, options), (without, OPTIONS)):
            _, told, deviations = filtered(tracks, depth, chosen)
            found.append(told / deviations)
    assert 0.8 < np.sqrt(np.mean(np.square(normalised))) < 1.3
    assert np.sqrt(np.mean(np.square(without))) > 1.6


def test_later_frames_correct_earlier_ones():
    rng = np.random.default_rng(1)
    online, later = [], []
    for _ in range(8):
        logs, told, _ = filtered(*errors(rng))
        online.append(told[30:200])
        later.append(logs[30:200])
    assert np.std(later) < 0.8 * np.std(online)


def test_depth_that_is_worse_than_it_says_counts_less():
    rng = np.random.default_rng(2)
    tracks, depth = errors(rng)
    wild = depth + 0.8 * np.sin(np.arange(COUNT) / 20)
    logs, _, deviations = filtered(tracks, wild)
    calm, _, certain = filtered(tracks, depth)
    assert np.std(logs) < 0.5 * np.std(wild)
    assert deviations[-1] > 1.5 * certain[-1]
    assert np.std(calm) < np.std(logs)


def test_depth_that_is_never_known_leaves_the_lengths_by_tracks():
    tracks = errors(np.random.default_rng(3))[0]
    scale_filter = ScaleFilter(replace(OPTIONS, lag=20))
    lengths = np.exp(tracks)
    for k in range(60):
        scale_filter.add(Step())
        values, deviation = scale_filter.corrections(lengths[k + 1 - len(scale_filter) : k + 1])
        assert np.abs(values).max() < 1e-12
        scale_filter.corrected(values, lengths[k + 1 - len(scale_filter) : k + 1])
    assert deviation > 0.9


@pytest.mark.parametrize("lag", [20, 100])
def test_a_scale_that_breaks_is_found_again(lag):
    tracks, depth = errors(np.random.default_rng(4))
    depth[150:] += 0.5
    logs, _, deviations = filtered(tracks, depth, replace(OPTIONS, lag=lag), broken=(150,))
    assert deviations[150] > deviations[149]
    assert np.abs(logs[:150]).mean() < 0.15


def test_what_is_summed_up_gives_what_a_longer_lag_gives():
    tracks, depth = errors(np.random.default_rng(5))
    short = filtered(tracks, depth, replace(OPTIONS, lag=60, trust=1e9))
    long = filtered(tracks, depth, replace(OPTIONS, lag=400, trust=1e9))
    np.testing.assert_allclose(short[1], long[1], atol=1e-6)
    np.testing.assert_allclose(short[2], long[2], rtol=1e-6)


def test_the_depth_factor_follows_a_depth_whose_level_jumps():
    """Path over depth, where depth is 10 % longer from the middle on and tracks are exact."""
    rng = np.random.default_rng(0)
    scale_filter, length, factors, deviations = ScaleFilter(), 0.0, [], []
    levels = np.where(np.arange(120) < 60, 0.0, 0.1) + 0.005 * rng.standard_normal(120)
    logs = []
    for k, level in enumerate(levels):
        logs.append(length if k else level)
        scale_filter.add(Step(level, SPREAD, 0.0 if k else np.inf))
        count = len(scale_filter)
        found = scale_filter.corrections(np.exp(np.array(logs[-count:])))
        logs[-count:] = (np.array(logs[-count:]) + found.values).tolist()
        scale_filter.corrected(found.values, np.exp(np.array(logs[-count:])))
        length = logs[-1]
        factors.append(np.log(scale_filter.depth_factor) - (length - (0.0 if k < 60 else 0.1)))
        deviations.append(scale_filter.depth_factor_deviation)
    late = np.arange(120) % 60 > 20
    assert np.abs(np.array(factors))[late].max() < 0.04
    assert np.mean(np.abs(factors)[late] < 2 * np.array(deviations)[late]) > 0.9
    assert 0.001 < np.median(deviations) < SPREAD * OPTIONS.bias * 2


def test_a_depth_that_has_told_no_length_leaves_the_factor_at_one():
    scale_filter = ScaleFilter()
    scale_filter.add(Step())
    scale_filter.corrections(np.array([1.0]))
    assert scale_filter.depth_factor == 1
    assert np.isnan(scale_filter.depth_factor_deviation)


def with_ground(ground, depth, seen, *, spread=SPREAD):
    """Log errors of the lengths at the end, of exact tracks, and the last deviation.

    Levels by ``ground`` come with frames ``seen``.
    """
    scale_filter, logs = ScaleFilter(), []
    for k, level in enumerate(depth):
        logs.append(logs[-1] if k else level)
        also = (ground[k], 0.02) if seen[k] else (np.nan, np.nan)
        scale_filter.add(Step(level, spread, 0.0 if k else np.inf, *also))
        count = len(scale_filter)
        found = scale_filter.corrections(np.exp(np.array(logs[-count:])))
        logs[-count:] = (np.array(logs[-count:]) + found.values).tolist()
        scale_filter.corrected(found.values, np.exp(np.array(logs[-count:])))
    return np.array(logs), found.deviation


@pytest.mark.parametrize("every", [1, 3])
def test_the_ground_holds_lengths_that_all_points_mislead(every):
    """All points are 40 to 90 % off, as scenery far away; of the frames with ground one in ``every`` shows it."""
    rng = np.random.default_rng(6)
    depth = -0.65 + 0.25 * np.sin(np.arange(150) / 25) + 0.05 * rng.standard_normal(150)
    ground = 0.03 * rng.standard_normal(150)
    seen = np.arange(150) % every == 0
    logs, _ = with_ground(ground, depth, seen, spread=0.12)
    alone, _ = with_ground(ground, depth, np.zeros(150, bool), spread=0.12)
    assert np.abs(logs).max() < 0.12
    assert np.abs(alone).mean() > 0.4


def test_points_that_are_sure_of_a_wrong_level_are_outvoted_by_the_ground():
    """A truck beside the camera tells a length of 40 %, and that it is known to 3 %; the ground errs by 5 %."""
    rng = np.random.default_rng(8)
    depth = -0.9 + 0.1 * rng.standard_normal(150)
    ground = 0.05 * rng.standard_normal(150)
    logs, _ = with_ground(ground, depth, np.arange(150) % 2 == 0, spread=0.03)
    # the mean of 75 such errors is off by 0.006, and lasting errors of the ground by some times that
    assert np.abs(logs[50:]).max() < 0.05


def test_ground_that_errs_for_long_leaves_the_path_to_points_that_do_not():
    """A road whose level is 6 % off for half of the way hardly changes the scale of a path that depth knows well."""
    rng = np.random.default_rng(7)
    depth = 0.02 * rng.standard_normal(200)
    ground = np.where(np.arange(200) < 100, 0.0, -0.06)
    logs, _ = with_ground(ground, depth, np.ones(200, bool), spread=0.01)
    assert np.abs(logs[30:90].mean() - logs[130:190].mean()) < 0.03


def test_levels_that_contradict_each_other_are_both_doubted():
    rng = np.random.default_rng(10)
    depth, ground = 0.02 * rng.standard_normal((2, 60))
    _, agreeing = with_ground(ground, depth, np.ones(60, bool))
    _, contradicting = with_ground(ground, depth - 0.6, np.ones(60, bool))
    assert contradicting > 0.4 > 0.2 > agreeing
