"""Charts over time: their axis of values."""

import re

import numpy as np
import pytest

from vode.report.chart import Chart, Line, TimeAxis, line_chart


def ticks_of(values, **options):
    """The labels of the axis of values, from the highest place on the page to the lowest."""
    values = np.asarray(values, float)
    chart = Chart("Height", "m", [Line("y", "height", values)], **options)
    page = str(line_chart(chart, TimeAxis(np.arange(len(values)) / 10), np.zeros(len(values), bool)))
    found = re.findall(r'class="ytick" style="top:([\d.]+)%">([^<]+)<', page)
    return {float(text): float(top) for top, text in found}, page


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # of these, the range holds one multiple of the step that a third of it suggests
        ([-6.87, -0.03], [-8, -6, -4, -2, 0]),
        ([0.90, 1.056], [0.9, 1.0, 1.1]),
        ([0.0, 9.0], [0, 5, 10]),
        ([2.0, 2.0], None),
    ],
)
def test_ticks_are_round_and_hold_all_values(values, expected):
    found, _ = ticks_of(values)
    assert min(found) <= min(values)
    assert max(found) >= max(values)
    assert expected is None or sorted(found) == expected


def test_every_range_gives_an_axis():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        middle, spread = rng.choice([0, 1, -1]) * 10 ** rng.uniform(-3, 9), 10 ** rng.uniform(-9, 6)
        values = middle + spread * rng.uniform(-1, 1, 5)
        found, page = ticks_of(values, zero=bool(rng.integers(2)))
        assert 2 <= len(re.findall("ytick", page)) <= 8
        assert "nan" not in page
        places = [found[tick] for tick in sorted(found)]
        assert places == sorted(places, reverse=True)


def test_zero_is_marked():
    _, page = ticks_of([-1.0, 1.0])
    assert page.count("rule zero") == 1
    assert "rule zero" not in ticks_of([3.0, 4.0])[1]
