"""What the benchmarks print: the machine, and tables in Markdown."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch


def machine(*packages: str) -> str:
    """One line: processor, threads, accelerator, versions of torch and of the packages that are installed."""
    processor = platform.processor() or platform.machine()
    described = Path("/proc/cpuinfo")
    if described.is_file():
        names = [line.split(":")[1].strip() for line in described.read_text().splitlines() if "model name" in line]
        processor = names[0] if names else processor
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    versions = []
    for name in ("torch", *packages):
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return f"{processor}, {torch.get_num_threads()} threads, {device}; {', '.join(versions)}"


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, its columns aligned."""
    cells = [[str(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    cells.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells)
