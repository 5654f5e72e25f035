"""Options of the losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FlowLossOptions:
    """Scales of the flow losses and their weights."""

    scales: Literal[1, 2, 3, 4] = 3
    """number of scales, finest first: 3 in Zhao et al.; a fourth helps with large displacements"""
    decay: float = 1.0
    """weight of a scale relative to the next finer one: 1 in Zhao et al.; less favours the sharper images"""
