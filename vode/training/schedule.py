"""Learning rate schedules."""

from __future__ import annotations

import math

from vode.training.config import StageConfig

LOWEST = 0.02
"""final rate of the cosine relative to its peak (Loshchilov and Hutter, ICLR 2017, without restarts)"""


def learning_rate(options: StageConfig, step: int) -> float:
    """Learning rate of a step (0 = first) of a stage."""
    rate = options.learning_rate * min(1.0, (step + 1) / max(options.warm_up, 1))
    if options.decay == "cosine":
        return rate * (LOWEST + (1 - LOWEST) * (1 + math.cos(math.pi * step / options.steps)) / 2)
    if options.decay == "step":
        return rate * options.decay_factor ** (step // options.decay_every)
    return rate
