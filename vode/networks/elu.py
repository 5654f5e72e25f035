"""ELU (Clevert et al., ICLR 2016), by the exponential function on CPUs."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.networks.padding import is_exporting

LOWEST = -20.0
"""below which exp(x) - 1 is -1 in 32 bits; exp is slow where its results are too small for all their digits"""


def elu(x: Tensor) -> Tensor:
    """x where it is positive, else exp(x) - 1; as exact as a number near 1 is in the type of x.

    torch's own calls expm1, which takes a CPU up to ten times as long, for digits that features have no use for.
    """
    if x.device.type != "cpu" or is_exporting():
        return F.elu(x)
    return _Elu.apply(x) if x.requires_grad and torch.is_grad_enabled() else _value(x)


class _Elu(torch.autograd.Function):
    """It keeps x alone for the backward pass, as torch's own does."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return _value(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradients[0] * x.clamp(LOWEST, 0).exp()


def _value(x: Tensor) -> Tensor:
    return torch.maximum(x, x.clamp(LOWEST, 0).exp_().sub_(1))
