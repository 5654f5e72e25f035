"""What this installation is and can do: versions, devices, codecs, and what each extra lacks.

Nothing is taken for granted: every package is imported here for the first time, and one that is missing or broken is a
line of the report.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path
from typing import Literal, TypeVar

from vode import __version__
from vode.errors import one_line
from vode.run_folder import shipped_names

T = TypeVar("T")
CODECS = ("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mpeg2video", "mjpeg", "prores", "ffv1")
"""video that cameras, phones and web sites give"""
Status = Literal["ok", "missing", "broken", "too old or too new"]


@dataclass(frozen=True)
class Package:
    """A package that is needed, or that an extra is for."""

    name: str
    wanted: str
    """the versions, as >=1.2; empty for any"""
    found: str | None
    """the version that is installed"""
    status: Status
    problem: str = ""
    """of a broken one: what its import says"""


@dataclass(frozen=True)
class Extra:
    """Optional packages, and the command that installs them."""

    name: str
    packages: tuple[Package, ...]
    install: str
    """empty where nothing is lacking"""


@dataclass(frozen=True)
class Diagnosis:
    """All of the report; parts that could not be found out are told in ``problems``."""

    vode: str = __version__
    place: str = str(Path(__file__).parents[1])
    """of the package"""
    python: str = platform.python_version()
    system: str = platform.platform()
    weights: tuple[str, ...] = ()
    """that ship"""
    packages: tuple[Package, ...] = ()
    """that are needed"""
    extras: tuple[Extra, ...] = ()
    devices: tuple[str, ...] = ()
    cpu: dict[str, str | int | bool] = field(default_factory=dict)
    codecs: dict[str, bool] = field(default_factory=dict)
    """which can be decoded"""
    problems: tuple[str, ...] = ()
    """a line each"""


def diagnose() -> Diagnosis:
    """Look at everything; it takes some seconds, in which all packages are imported."""
    problems: list[str] = []

    def attempt(what: str, look: Callable[[], T], default: T) -> T:
        try:
            return look()
        except Exception as error:
            problems.append(f"{what}: {type(error).__name__}: {one_line(error)}")
            return default

    nothing: tuple[tuple[Package, ...], tuple[Extra, ...]] = ((), ())
    needed, extras = attempt("packages", _requirements, nothing)
    return Diagnosis(
        weights=shipped_names(),
        packages=needed,
        extras=extras,
        devices=attempt("devices", _devices, ()),
        cpu=attempt("processor", _cpu, {}),
        codecs=attempt("codecs", _codecs, {}),
        problems=tuple(problems),
    )


def _requirements() -> tuple[tuple[Package, ...], tuple[Extra, ...]]:
    try:
        stated = requires("vode") or []
    except PackageNotFoundError:
        raise LookupError("vode is not installed, but run from a checkout; pip install -e . tells them") from None
    modules: dict[str, list[str]] = {}
    for module, distributions in packages_distributions().items():
        for name in distributions:
            modules.setdefault(_normal(name), []).append(module)
    needed: list[Package] = []
    extras: dict[str, list[Package]] = {}
    for line in stated:
        requirement, _, marker = line.partition(";")
        package = _package(requirement.strip(), modules)
        extra = re.search(r"""extra\s*==\s*['"]([^'"]+)""", marker)
        (extras.setdefault(extra[1], []) if extra else needed).append(package)
    return tuple(needed), tuple(_extra(name, packages) for name, packages in extras.items())


def _extra(name: str, packages: list[Package]) -> Extra:
    whole = all(package.status == "ok" for package in packages)
    return Extra(name, tuple(packages), "" if whole else f"pip install 'vode[{name}]'")


def _package(requirement: str, modules: dict[str, list[str]]) -> Package:
    name, wanted = re.fullmatch(r"([\w.-]+)(?:\[.*?\])?\s*(.*)", requirement).groups()  # type: ignore[union-attr]
    try:
        found = version(name)
    except PackageNotFoundError:
        return Package(name, wanted, None, "missing")
    own = sorted(modules.get(_normal(name), ()), key=lambda module: (module.startswith("_"), len(module)))
    module = next((m for m in own if _normal(m) == _normal(name)), own[0] if own else None)
    try:
        if module is not None and not _is_tool(module):
            importlib.import_module(module)
    except Exception as error:
        return Package(name, wanted, found, "broken", f"{type(error).__name__}: {one_line(error)}")
    return Package(name, wanted, found, "ok" if _allows(wanted, found) else "too old or too new")


def _is_tool(module: str) -> bool:
    """Whether it has only files to be run, as those of tests and checks have; importing them tells nothing."""
    return module in ("pytest", "xdist", "ruff", "mypy")


def _allows(wanted: str, found: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(wanted).contains(found, prereleases=True)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _devices() -> tuple[str, ...]:
    import torch

    names = ["cpu"]
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        names.append(f"cuda:{number} {about.name}, {about.total_memory / 2**30:.0f} GiB")
    return tuple(names)


def _cpu() -> dict[str, str | int | bool]:
    import torch

    from vode.devices import computes_bfloat16

    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return {
        "cores": usable,
        "threads of torch": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "computes in bfloat16": computes_bfloat16(torch.device("cpu")),
    }


def _codecs() -> dict[str, bool]:
    import av

    def decodes(name: str) -> bool:
        try:
            return bool(av.Codec(name, "r"))
        except ValueError:
            return False

    return {name: decodes(name) for name in CODECS}
