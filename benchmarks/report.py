"""What the benchmarks print: the machine, and tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import torch

from vode.devices import processor_name


def machine(*packages: str) -> str:
    """One line: processor, threads, accelerator, versions of torch and of the packages that are installed."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    versions = []
    for name in ("torch", *packages):
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return f"{processor_name()}, {torch.get_num_threads()} threads, {device}; {', '.join(versions)}"


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, its columns aligned."""
    cells = [[str(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    cells.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells)
