"""``vode doctor``: what this installation is and can do."""

from __future__ import annotations

import dataclasses
import json as json_format
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vode.pipelines.doctor import Diagnosis, Package


def doctor(json: bool = False) -> None:
    """Print versions, devices, codecs, and what is missing for which extra with the command that installs it.

    Args:
        json: print the same as JSON, for programs and reports of faults.
    """
    from vode.pipelines.doctor import diagnose

    found = diagnose()
    print(json_format.dumps(dataclasses.asdict(found), indent=1) if json else "\n".join(_lines(found)))


def _lines(found: Diagnosis) -> Iterator[str]:
    yield f"vode {found.vode} in {found.place}"
    yield f"Python {found.python} on {found.system}"
    yield f"weights that ship: {', '.join(found.weights) or 'none'}"
    yield "devices: " + (", ".join(found.devices) or "none")
    yield "processor: " + ", ".join(f"{name} {_word(value)}" for name, value in found.cpu.items())
    yield "decodes: " + ", ".join(name for name, there in found.codecs.items() if there)
    lacking = [name for name, there in found.codecs.items() if not there]
    if lacking:
        yield "does not decode: " + ", ".join(lacking)
    yield "packages: " + ", ".join(_told(package) for package in found.packages)
    yield "extras:"
    for extra in found.extras:
        lacks = ", ".join(_told(package) for package in extra.packages if package.status != "ok")
        yield f"  {extra.name:10} " + (f"{lacks}; {extra.install}" if lacks else "ready")
    for problem in (*found.problems, *_broken(found)):
        yield f"problem: {problem}"


def _told(package: Package) -> str:
    state = "" if package.status == "ok" else f" {package.status}"
    wanted = f" (needs {package.wanted})" if package.status.startswith("too") else ""
    return f"{package.name} {package.found or ''}".strip() + state + wanted


def _broken(found: Diagnosis) -> Iterator[str]:
    for package in found.packages:
        if package.status != "ok":
            yield f"{_told(package)}{': ' * bool(package.problem)}{package.problem}; pip install --force-reinstall vode"


def _word(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
