"""Peak memory, where the system tells it."""

import subprocess
import sys

import torch

from vode.training import memory

ALLOCATE = """
import torch
from vode.training import memory
before = memory.memory_gib(torch.device("cpu"))
for _ in range(2):
    held = torch.ones(2**27)
    del held
print(before, memory.peak_memory_gib())
"""


def test_the_peak_rises_by_what_is_held_at_once():
    told = subprocess.run([sys.executable, "-c", ALLOCATE], capture_output=True, text=True, check=True)
    before, after = map(float, told.stdout.split())
    assert 0.4 < after - before < 0.7


def test_a_system_without_the_module_tells_no_peak(monkeypatch):
    monkeypatch.setattr(memory, "resource", None)
    assert memory.memory_gib(torch.device("cpu")) is None
