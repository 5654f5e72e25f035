"""The benchmarks take long, but what they import is there."""

import importlib
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parents[1].glob("benchmarks/*.py"))


@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_what_a_benchmark_imports_is_there(name):
    assert importlib.import_module(name).__doc__
