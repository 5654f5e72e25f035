"""Peak memory, where the system tells it."""

import re
from pathlib import Path

import pytest
import torch

from vode.training import memory

STATUS = Path("/proc/self/status")


@pytest.mark.skipif(not STATUS.exists(), reason="no /proc")
def test_the_peak_is_that_which_the_kernel_tells():
    held = torch.ones(2**26)
    told = int(re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())[1]) / 2**20
    # what getrusage tells also covers the process that started this one, so that it may be more
    assert told <= 1.01 * memory.peak_memory_gib() < 100 * told
    assert memory.memory_gib(torch.device("cpu")) >= held.nbytes / 2**30


def test_a_system_without_the_module_tells_no_peak(monkeypatch):
    monkeypatch.setattr(memory, "resource", None)
    assert memory.memory_gib(torch.device("cpu")) is None
