"""The table of a bench: means, deviations, what is published."""

import json

import numpy as np
import pytest

from vode.evaluation import tables
from vode.pipelines.bench.options import BenchOptions
from vode.pipelines.bench.summary import content, published, table_of_runs


def run(abs_rel, ate, constant=0.6, beside=()):
    return {
        "scores": {"abs_rel": abs_rel, "abs_rel_constant": constant, "ate_m": ate},
        "minutes": 9.5,
        "samples": 800,
        "beside": list(beside),
        "machine": {"described": "a machine"},
    }


RUNS = {
    "one": {0: run(0.2, 1.0), 1: run(0.3, 2.0), 2: run(0.25, None)},
    "other": {0: run(0.5, None, beside=["flow"])},
    "missing": {},
}


def cells(table, row):
    return dict(zip([m.name for m in table.measures], table.cells[table.rows.index(row)], strict=True))


def test_a_row_has_mean_and_deviation_over_the_seeds_that_have_a_number():
    table = table_of_runs(RUNS, BenchOptions(seeds=(0, 1, 2)))
    one, other = cells(table, "one"), cells(table, "other")
    values = [0.2, 0.3, 0.25]
    assert one["abs_rel"] == f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"
    assert one["ate_m"] == f"1.50 ± {np.std([1, 2], ddof=1):.2f}"
    assert one["samples"] == "800"
    assert (other["abs_rel"], other["ate_m"], other["t_err_percent"]) == ("0.500", "-", "-")
    assert cells(table, "constant depth")["abs_rel"] == "0.600"
    assert "missing" not in table.rows
    assert any("other: the flow that geometric odometry takes is that of vode-small" in note for note in table.notes)
    assert any("a machine" in note for note in table.notes)


def test_a_run_with_a_pose_network_has_a_row_for_each_tracker():
    pose = run(0.2, 5.0)
    pose["scores"] |= {"t_err_percent": 9.0, "geometric ate_m": 2.0, "geometric t_err_percent": None}
    table = table_of_runs({"pose": {0: pose}}, BenchOptions())
    own, hybrid = cells(table, "pose"), cells(table, "pose, geometric tracker")
    assert (own["ate_m"], own["t_err_percent"], own["abs_rel"]) == ("5.00", "9.00", "0.200")
    assert (hybrid["ate_m"], hybrid["t_err_percent"], hybrid["abs_rel"]) == ("2.00", "-", "-")


def test_published_rows_are_those_of_the_papers_and_marked():
    table = table_of_runs({}, BenchOptions())
    assert table.rows
    assert all(row.endswith("[published]") for row in table.rows)
    # Zhou et al., CVPR 2017, and Bian et al., NeurIPS 2019
    assert published()["SfMLearner"]["abs_rel"] == 0.183
    assert published()["SC-SfMLearner"]["t_err_percent"] == 7.64
    assert "ate_m" not in published()["GeoNet"]
    assert any("CVPR 2017" in note for note in table.notes)


@pytest.mark.parametrize("suffix", list(tables.WRITERS))
def test_the_table_is_written_in_every_format(suffix):
    text = tables.WRITERS[suffix](table_of_runs(RUNS, BenchOptions(seeds=(0, 1, 2))))
    assert "0.250 $\\pm$ 0.050" in text if suffix == ".tex" else "0.250 ± 0.050" in text


def test_all_numbers_are_json(tmp_path):
    found = json.loads(json.dumps(content(RUNS, {"one": {"steps": {"flow": 3}}}, BenchOptions(), tmp_path)))
    one = found["recipes"]["one"]
    assert one["mean"]["abs_rel"] == pytest.approx(0.25)
    assert one["spread"]["abs_rel"] == pytest.approx(0.05)
    assert one["schedule"]["steps"] == {"flow": 3}
    assert one["runs"]["2"]["scores"]["ate_m"] is None
    assert found["options"]["dataset"] == "world"
