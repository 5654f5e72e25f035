"""Writes the table of docs/recipes.md from the recipes themselves.

python docs/tools/make_recipes.py
"""

from __future__ import annotations

import re
from pathlib import Path

from vode.recipes import RECIPES
from vode.training.config import RunConfig

PAGE = Path(__file__).resolve().parents[1] / "recipes.md"
BEGIN, END = "<!-- table: begin, by docs/tools/make_recipes.py -->", "<!-- table: end -->"


def table() -> str:
    """A row a recipe: what it reads, at which size, from which weights, and the length and rate of its stages."""
    head = ["recipe", "family", "data set", "size", "batch", "starts from", "stages: steps at learning rate"]
    rows = [head, ["---"] * len(head), *(row(name, config) for name, config in RECIPES.items())]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def row(name: str, config: RunConfig) -> list[str]:
    """The cells of one recipe."""
    stages = []
    for stage in config.stages:
        options = getattr(config, f"{stage.replace('-', '_')}_stage")
        if options.steps:
            rate = f"{options.learning_rate:.0e}".replace("e-0", "e-")
            stages.append(f"{stage} {options.steps:,} at {rate}")
    size = "x".join(map(str, config.size))
    start = f"`{config.start_from}`" if config.start_from else "-"
    return [f"`{name}`", config.family, f"`{config.dataset}`", size, str(config.batch), start, ", ".join(stages)]


def with_table(page: str) -> str:
    """The text of the page with the table as it must be."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n\n{table()}\n\n{END}", page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
