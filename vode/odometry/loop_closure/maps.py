"""Maps: stretches of a video between which the way was lost, brought to where loops say they belong."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vode.geometry import similarity
from vode.odometry.loop_closure.verification import Loop


def joined(nodes: Tensor, map_of: Tensor, loops: Sequence[Loop]) -> Tensor:
    """Keyframes' similarities (K, 4, 4) with each map moved as a whole to where its surest loop to an earlier one says.

    ``map_of`` (K,) are the numbers of the keyframes' maps, which do not fall. It is where optimisation starts: from
    anywhere it would not find its way. A map without such a loop stays as it is.
    """
    nodes = nodes.clone()
    for number in range(1, int(map_of[-1]) + 1):
        crossing = [x for x in loops if map_of[x.first] < number == map_of[x.second]]
        if crossing:
            loop = max(crossing, key=lambda x: x.inliers)
            there = nodes[loop.first] @ loop.S_first_second @ similarity.inverse(nodes[loop.second])
            members = map_of == number
            nodes[members] = there @ nodes[members]
    return nodes


def untold(map_of: Tensor, loops: Sequence[Loop]) -> Tensor:
    """Which motions (K - 1,) bool between keyframes of these maps (K,) nothing told: those to maps that loops place.

    The guess that led there would only pull at the map; one that no loop joins to an earlier one keeps it.
    """
    placed = {int(map_of[x.second]) for x in loops if map_of[x.first] < map_of[x.second]}
    begins = map_of.diff() > 0
    return begins & torch.isin(map_of[1:], torch.tensor(sorted(placed), dtype=map_of.dtype))


def rejoined(map_of: Tensor, loops: Sequence[Loop]) -> set[int]:
    """The numbers of the maps whose place is known: the first, and those that loops join to it, also by others."""
    known, before = {0}, 0
    pairs = [(int(map_of[x.first]), int(map_of[x.second])) for x in loops]
    while len(known) > before:
        before = len(known)
        known |= {b for a, b in pairs if a in known} | {a for a, b in pairs if b in known}
    return known
