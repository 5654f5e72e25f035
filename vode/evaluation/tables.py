"""Tables of several methods on several sequences: as text, Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vode.errors import InputError
from vode.evaluation.result import Result
from vode.io.atomic import write_bytes


class Measure(NamedTuple):
    """A number of a Result as a column of a table."""

    name: str
    title: str
    unit: str
    digits: int

    @property
    def heading(self) -> str:
        """The title with the unit in brackets."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


ODOMETRY = (
    Measure("t_err_percent", "t_err", "%", 2),
    Measure("r_err_deg_per_100m", "r_err", "deg/100 m", 2),
    Measure("ate_m", "ATE", "m", 2),
)
DEPTH = tuple(
    Measure(name, title, unit, 3)
    for name, title, unit in (
        ("abs_rel", "AbsRel", ""),
        ("sq_rel", "SqRel", "m"),
        ("rmse", "RMSE", "m"),
        ("rmse_log", "RMSElog", ""),
        ("d1", "d1", ""),
        ("d2", "d2", ""),
        ("d3", "d3", ""),
    )
)


class Table(NamedTuple):
    """Cells of ``rows`` by ``sequences`` and, within each, by ``measures``; "-" where nothing was measured.

    A single sequence without a name is not shown.
    """

    rows: tuple[str, ...]
    sequences: tuple[str, ...]
    measures: tuple[Measure, ...]
    cells: tuple[tuple[str, ...], ...]
    """(rows, sequences x measures)"""
    notes: tuple[str, ...] = ()


Values = Mapping[str, float | int | None]


def table_of(
    methods: Mapping[str, Mapping[str, Result | Values]], measures: Sequence[Measure], notes: Sequence[str] = ()
) -> Table:
    """The table of methods -> sequences -> Result (or plain values by name); sequences in order of appearance."""
    sequences = tuple(dict.fromkeys(name for results in methods.values() for name in results))
    cells = tuple(
        tuple(_cell(results.get(name), measure) for name in sequences for measure in measures)
        for results in methods.values()
    )
    return Table(tuple(methods), sequences, tuple(measures), cells, tuple(notes))


def shared_protocol(results: Sequence[Result], leave_out: Sequence[str] = ()) -> list[str]:
    """The entries of the protocol that all results have in common, a line each."""
    if not results:
        return []
    shared = set.intersection(*(set(result.protocol.items()) for result in results))
    return [
        f"{key}: {value}"
        for key, value in results[0].protocol.items()
        if (key, value) in shared and key not in leave_out
    ]


def text(table: Table) -> str:
    """Aligned plain text with a line of sequences over a line of measures."""
    return _aligned(_grid(table)) + _after(table, "\n")


def markdown(table: Table) -> str:
    """A GitHub table; every heading names its sequence and its measure."""
    rows = [["method", *_headings(table)], *_body(table)]
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---|" + "---:|" * (len(rows[0]) - 1))
    return "\n".join(lines) + "\n" + _after(table, "\n\n")


def comma_separated(table: Table) -> str:
    """CSV for spreadsheets and scripts: empty cells where nothing was measured, no notes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["method", *_headings(table)])
    writer.writerows([["" if cell == "-" else cell for cell in row] for row in _body(table)])
    return out.getvalue()


def latex(table: Table) -> str:
    """A tabular in the style of booktabs."""
    width = len(table.measures)
    groups = " & ".join(f"\\multicolumn{{{width}}}{{c}}{{{_tex(name)}}}" for name in table.sequences)
    rules = " ".join(f"\\cmidrule(lr){{{2 + i * width}-{1 + (i + 1) * width}}}" for i in range(len(table.sequences)))
    measures = [_tex(measure.heading) for measure in table.measures] * len(table.sequences)
    lines = [
        *(f"% {note}" for note in table.notes),
        f"\\begin{{tabular}}{{l{'r' * (width * len(table.sequences))}}}",
        "\\toprule",
        *([f" & {groups} \\\\", rules] if any(table.sequences) else []),
        f"method & {' & '.join(measures)} \\\\",
        "\\midrule",
        *(" & ".join(map(_tex, row)) + " \\\\" for row in _body(table)),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


WRITERS = {".txt": text, ".md": markdown, ".csv": comma_separated, ".tex": latex}


def writer(path: Path | str) -> Callable[[Table], str]:
    """The format that a file's suffix names; InputError for another one."""
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        raise InputError(f"{path}: no table is written as {suffix or 'this'}; end the name in {', '.join(WRITERS)}")
    return WRITERS[suffix]


def save_table(path: Path | str, table: Table) -> None:
    """Write a table whole or not at all, in the format that the suffix names; InputError for another one."""
    write_bytes(path, writer(path)(table).encode())


def _cell(result: Result | Values | None, measure: Measure) -> str:
    try:
        value = None if result is None else result[measure.name]
    except KeyError:
        value = None
    return "-" if value is None else f"{value:.{measure.digits}f}"


def _headings(table: Table) -> list[str]:
    return [f"{name} {measure.heading}".strip() for name in table.sequences for measure in table.measures]


def _body(table: Table) -> list[list[str]]:
    return [[name, *cells] for name, cells in zip(table.rows, table.cells, strict=True)]


def _grid(table: Table) -> list[list[str]]:
    above = [name if i == 0 else "" for name in table.sequences for i in range(len(table.measures))]
    names = [measure.heading for measure in table.measures] * len(table.sequences)
    grid = [["method", *names], *_body(table)]
    return [["", *above], *grid] if any(table.sequences) else grid


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    return "".join(line.rstrip() + "\n" for line in lines)


def _after(table: Table, start: str) -> str:
    return start.join(["", *table.notes]) + "\n" if table.notes else ""


def _tex(word: str) -> str:
    for sign in "%_&#$":
        word = word.replace(sign, f"\\{sign}")
    return word.replace("±", "$\\pm$")
