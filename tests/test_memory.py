"""Peak memory, where the system tells it, and freed memory, where the system takes it."""

import platform
import re
from pathlib import Path

import pytest
import torch

from vode import memory

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


@pytest.mark.skipif(not STATUS.exists() or platform.libc_ver()[0] != "glibc", reason="no /proc, or no glibc")
def test_freed_memory_between_what_is_held_is_given_back():
    def mebibytes():
        return int(re.search(r"RssAnon:\s+(\d+) kB", STATUS.read_text())[1]) / 2**10

    # too small to be mapped by themselves
    held = [bytearray(b"x" * 100_000) for _ in range(2000)]
    before = mebibytes()
    del held[::2]
    memory.give_back_memory()
    assert before - mebibytes() > 60
