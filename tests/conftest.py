"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

# Small arrays gain nothing from more threads, and small solvers lose much; processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of small real samples: VODE_TEST_DATA, else ../shared/data beside the checkout."""
    checkout = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("VODE_TEST_DATA") or checkout.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set VODE_TEST_DATA")
    return folder
