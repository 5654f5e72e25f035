"""Images as callers have them, numpy or torch, and results of the same kind."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry.resize import as_float

Array = TypeVar("Array", np.ndarray, Tensor)


def image_tensor(image: np.ndarray | Tensor) -> Tensor:
    """An image as (3, H, W) RGB: uint8 stays, 16 bits and floats become float32 in 0..1.

    Takes (H, W, 3), (3, H, W), (H, W, 1), (1, H, W) or grey (H, W), which becomes three equal channels. InputError for
    another shape, for floats outside 0..1 and for values that are not finite.
    """
    values = torch.from_numpy(np.ascontiguousarray(image)) if isinstance(image, np.ndarray) else torch.as_tensor(image)
    values = values.detach()
    if values.ndim == 2:
        values = values[None]
    elif values.ndim == 3 and values.shape[-1] in (1, 3) and values.shape[0] not in (1, 3):
        values = values.movedim(-1, 0)
    elif values.ndim == 3 and values.shape[0] in (1, 3) and values.shape[-1] in (1, 3):
        raise InputError(f"an image of shape {tuple(values.shape)}: too small to tell its channels; give (H, W, 3)")
    if values.ndim != 3 or values.shape[0] not in (1, 3) or min(values.shape) < 1:
        raise InputError(f"an image of shape {tuple(values.shape)}; give (H, W, 3), (3, H, W) or (H, W)")
    values = values.expand(3, -1, -1)
    if values.dtype == torch.uint8:
        return values.contiguous()
    if values.dtype == torch.uint16:
        return values.to(torch.float32).div(65535.0)
    if not values.is_floating_point():
        raise InputError(f"an image of {values.dtype}; give uint8, uint16 or floats in 0..1")
    values = values.to(torch.float32)
    if not bool(values.isfinite().all()) or bool((values < 0).any()) or bool((values > 1).any()):
        raise InputError("an image of floats outside 0..1 or not finite; divide by its largest value")
    return values


def float_image(image: np.ndarray | Tensor) -> Tensor:
    """Likewise, always as float32 in 0..1."""
    return as_float(image_tensor(image))


def like(result: Tensor, image: Array) -> Array:
    """A result as numpy, where the image was; a tensor on the processor otherwise."""
    result = result.detach().cpu()
    return result.numpy() if isinstance(image, np.ndarray) else result
