"""Names of devices."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from vode.errors import InputError


def device_name(asked: str) -> str:
    """What "auto" stands for on this machine; other names as they are. InputError for one that is not there."""
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(asked).type
    except RuntimeError:
        raise InputError(f"no device is called {asked!r}; give auto, cpu, cuda or cuda:1") from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise InputError(f"{asked}: no GPU that torch can use; give cpu or auto")
    return asked


def computes_bfloat16(device: torch.device) -> bool:
    """Whether the hardware computes in bfloat16 instead of emulating it.

    GPUs of compute capability 8.0 or higher do, and CPUs with AVX512-BF16. On a CPU, a torch without
    ``torch.cpu.get_capabilities`` does not tell.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16"))


def processor_name() -> str:
    """What the processor is called."""
    described = Path("/proc/cpuinfo")
    names = []
    if described.is_file():
        names = [line.split(":")[1].strip() for line in described.read_text().splitlines() if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()
