"""Memory of the process: its peak, the reuse of freed memory, and its return."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

import torch

try:
    import resource
except ModuleNotFoundError:  # Windows has no such module
    resource = None  # type: ignore[assignment]

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""parameters of glibc's mallopt"""


def keep_freed_memory(device: torch.device) -> None:
    """Let large CPU tensors reuse freed memory instead of requesting it from the system, page by page.

    A training step frees and allocates gigabytes, and having them zeroed by the system took a tenth of its time.
    Does nothing without glibc.
    """
    if device.type != "cpu" or not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for parameter, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1), (_TOP_PAD, 2**26)):
            library.mallopt(parameter, value)


def give_back_memory() -> None:
    """Let the system have the freed memory between what is held.

    Large temporary arrays leave holes as wide between small ones that stay, some hundred megabytes in ten minutes of
    video. Does nothing without glibc.
    """
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def memory_gib(device: torch.device) -> float | None:
    """Peak memory so far, GiB: of the GPU, or of the process on a CPU, as ``peak_memory_gib``."""
    return torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else peak_memory_gib()


def peak_memory_gib() -> float | None:
    """Peak memory of this process so far, GiB; None on Windows, where Python does not say."""
    if resource is None:
        return None
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
