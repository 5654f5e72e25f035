"""The report of a run: one page that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path, PurePath
from urllib.parse import urlsplit

import numpy as np

from vode.io.atomic import write_bytes
from vode.report import motion, sections, timeline
from vode.report.chart import Chart, Line, TimeAxis, line_chart
from vode.report.cloud import Cloud, read_cloud
from vode.report.html import EMPTY, Html, fill
from vode.report.overhead import overhead
from vode.report.payload import payload
from vode.report.record import RunRecord, read_record

_OVER = f"Over {motion.SPEED_WINDOW} s around each frame."
_ABOVE = "Above the first camera, along its upright axis."
_TURNS = "Yaw to the right, pitch upwards, roll clockwise from the first view."
_FACTOR = "What depth is multiplied by to fit the path, when each frame came, ± one standard deviation."
_DEVIATION = "Standard deviation of the length of each step, where it is known."
_INLIERS = "Points that the motion explains."

STYLES = ("report.css",)
SCRIPTS = ("viewer.js", "report.js")


def write_report(folder: Path | str) -> Path:
    """Write ``report.html`` into the folder of a run, which may still be under way, and return its path.

    The page shows the path from above and in 3-D among the points of the cloud, what was measured over time, how each
    frame was tracked, and what is known of the camera and the scale. It loads nothing, and holds the cloud thinned. It
    appears whole or not at all. InputError names a file of the folder that cannot be read.
    """
    record = read_record(folder)
    cloud_file = record.folder / "cloud.ply"
    cloud = read_cloud(cloud_file) if cloud_file.exists() else None
    path = record.folder / "report.html"
    write_bytes(path, report(record, cloud).encode())
    return path


def report(record: RunRecord, cloud: Cloud | None = None) -> Html:
    """The page of a run as text."""
    axis = TimeAxis(record.times, timed=record.timed)
    values = measured(record)
    script = "\n".join(_static(name) for name in SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return fill(
        _static("report.html"),
        digest=digest,
        style=Html("\n".join(_static(name) for name in STYLES)),
        script=Html(script),
        title=_title(record),
        subtitle=_subtitle(record),
        headline=sections.headline(record),
        doubts=sections.doubt_list(record),
        doubtful="doubtful" if sections.doubts(record) else "sure",
        camera=sections.camera(record),
        scale=sections.scale(record),
        adaptation=sections.adaptation(record),
        loops=sections.loops(record),
        files=sections.files(record),
        settings=sections.settings(record),
        length="metres" if record.metric else "units of the run's own",
        version=record.known("vode") or "",
        **_drawings(record, axis, values, cloud),
    )


def measured(record: RunRecord) -> dict[str, np.ndarray]:
    """Everything that is drawn over time, (N,) by key."""
    if not len(record):
        return {}
    yaw, pitch, roll = motion.angles(record.poses)
    steps = record.numbers
    return {
        "speed": motion.speed(record.positions, record.times),
        "height": motion.height(record.positions),
        "yaw": yaw,
        "pitch": pitch,
        "roll": roll,
        "depth_factor": steps["depth_factor"],
        "depth_factor_deviation": steps["depth_factor"] * steps["depth_factor_deviation"],
        "deviation": 100 * steps["scale_deviation"],
        "inliers": steps["inliers"],
    }


def _drawings(
    record: RunRecord, axis: TimeAxis, values: Mapping[str, np.ndarray], cloud: Cloud | None
) -> dict[str, Html]:
    if not len(record):
        nothing = fill('<p class="none">No frame was processed.</p>')
        return dict.fromkeys(("overhead", "motion", "uncertainty", "timeline", "depth"), nothing) | {
            "data": Html("null"),
            "stage": EMPTY,
            "shaded": EMPTY,
        }
    pairs = _loop_rows(record)
    moving, doubtful = _charts(record, values)
    return {
        "overhead": overhead(record.positions, record.lost, pairs, cloud, record.unit),
        "motion": Html("".join(line_chart(chart, axis, record.lost) for chart in moving)),
        "uncertainty": Html("".join(line_chart(chart, axis, record.lost) for chart in doubtful)),
        "shaded": fill('<p class="note hatched">Shaded: frames whose motion nothing told.</p>')
        if record.lost.any()
        else EMPTY,
        "timeline": timeline.pieces(record, axis),
        "depth": timeline.depth_strip(record, axis),
        "data": payload(record, axis, values, cloud, pairs),
        "stage": fill(_static("stage.html"), last=str(len(record) - 1)),
    }


def _charts(record: RunRecord, values: Mapping[str, np.ndarray]) -> tuple[list[Chart], list[Chart]]:
    """What is drawn of the motion, and of how well it is known."""
    per = f"{record.unit}/s" if record.timed else f"{record.unit}/frame"
    angles = [Line(key, key, values[key]) for key in ("yaw", "pitch", "roll")]
    factor = Line("depth_factor", "depth factor", values["depth_factor"], values["depth_factor_deviation"])
    moving = [
        Chart("Speed", per, [Line("speed", "speed", values["speed"])], 0.1, zero=True, note=_OVER),
        Chart("Height", record.unit, [Line("height", "height", values["height"])], 0.5, note=_ABOVE, decimals=2),
        Chart("Rotation", "°", angles, 2.0, note=_TURNS),
    ]
    deviations, inliers = (Line(key, key, values[key]) for key in ("deviation", "inliers"))
    doubtful = [
        Chart("Uncertainty", "% of a step's length", [deviations], 1.0, zero=True, note=_DEVIATION, decimals=2),
        Chart("Correspondences", "per frame", [inliers], 10.0, zero=True, note=_INLIERS, decimals=0),
    ]
    if np.isfinite(values["depth_factor"]).any():
        doubtful.append(Chart("Depth factor over time", "", [factor], 0.1, note=_FACTOR, decimals=3))
    return moving, doubtful


def _loop_rows(record: RunRecord) -> list[tuple[int, int]]:
    """The rows of the frames that loops join, of those that are known."""
    rows = {int(frame): row for row, frame in enumerate(record.frames)}
    loops = [loop for loop in record.items("loops") if isinstance(loop, Mapping)]
    ends = [[rows.get(end) for end in (loop.get("frame_a"), loop.get("frame_b")) if type(end) is int] for loop in loops]
    return [(pair[0], pair[1]) for pair in ends if len(pair) == 2 and pair[0] is not None and pair[1] is not None]


def _title(record: RunRecord) -> str:
    """The name of the video; of a stream its address, without the password that it may hold."""
    address = str(record.known("source", "address") or record.folder.resolve().name)
    if "://" in address:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    path = PurePath(address)
    # folders of images have names that say little
    return path.name if path.suffix else "/".join(path.parts[-2:]) or address


def _subtitle(record: RunRecord) -> Html:
    started = str(record.known("started") or "").replace("T", " ")[:16]
    kind = record.known("source", "kind")
    parts = [
        kind if kind != record.known("source", "address") else "",
        f"{len(record)} frames",
        started,
        record.known("model", "name"),
    ]
    words = [fill("<span>$part</span>", part=part) for part in parts if part]
    state = str(record.known("state") or "")
    return fill('$words <span class="state $kind">$state</span>', words=words, state=state,
                kind="finished" if state == "finished" else "unfinished")  # fmt: skip


def _static(name: str) -> str:
    return files("vode.report").joinpath("static", name).read_text("utf-8")
