"""Cost volumes: how well the features of one image match those of another, displaced by a few pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.networks.padding import is_exporting

TILE = 32
"""approximate width in pixels of the tiles that the cost volume is computed in"""


def cost_volume(features_a: Tensor, features_b: Tensor, search: int) -> Tensor:
    """Dot product of every pixel of a with its (2 search + 1)^2 neighbours in b: (B, (2 search + 1)^2, H, W).

    Channel ``(dy + search) * (2 search + 1) + dx + search`` belongs to the displacement (dx, dy).

    Computed for one row of displacements at a time as matrix products of short tiles of image rows, whose diagonal
    band is the cost: several times faster than one product per displacement.
    """
    if is_exporting():
        return _by_rows(features_a, features_b, search)
    batch, channels, height, width = features_a.shape
    size = 2 * search + 1
    tiles = max(round(width / TILE), 1)
    tile = -(-width // tiles)
    spare = tiles * tile - width
    reach = tile + 2 * search
    a = F.pad(features_a.permute(0, 2, 3, 1), [0, 0, 0, spare]).reshape(-1, tile, channels)
    b = F.pad(features_b.permute(0, 2, 3, 1), [0, 0, search, search + spare, search, search])
    if b.dtype.itemsize > 2 or torch.is_grad_enabled():
        b = b.unfold(2, reach, tile)
        windows = [b[:, dy : dy + height].reshape(-1, channels, reach) for dy in range(size)]
    else:
        # all rows of displacements at once: faster, but not backwards, nor in 32 bits
        rows = b.unfold(1, size, 1).unfold(2, reach, tile).permute(0, 1, 2, 4, 5, 3)
        windows = [rows.reshape(-1, size * reach, channels).mT]
    bands = []
    for window in windows:
        product = torch.bmm(a, window)
        wide, count = product.shape[-1], product.shape[-1] // reach
        band = product.as_strided((len(a), tile, count, size), (tile * wide, wide + 1, reach, 1))
        bands.append(band.reshape(batch, height, tiles * tile, count * size)[:, :, :width])
    return (bands[0] if len(bands) == 1 else torch.cat(bands, dim=-1)).permute(0, 3, 1, 2)


def _by_rows(features_a: Tensor, features_b: Tensor, search: int) -> Tensor:
    """The cost volume by products of whole rows: of any size, and without strides, which other formats lack."""
    height, width = features_a.shape[-2:]
    size = 2 * search + 1
    rows = features_a.permute(0, 2, 3, 1)
    others = F.pad(features_b, [search] * 4).permute(0, 2, 1, 3)
    bands = []
    for dy in range(size):
        product = torch.matmul(rows, others[:, dy : dy + height])
        # rows that are longer by one are the diagonals, one below the other
        diagonals = F.pad(product.flatten(2), [0, width]).unflatten(2, (width, width + size))
        bands.append(diagonals[..., :size])
    return torch.cat(bands, dim=-1).permute(0, 3, 1, 2)
