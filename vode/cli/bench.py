"""``vode bench``: recipes compared with an equal budget."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import tyro

from vode.cli.train import STOPPED
from vode.pipelines.bench.options import BenchOptions


def bench(
    recipes: tyro.conf.Positional[tuple[str, ...]],
    out: Path,
    options: Annotated[BenchOptions, tyro.conf.arg(name="")] = BenchOptions(),
) -> int:
    """Train recipes with an equal budget on the same data, score them alike, and print one table.

    Killed or stopped, the same command goes on where it was; finished runs are not repeated.

    Args:
        recipes: names of recipes of depth and odometry: vode train --help lists them.
        out: folder for the table (text, Markdown, LaTeX, CSV), learning curves, depth maps, results.json and the runs.
    """
    from vode.evaluation.tables import text
    from vode.pipelines.bench.bench import bench as run_bench

    found = run_bench(recipes, out, options, on_progress=lambda line: print(line, file=sys.stderr, flush=True))
    print(text(found.table), end="")
    print(f"{out}: {'all is there' if found.complete else 'stopped; the same command goes on'}")
    return 0 if found.complete else STOPPED
