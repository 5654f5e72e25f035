"""Learning curves: the mean of a method's runs, and the band between them."""

import numpy as np

from vode.visualization.curves import learning_figure


def test_the_mean_of_runs_is_drawn_where_the_first_one_has_points():
    runs = [[(0, 1.0), (2, 0.5)], [(0, 0.8), (1, 0.6), (4, 0.0)]]
    figure = learning_figure({"one": runs, "other": [[(0, 0.3), (1, 0.2)]]}, x="min", y="AbsRel", level=("flat", 0.6))
    (axes,) = figure.axes
    one, other, level = axes.lines
    np.testing.assert_allclose(one.get_xydata(), [(0, 0.9), (2, 0.45)])
    np.testing.assert_allclose(other.get_xydata(), [(0, 0.3), (1, 0.2)])
    assert level.get_ydata()[0] == 0.6
    assert len(axes.collections) == 1
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one", "other", "flat"]


def test_no_curve_is_an_empty_plot():
    assert not learning_figure({}, x="min", y="AbsRel").axes[0].lines
