"""The parts of the page that are words and tables."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np

from vode.report.chart import clock
from vode.report.html import EMPTY, Html, fill, join, link, number, table
from vode.report.record import RunRecord

ORIGINS = {
    "calibration": "from a calibration that was given",
    "field of view": "from the field of view that was given",
    "exif": "from the metadata of the images",
    "bag": "from the bag's camera_info",
    "data set": "from the data set",
    "self-calibration": "measured from the video itself",
    "assumed": "assumed, for nothing told it",
}
UNSURE = 0.05
"""relative deviation of a focal length that is worth a warning"""


def headline(record: RunRecord) -> Html:
    """The facts at the top."""
    seconds = float(np.ptp(record.times)) if record.timed and len(record) else math.nan
    total, dropped = record.number("source", "frames_total"), record.number("source", "dropped")
    live = f"{dropped:.0f} newer ones came first" if dropped > 0 else ""
    partial = f"of {total:.0f}" if total > len(record) else ""
    measured = 100 * float(1 - record.lost[1:].mean()) if len(record) > 1 else math.nan
    return join(
        [
            _fact("Frames", f"{len(record)}", partial or live),
            _fact("Path", number(record.length), record.unit),
            _fact("Video", *_duration(seconds)),
            _fact(
                "Motions measured", f"{math.floor(measured * 10) / 10:g}" if measured < 100 else number(measured), "%"
            ),
            _fact("Processed", number(record.number("frames_per_second")), "frames/s"),
            _fact("Peak memory", number(record.number("peak_memory_bytes") / 2**20), "MiB"),
        ]
    )


def _duration(seconds: float) -> tuple[str, str]:
    if seconds >= 120:
        return clock(seconds, seconds).removesuffix(" h"), "h" if seconds >= 3600 else "min"
    return number(seconds), "s"


def _fact(name: str, value: str, unit: str) -> Html:
    fact = "<div><dt>$name</dt><dd>$value <small>$unit</small></dd></div>"
    return fill(fact, name=name, value=value, unit=unit)


def doubts(record: RunRecord) -> list[str]:
    """What to distrust, a line each: what follows from the record itself, then what the run noted."""
    found = []
    state, deviation = record.known("state"), record.number("camera", "relative_deviation")
    if state == "running":
        found.append("The run was not finished when this page was written: it shows what there was.")
    elif state == "limited":
        found.append(f"The run was limited to its first {len(record)} frames: what follows is about these.")
    elif state not in ("finished", None):
        found.append(f"The run ended early ({state}) after {len(record)} frames: what follows is about these.")
    if deviation > UNSURE:
        found.append(f"The focal length is only known within {100 * deviation:.0f} % (one standard deviation).")
    if not record.timed and len(record) > 1:
        found.append("The frames have no times: what is drawn over time is drawn over frame numbers.")
    if not record.corrected and len(record):
        found.append("The path is that of the log, as it was tracked, without later corrections.")
    return list(dict.fromkeys([*found, *(sentence(str(note)) for note in record.items("notes"))]))


def sentence(text: str) -> str:
    """A text that begins with a capital, but for names of files, and ends with a stop."""
    text = text.strip()
    start = text if set(text.split(" ")[0]) & set("/._") else text[:1].upper() + text[1:]
    return start + ("" if text.endswith((".", "!", "?")) or not text else ".")


def doubt_list(record: RunRecord) -> Html:
    """The doubts as a list, or that there are none."""
    items = [fill("<li>$line</li>", line=line) for line in doubts(record)]
    if not items:
        return fill('<p class="none">The run noticed nothing that speaks against its result.</p>')
    return fill("<ul>$items</ul>", items=items)


def loops(record: RunRecord) -> Html:
    """The places that the camera came back to."""
    rows = [loop for loop in record.items("loops") if isinstance(loop, Mapping)]
    if not rows:
        return fill('<p class="none">None found, or not looked for.</p>')
    cells = [[loop.get(key, "–") for key in ("frame_a", "frame_b", "inliers", "correction_metres")] for loop in rows]
    cells = [[number(x) if isinstance(x, float) else x for x in row] for row in cells]
    return grid(["earlier frame", "later frame", "matches", f"moved the path by, {record.unit}"], cells)


def grid(heads: list[str], rows: list[list[object]]) -> Html:
    """A table with a line of names."""
    head = [fill('<th scope="col">$name</th>', name=name) for name in heads]
    body = [join([Html("<tr>"), *(fill("<td>$x</td>", x=x) for x in row), Html("</tr>")]) for row in rows]
    markup = '<div class="scroll"><table><thead><tr>$head</tr></thead><tbody>$body</tbody></table></div>'
    return fill(markup, head=head, body=body)


def camera(record: RunRecord) -> Html:
    """The camera that was used, and how it was found."""
    width, height, fx, fy, cx, cy = (
        record.number("camera", key) for key in ("width", "height", "fx", "fy", "cx", "cy")
    )
    views = [2 * math.degrees(math.atan2(size, 2 * focal)) for size, focal in ((width, fx), (height, fy))]
    origin, deviation = record.known("camera", "origin"), record.number("camera", "relative_deviation")
    rows = {
        "How found": ORIGINS.get(str(origin), origin),
        "Image": f"{width:.0f} × {height:.0f} pixels" if math.isfinite(width + height) else None,
        "Focal length": _pair(fx, fy, "px"),
        "Uncertainty": f"± {100 * deviation:.2g} %" if math.isfinite(deviation) else None,
        "Principal point": _pair(cx, cy, "px"),
        "Field of view": _pair(views[0], views[1], "°") if math.isfinite(sum(views)) else None,
        "Distortion": _settings(record.known("camera", "distortion")) or "none",
        "Note": sentence(str(record.known("camera", "note") or "")),
    }
    return join([_cone(views[0]), table(rows)])


def _pair(x: float, y: float, unit: str) -> str | None:
    values = [number(v, 4) for v in (x, y)]
    return f"{values[0]}, {values[1]} {unit}" if math.isfinite(x + y) else None


def _cone(angle: float) -> Html:
    """A drawing of the horizontal field of view, degrees."""
    if not 0 < angle < 179:
        return EMPTY
    x, y = 100 * math.sin(math.radians(angle / 2)), 100 * math.cos(math.radians(angle / 2))
    drawing = """<svg class="cone" viewBox="-102 -104 204 110" role="img" aria-label="Field of view of $angle degrees">
