"""Edges of depth: steps whose place is known exactly."""

import numpy as np
import pytest

from vode.evaluation.depth_edges import depth_edges, edge_counts, edge_scores, with_edges
from vode.evaluation.result import Number, Result


def step(column, *, near=5.0, far=10.0, size=(20, 40)):
    """Near to the left of ``column``, far from it on."""
    depth = np.full(size, far)
    depth[:, :column] = near
    return depth


def f_score(prediction, ground_truth, **options):
    return edge_scores(edge_counts(prediction, ground_truth, **options))[2]


def test_an_edge_is_the_nearer_side_of_a_step():
    edges = depth_edges(step(12))
    assert edges[:, 11].all()
    assert edges.sum() == 20
    assert np.array_equal(depth_edges(step(12).T), edges.T)
    assert np.array_equal(depth_edges(step(12)[:, ::-1]), edges[:, ::-1])
    assert np.array_equal(depth_edges(3 * step(12)), edges)


def test_a_ratio_that_is_too_small_is_none():
    assert not depth_edges(step(12, near=8.1)).any()
    assert depth_edges(step(12, near=7.9)).any()


def test_there_is_no_edge_to_unknown_depth():
    assert not depth_edges(step(12, far=0.0)).any()


@pytest.mark.parametrize(("shift", "expected"), [(0, 1), (1, 1), (2, 1), (3, 0), (-2, 1), (-3, 0)])
def test_a_shifted_step_is_met_up_to_the_tolerance(shift, expected):
    assert f_score(step(12 + shift), step(12)) == expected


def test_scale_does_not_matter_and_the_size_is_that_of_the_ground_truth():
    assert f_score(0.1 * step(12), step(12)) == 1
    assert f_score(step(6, size=(10, 20)), step(12)) == 1


def test_a_ramp_instead_of_a_step_has_no_edge():
    ramp = np.tile(np.interp(np.arange(40), [6, 17], [5.0, 10.0]), (20, 1))
    assert edge_counts(ramp, step(12)) == (0, 0, 20, 0)
    assert f_score(ramp, step(12)) == 0
    sharper = np.tile(np.interp(np.arange(40), [11, 13], [5.0, 10.0]), (20, 1))
    assert f_score(sharper, step(12)) == 1


def test_precision_and_recall_by_hand():
    prediction, truth = step(12), step(12)
    prediction[:, 25:] = 30.0
    truth[10:, :] = 5.0
    # predicted: columns 11 and 24; true: column 11 down to row 9 and row 10 from column 12 on.
    # right: rows 0 to 11 of the one, 8 to 12 of the other; met: those 10 rows, and columns 12, 13 and 22 to 26
    counts = edge_counts(prediction, truth)
    assert counts == (40, 12 + 5, 10 + 28, 10 + 2 + 5)
    precision, recall, score = edge_scores(counts)
    assert (precision, recall) == (17 / 40, 17 / 38)
    assert score == pytest.approx(2 * precision * recall / (precision + recall))


def test_a_map_without_edges_scores_nothing_and_unknown_regions_do_not_count():
    assert edge_scores(edge_counts(np.full((20, 40), 7.0), step(12))) == (0, 0, 0)
    assert edge_scores(edge_counts(step(12), np.full((20, 40), 7.0))) == (0, 0, 0)
    hole = step(12)
    hole[:, 20:30] = 0
    prediction = step(12)
    prediction[:, 25:] = 30.0
    assert f_score(prediction, hole) == 1


def test_scores_join_a_result_where_the_ground_truth_is_dense():
    result = Result("Depth", (Number("abs_rel", 0.1),), {"cap": "80 m"})
    maps = [step(12), step(15)]
    found = with_edges(result, maps.__getitem__, [step(12), step(20)].__getitem__, range(2))
    assert found["edge_f_score"] == found["edge_recall"] == 0.5
    assert "2 images" in found.protocol["edges"]
    assert found["abs_rel"] == 0.1
    sparse = np.where(np.random.default_rng(0).random((20, 40)) < 0.1, 5.0, 0.0)
    found = with_edges(result, maps.__getitem__, lambda i: sparse, range(2))
    assert "too sparse" in found.notes[0]
    assert len(found.numbers) == 1


def test_a_perfect_prediction_is_perfect_beside_unknown_regions_too():
    true = np.full((40, 60), 20.0)
    true[:12] = 0
    true[11:30, 20:40] = 5.0
    assert f_score(np.where(true > 0, true, 90.0), true) == 1.0
