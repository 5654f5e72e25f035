"""The path from above, over the cloud seen from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from vode.report.chart import nice_ticks, path, runs
from vode.report.cloud import Cloud
from vode.report.html import EMPTY, Html, embedded, fill, join, number

SIDE = 1000.0
"""of the square drawing, in its own units"""
CELLS = 360
"""pixels of a side of the picture of the cloud"""
LEAST = 0.3
"""of the extent of the cloud, that the picture shows"""
MARGIN = 0.08
"""of the side, around the path"""
MOST_POINTS = 4000
"""of the path"""


class Frame(NamedTuple):
    """What part of the ground the square shows: x to the right, z upwards, as the camera first looked."""

    x: float
    z: float
    """its centre"""
    side: float

    def place(self, positions: np.ndarray) -> np.ndarray:
        """(N, 2) where positions (N, 3) lie, 0 to 1 from the left and from the top."""
        across = (positions[:, 0] - self.x) / self.side + 0.5
        return np.stack([across, 0.5 - (positions[:, 2] - self.z) / self.side], axis=1)


def frame_around(positions: np.ndarray, cloud: Cloud | None = None) -> Frame:
    """The square around a path (N, 3), with a margin; around a camera that hardly moves, part of what it saw."""
    low, high = positions.min(0), positions.max(0)
    seen = 0.0
    if cloud is not None and len(cloud.positions):
        seen = float(np.ptp(np.percentile(cloud.positions[:, [0, 2]], (1, 99), axis=0), axis=0).max())
    side = max(float((high - low)[[0, 2]].max()), LEAST * seen, 1e-3) / (1 - 2 * MARGIN)
    return Frame(float(low[0] + high[0]) / 2, float(low[2] + high[2]) / 2, side)


def overhead(
    positions: np.ndarray, lost: np.ndarray, loops: Sequence[tuple[int, int]], cloud: Cloud | None, unit: str
) -> Html:
    """The path (N, 3) from above as a figure; ``lost`` (N,) bool frames are dashed, ``loops`` join two rows each."""
    frame = frame_around(positions, cloud)
    places = SIDE * frame.place(positions)
    every = np.unique(np.linspace(0, len(places) - 1, min(len(places), MOST_POINTS)).round().astype(int))
    thin, gone = places[every], lost[every]
    gaps = "".join(path(*thin[max(a - 1, 0) : b + 1].T) for a, b in runs(gone) if gone[a])
    arcs = "".join(path(*places[[a, b]].T) for a, b in loops)
    bar = nice_ticks(0, frame.side, 7)[1]
    background = EMPTY if cloud is None else embedded(seen_from_above(cloud, frame), "")
    near = bool((np.abs(places[-1] - places[0]) < (160, 50)).all())
    ends = [_end(places[0], "start", near or None), _end(places[-1], "end", False if near else None)]
    return fill(
        _FIGURE,
        background=background,
        path=path(*thin.T),
        gaps=gaps,
        loops=arcs,
        legend=_legend(bool(gaps), bool(arcs)),
        ends=[mark for mark, _ in ends],
        words=[word for _, word in ends],
        bar=f"{100 * bar / frame.side:.2f}",
        corner=" right" if _in_corner(places[[0, -1]]) else "",
        length=f"{bar:g} {unit}",
        frame=" ".join(f"{value:.6g}" for value in frame),
        extent=" by ".join(number(float(np.ptp(positions[:, k]))) for k in (0, 2)) + f" {unit}",
    )


_FIGURE = """<figure class="overhead" data-frame="$frame">
<figcaption><b>From above</b> <span class="unit">first view looks up</span>
<span class="readout">$extent</span></figcaption>
<div class="square" role="img" aria-label="The path from above, $extent">$background
<svg viewBox="0 0 1000 1000" aria-hidden="true"><path class="loops" d="$loops"/><path class="casing" d="$path"/>
<path class="path" d="$path"/><path class="gaps" d="$gaps"/>$ends</svg>$words
<span class="bar$corner" style="width:$bar%">$length</span></div>
<p class="note">$legend</p></figure>"""


def seen_from_above(cloud: Cloud, frame: Frame) -> bytes:
    """A PNG of the cloud from above: mean colours, the more opaque the more points there are."""
    cells = (frame.place(cloud.positions) * CELLS).astype(int)
    inside = ((cells >= 0) & (cells < CELLS)).all(axis=1)
    index = cells[inside, 1] * CELLS + cells[inside, 0]
    count = np.bincount(index, minlength=CELLS * CELLS).astype(float)
    sums = [np.bincount(index, cloud.colors[inside, k], CELLS * CELLS) for k in (2, 1, 0)]
    colors = np.stack(sums, axis=1) / np.maximum(count, 1)[:, None]
    usual = np.median(count[count > 0]) if (count > 0).any() else 1.0
    opacity = 255 * np.clip(0.35 + 0.65 * count / (2 * usual), 0, 1) * (count > 0)
    pixels = np.concatenate([colors, opacity[:, None]], axis=1).reshape(CELLS, CELLS, 4)
    return cv2.imencode(".png", pixels.round().astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()


def _legend(gaps: bool, loops: bool) -> Html:
    """What the lines beside the path are."""
    words = []
    if gaps:
        words.append(Html('<span class="key key-gap">guessed motions</span>'))
    if loops:
        words.append(Html('<span class="key key-loop">the same place again</span>'))
    return join(words)


def _in_corner(places: np.ndarray) -> bool:
    """One of the places (N, 2) lies where the scale bar is drawn by default, at the bottom on the left."""
    return bool(((places[:, 0] < SIDE / 2) & (places[:, 1] > 0.85 * SIDE)).any())


def _end(place: np.ndarray, name: str, left: bool | None) -> tuple[Html, Html]:
    """The dot and the word of an end of the path, to its left, its right, or where there is room."""
    x, y = place
    dot = fill('<circle class="$name" cx="$x" cy="$y" r="13"/>', name=name, x=f"{x:.1f}", y=f"{y:.1f}")
    side = "left" if left or (left is None and x > 0.75 * SIDE) else "right"
    word = '<span class="place $side" style="left:$x%;top:$y%">$name</span>'
    return dot, fill(word, side=side, x=f"{x / 10:.2f}", y=f"{y / 10:.2f}", name=name)