<path d="M0 0L-$x -${y}A100 100 0 0 1 $x -${y}Z"/><circle r="4"/><text y="-52">$angle°</text></svg>"""
    return fill(drawing, x=f"{x:.1f}", y=f"{y:.1f}", angle=f"{angle:.0f}")


def scale(record: RunRecord) -> Html:
    """Where the scale comes from."""
    rows = {
        "Unit of lengths": record.known("scale", "unit"),
        "Origin": record.known("scale", "origin"),
        "Note": sentence(str(record.known("scale", "note") or "")),
        "Depth and flow": record.known("model", "name"),
        "Their note": sentence(str(record.known("model", "note") or "")),
    }
    return table(rows)


def adaptation(record: RunRecord) -> Html:
    """Whether training on this video helped."""
    found = record.known("adaptation")
    if not isinstance(found, Mapping):
        return fill('<p class="none">Not asked for: the weights are used as they are.</p>')
    sides = [values if isinstance(values := found.get(key), Mapping) else {} for key in ("before", "after")]
    names = dict.fromkeys([*sides[0], *sides[1]])
    rows: list[list[object]] = [
        [str(name).replace("_", " "), *(_cell(side.get(name)) for side in sides)] for name in names
    ]
    kept = "The adapted weights were kept." if found.get("kept") is True else "The weights were left as they were."
    minutes = found.get("minutes")
    facts = table(
        {
            "Verdict": kept,
            "Training": f"{minutes} min" if minutes else None,
            "Note": sentence(str(found.get("note") or "")),
        }
    )
    return join([facts, grid(["on held-out frames", "before", "after"], rows) if rows else EMPTY])


def _cell(value: object) -> str:
    return number(float(value)) if isinstance(value, (int, float)) else str("–" if value is None else value)


def files(record: RunRecord) -> Html:
    """What else lies in the folder."""
    outputs = record.known("outputs")
    if not isinstance(outputs, Mapping) or not outputs:
        return fill('<p class="none">None were named.</p>')
    return table({str(name).replace("_", " "): link(path) for name, path in outputs.items()})


def settings(record: RunRecord) -> Html:
    """The options of the run."""
    options = record.known("options")
    if not isinstance(options, Mapping) or not options:
        return fill('<p class="none">All as they are by default.</p>')
    return table({str(name): json.dumps(value) for name, value in options.items()})


def _settings(values: object) -> str:
    if not isinstance(values, Mapping):
        return "" if values is None else str(values)
    return ", ".join(f"{name} {_cell(value)}" for name, value in values.items())
