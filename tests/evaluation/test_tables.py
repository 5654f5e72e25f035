"""Tables: every format holds the same cells."""

import csv
import io
import re

import pytest

from vode.errors import InputError
from vode.evaluation import published
from vode.evaluation.result import Number, Result
from vode.evaluation.tables import (
    DEPTH,
    ODOMETRY,
    comma_separated,
    latex,
    markdown,
    save_table,
    shared_protocol,
    table_of,
    text,
)


def result(t_err, ate, alignment="7dof"):
    numbers = (Number("t_err_percent", t_err, "%"), Number("ate_m", ate, "m"))
    return Result("Odometry", numbers, {"alignment": alignment, "ground_truth": "somewhere"})


METHODS = {"ours": {"09": result(1.234, 10.0), "10": result(None, 2.5)}, "a_b|c": {"10": {"t_err_percent": 7.0}}}
CELLS = [["ours", "1.23", "-", "10.00", "-", "-", "2.50"], ["a_b|c", "-", "-", "-", "7.00", "-", "-"]]


@pytest.fixture
def table():
    return table_of(METHODS, ODOMETRY, ["alignment: 7dof"])


def test_text_lines_up(table):
    lines = text(table).splitlines()
    assert [line.split() for line in lines[2:4]] == CELLS
    assert lines[0].split() == ["09", "10"]
    assert len({line.rindex("2.50") + 4 for line in lines if "2.50" in line} | {len(lines[1])}) == 1
    assert lines[-1] == "alignment: 7dof"


def test_markdown_escapes_its_own_sign(table):
    lines = markdown(table).splitlines()
    assert lines[0].startswith("| method | 09 t_err (%) | 09 r_err (deg/100 m) | 09 ATE (m) | 10 t_err (%) |")
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:4]]
    assert rows == [CELLS[0], ["a_b\\|c", *CELLS[1][1:]]]
    assert lines[1].count("|") == 8


def test_csv_reads_back(table):
    rows = list(csv.reader(io.StringIO(comma_separated(table))))
    assert [[cell or "-" for cell in row] for row in rows[1:]] == CELLS
    assert {len(row) for row in rows} == {7}


def test_latex_holds_the_cells_and_escapes_its_own_signs(table):
    out = latex(table)
    rows = [line for line in out.splitlines() if line.endswith("\\\\") and "multicolumn" not in line]
    cells = [[cell.strip() for cell in row.removesuffix("\\\\").split("&")] for row in rows]
    assert cells[1:] == [CELLS[0], ["a\\_b|c", *CELLS[1][1:]]]
    assert len(cells[0]) == 7
    assert "t\\_err (\\%)" in out
    assert "\\begin{tabular}{lrrrrrr}" in out


def test_files_by_suffix(table, tmp_path):
    for suffix, form in ((".txt", text), (".md", markdown), (".csv", comma_separated), (".tex", latex)):
        save_table(tmp_path / f"table{suffix}", table)
        assert (tmp_path / f"table{suffix}").read_text() == form(table)
    with pytest.raises(InputError, match=r"table\.xls"):
        save_table(tmp_path / "table.xls", table)
    assert len(list(tmp_path.iterdir())) == 4


def test_only_what_all_results_share_is_said_of_the_table():
    same = [result(1.0, 1.0), result(2.0, 2.0)]
    assert shared_protocol(same, leave_out=["ground_truth"]) == ["alignment: 7dof"]
    assert shared_protocol([*same, result(1.0, 1.0, "none")]) == ["ground_truth: somewhere"]
    assert shared_protocol([]) == []


def test_published_rows_are_marked_and_named():
    for rows, measures, columns in ((published.ODOMETRY, ODOMETRY, 2), (published.DEPTH, DEPTH, 1)):
        table = table_of(published.rows(rows), measures)
        assert len(table.sequences) == columns
        assert all("[published]" in name for name in table.rows)
        assert all(row.method in published.sources(rows)[0] for row in rows)
    (orb,) = (row for row in published.ODOMETRY if row.method == "ORB-SLAM2, loop closure")
    assert orb.values["10"] == {"t_err_percent": 3.30, "r_err_deg_per_100m": 0.30, "ate_m": 6.63}
    table = table_of(published.rows(published.ODOMETRY), ODOMETRY)
    cells = dict(zip(table.rows, table.cells, strict=True))
    assert cells.pop("TrianFlow [published]") == ("6.93", "0.44", "-", "4.66", "0.62", "-")
    assert not any("-" in row for row in cells.values())


def test_a_single_sequence_without_a_name_is_not_shown():
    nameless = table_of({"ours": {"": result(1.0, 2.0)}}, ODOMETRY)
    assert text(nameless).splitlines()[0].split()[:3] == ["method", "t_err", "(%)"]
    assert markdown(nameless).startswith("| method | t_err (%) |")
    assert "multicolumn" not in latex(nameless)
    assert "cmidrule" not in latex(nameless)
