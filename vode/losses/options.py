"""Options of the losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FlowLossOptions:
    """Which scales of the flow are trained, and how much each counts."""

    scales: Literal[1, 2, 3, 4] = 3
    """number of scales, finest first: 3 in Zhao et al.; a 4th finds large flows sooner"""
    decay: float = 1.0
    """weight of a scale over that of the next finer one: 1 in Zhao et al.; less favours sharp images"""
