"""How each frame was tracked: methods over time, and the pictures of lost and other frames."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import numpy as np

from vode.odometry.result import PROSE, Method, Reason
from vode.report.chart import WIDTH, TimeAxis, clock, runs
from vode.report.html import EMPTY, Html, fill, join, picture
from vode.report.record import LOST, RunRecord

MOST_SPANS = 1500
"""stretches of the time line"""
MOST_PICTURES = 60

MEANINGS = {
    Method.START: "where the world begins",
    Method.ESSENTIAL: "motion from two views, its length from the depth",
    Method.PNP: "motion from the depth alone: the camera rests, turns, or two views do not do",
    Method.NETWORK: "motion by the pose network",
    Method.ROTATION: "rotation alone",
    Method.EXTRAPOLATED: "nothing told the motion: constant velocity",
    Method.REPEATED: "the same image again",
}
_RANK = [*LOST, Method.ROTATION, Method.START, Method.REPEATED, Method.PNP, Method.NETWORK, Method.ESSENTIAL]
"""methods of which a short stretch shows the first"""


def timeline(record: RunRecord, axis: TimeAxis) -> Html:
    """A bar of methods over time, with its legend."""
    spans, edges = _spans(record), axis.edges()
    bar = '<rect class="$kind" x="$x" y="0" width="$width" height="40"/>'
    bars = [
        fill(bar, kind=kind(name), x=f"{WIDTH * edges[a]:.2f}", width=f"{WIDTH * (edges[b] - edges[a]):.2f}")
        for name, a, b in spans
    ]
    counts = Counter(record.methods)
    entries = [_entry(name, count, len(record)) for name, count in counts.most_common()]
    words = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    return fill(_FIGURE, bars=bars, entries=entries, words=words, times=axis.labels())


_FIGURE = """<figure class="chart timeline"><figcaption><b>Methods</b> <span class="readout"></span></figcaption>
<div class="plot" role="img" aria-label="How frames were tracked: $words">
<svg viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true">$bars</svg>$times</div>
<ul class="legend">$entries</ul></figure>"""


def kind(method: str) -> str:
    """The class of a method's colour."""
    return f"method {method if method in {*Method, *LOST} else 'other'}"


def reason_text(reason: str) -> str:
    """A reason of the log in words."""
    try:
        return re.sub(r" of frame \{\w+\}", " before", PROSE[Reason(reason)])
    except (ValueError, KeyError):
        return reason.replace("_", " ")


def lost_frames(record: RunRecord) -> Html:
    """The pictures of frames whose motion nothing told, each with its reason."""
    rows = np.flatnonzero(record.lost)
    if not len(rows):
        return fill('<p class="none">None: every motion was measured.</p>')
    shown = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_PICTURES)).round().astype(int))]
    figures = [_thumbnail(record, row, why=record.reasons[row]) for row in shown]
    rest = len(rows) - len(shown)
    more = fill('<p class="note">$rest more are in log.jsonl.</p>', rest=rest) if rest else EMPTY
    return fill('<div class="strip" tabindex="0" role="group" aria-label="Lost frames">$figures</div>$more',
                figures=figures, more=more)  # fmt: skip


def film(record: RunRecord) -> Html:
    """The pictures of the other frames that have one, in order."""
    numbers = _pictured(record, r"(\d+)\.jpg")
    rows = [row for row in np.flatnonzero(~record.lost).tolist() if int(record.frames[row]) in numbers]
    chosen = sorted({rows[i] for i in np.linspace(0, len(rows) - 1, MOST_PICTURES).round().astype(int)} if rows else [])
    figures = [_thumbnail(record, row) for row in chosen]
    if not figures:
        return EMPTY
    return fill('<div class="strip" tabindex="0" role="group" aria-label="Frames">$figures</div>', figures=figures)


def depth_strip(record: RunRecord, axis: TimeAxis) -> Html:
    """Images with their depth."""
    numbers = _pictured(record, r"(\d+)_depth\.jpg")
    pairs = []
    for row in [row for row in range(len(record)) if int(record.frames[row]) in numbers][:24]:
        number = int(record.frames[row])
        folder, where = record.folder / "thumbnails", f"frame {number}"
        depth = picture(folder / f"{number:06d}_depth.jpg", f"depth of {where}")
        image = picture(folder / f"{number:06d}.jpg", where)
        if depth is not None:
            caption = _caption(record, row)
            pairs.append(fill(_PAIR, row=row, image=image or "", depth=depth, caption=caption))
    if not pairs:
        return fill('<p class="none">No pictures of depth were kept.</p>')
    return fill('<div class="pairs">$pairs</div>', pairs=pairs)


_PAIR = '<figure class="pair" data-row="$row">$image$depth<figcaption>$caption</figcaption></figure>'


def _thumbnail(record: RunRecord, row: int, *, why: str | None = None) -> Html:
    number = int(record.frames[row])
    image = picture(record.folder / "thumbnails" / f"{number:06d}.jpg", f"frame {number}")
    image = image or fill('<span class="blank">no picture</span>')
    reason = EMPTY if why is None else fill("<span>$why</span>", why=reason_text(why) if why else record.methods[row])
    frame = '<figure class="thumbnail$lost" data-row="$row">$image<figcaption>$caption $reason</figcaption></figure>'
    lost = "" if why is None else " lost"
    return fill(frame, lost=lost, row=row, image=image, caption=_caption(record, row), reason=reason)


def _caption(record: RunRecord, row: int) -> str:
    elapsed = record.times[row] - record.times[0]
    span = float(np.ptp(record.times))
    when = f" · {elapsed:.1f} s" if span < 120 else f" · {clock(float(elapsed), span)}"
    when = when if record.timed else ""
    return f"frame {int(record.frames[row])}{when}"


def _pictured(record: RunRecord, pattern: str) -> set[int]:
    """The numbers of frames that have a picture of this name."""
    names = (re.fullmatch(pattern, path.name) for path in (record.folder / "thumbnails").glob("*.jpg"))
    return {int(name[1]) for name in names if name}


def _entry(name: str, count: int, total: int) -> Html:
    fraction = f"{100 * count / total:.1f} %"
    meaning = MEANINGS.get(Method(name), "") if name in set(Method) else ""
    entry = '<li><i class="$kind"></i><b>$name</b> $count · $fraction <span>$meaning</span></li>'
    return fill(entry, kind=kind(name), name=name.replace("_", " "), count=count, fraction=fraction, meaning=meaning)


def _spans(record: RunRecord) -> list[tuple[str, int, int]]:
    """Method, first row and end of each stretch."""
    methods = np.array(record.methods)
    spans = runs(methods)
    if len(spans) <= MOST_SPANS:
        return [(str(methods[a]), a, b) for a, b in spans]
    edges = np.linspace(0, len(methods), MOST_SPANS + 1).astype(int).tolist()
    return [(_worst(methods[a:b]), a, b) for a, b in pairwise(edges)]


def _worst(methods: np.ndarray) -> str:
    there = set(methods.tolist())
    return next((str(name) for name in _RANK if name in there), str(methods[0]))


def pieces(record: RunRecord, axis: TimeAxis) -> Html:
    """The whole section: bar, lost frames and film."""
    lost = fill("<h3>Lost frames</h3>$frames", frames=lost_frames(record))
    seen = film(record)
    return join(
        [timeline(record, axis), lost, fill("<h3>Frames along the way</h3>$film", film=seen) if seen else EMPTY]
    )
