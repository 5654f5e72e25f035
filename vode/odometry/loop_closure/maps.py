"""Maps: stretches of a video between which the way was lost, brought to where loops say they belong."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vode.geometry import similarity
from vode.odometry.loop_closure.verification import Loop


def joined(nodes: Tensor, map_of: Tensor, loops: Sequence[Loop]) -> Tensor:
    """Keyframes' similarities (K, 4, 4) with each map moved as a whole to where loops say, the surest first.

    ``map_of`` (K,) are the numbers of the keyframes' maps, which do not fall. It is where optimisation starts: from
    anywhere it would not find its way. A map that no loop joins to those before goes along with the end of the last.
    """
    before, nodes, known = nodes, nodes.clone(), {0}
    crossing = sorted(_crossing(map_of, loops), key=lambda x: -x[0].inliers)
    while missing := set(map_of.tolist()) - known:
        neither: tuple[None, int, int] = None, 0, min(missing)
        loop, a, b = next((x for x in crossing if (x[1] in known) != (x[2] in known)), neither)
        if loop is None:
            last = int((map_of < b).sum()) - 1
            there = nodes[last] @ similarity.inverse(before[last])
        else:
            there = nodes[loop.first] @ loop.S_first_second @ similarity.inverse(nodes[loop.second])
        number, there = (b, there) if a in known else (a, similarity.inverse(there))
        members = map_of == number
        nodes[members] = there @ nodes[members]
        known.add(number)
    return nodes


def untold(map_of: Tensor, loops: Sequence[Loop]) -> Tensor:
    """Which motions (K - 1,) bool between keyframes of these maps (K,) are guesses that loops make needless.

    A guess of what nothing told would only pull at maps that loops connect; where they do not, it is all there is.
    """
    group, needless = _connected(map_of, loops), []
    for number in range(1, len(group)):
        if group[number - 1] == group[number]:
            needless.append(number)
        group = _united(group, number - 1, number)
    return (map_of.diff() > 0) & torch.isin(map_of[1:], torch.tensor(needless, dtype=map_of.dtype))


def rejoined(map_of: Tensor, loops: Sequence[Loop]) -> set[int]:
    """The numbers of the maps whose place is known: the first, and those that loops join to it, also by others."""
    group = _connected(map_of, loops)
    return {number for number, label in enumerate(group) if label == group[0]}


def _connected(map_of: Tensor, loops: Sequence[Loop]) -> list[int]:
    """A label for each map, the same for those that loops connect."""
    group = list(range(max(map_of.tolist(), default=0) + 1))
    for _, a, b in _crossing(map_of, loops):
        group = _united(group, a, b)
    return group


def _united(group: list[int], a: int, b: int) -> list[int]:
    """Labels of maps, two of which are connected."""
    return [group[a] if label == group[b] else label for label in group]


def _crossing(map_of: Tensor, loops: Sequence[Loop]) -> list[tuple[Loop, int, int]]:
    """The loops between two maps, with the numbers of these."""
    numbers = map_of.tolist()
    return [(x, numbers[x.first], numbers[x.second]) for x in loops if numbers[x.first] != numbers[x.second]]
