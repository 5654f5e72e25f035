"""What the page's script draws: the cloud, the path and the values under the pointer, packed as typed arrays."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import roma
import torch

from vode.report.chart import TimeAxis
from vode.report.cloud import Cloud
from vode.report.html import Html
from vode.report.record import RunRecord
from vode.report.timeline import reason_text

MOST_POINTS = 130_000
"""of the cloud on the page, 9 bytes each"""
MOST_ROWS = 6_000
"""frames that the script knows"""
TRIMMED = 0.5
"""percent of the cloud's points at each end of each axis that do not count for its box"""


def payload(
    record: RunRecord, axis: TimeAxis, values: Mapping[str, np.ndarray], cloud: Cloud | None, loops: Sequence
) -> Html:
    """JSON for a script element; ``values`` (N,) by key, ``loops`` pairs of rows."""
    rows = np.unique(np.linspace(0, len(record) - 1, min(len(record), MOST_ROWS)).round().astype(int))
    methods, reasons = sorted(set(record.methods)), sorted(set(record.reasons))
    quaternions = roma.rotmat_to_unitquat(torch.from_numpy(record.poses[rows, :3, :3])).numpy()
    data = {
        "count": len(rows),
        "rows": packed(rows, "<i4"),
        "frames": packed(record.frames[rows], "<i4"),
        "x": packed(axis.fractions()[rows], "<f4"),
        "elapsed": packed(axis.elapsed[rows], "<f4"),
        "timed": record.timed,
        "unit": record.unit,
        "positions": packed(record.positions[rows], "<f4"),
        "quaternions": packed(quaternions, "<f4"),
        "methods": methods,
        "method": packed([methods.index(record.methods[row]) for row in rows], "<i4"),
        "reasons": [reason_text(reason) for reason in reasons],
        "reason": packed([reasons.index(record.reasons[row]) for row in rows], "<i4"),
        "lost": packed(record.lost[rows], "u1"),
        "values": {key: packed(column[rows], "<f4") for key, column in values.items()},
        "loops": [record.positions[list(pair)].ravel().tolist() for pair in loops],
        "view": _view(record),
        "cloud": None if cloud is None or not len(cloud.positions) else _cloud(cloud.thinned(MOST_POINTS)),
    }
    # "</script>" in a text must not end the element
    return Html(json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"))


def packed(values: np.ndarray | Sequence, kind: str) -> str:
    """Numbers as base64 of little-endian values."""
    return base64.b64encode(np.ascontiguousarray(values, np.dtype(kind)).tobytes()).decode()


def _cloud(cloud: Cloud) -> dict[str, object]:
    """Positions as 16-bit fractions of the box of nearly all points; the few outside are left out."""
    low, high = np.percentile(cloud.positions, (TRIMMED, 100 - TRIMMED), axis=0).astype(float)
    extent = np.maximum(high - low, 1e-6)
    fractions = (cloud.positions - low) / extent
    inside = ((fractions >= 0) & (fractions <= 1)).all(axis=1)
    # at random, so that a part of them is a thinner cloud
    order = np.random.default_rng(0).permutation(np.flatnonzero(inside))
    return {
        "count": len(order),
        "low": low.tolist(),
        "extent": extent.tolist(),
        "positions": packed((fractions[order] * 65535).round(), "<u2"),
        "colors": packed(cloud.colors[order], "u1"),
    }


def _view(record: RunRecord) -> list[float]:
    """Half the width and half the height of what the camera sees at distance 1."""
    ratios = [
        record.number("camera", side) / (2 * record.number("camera", focal))
        for side, focal in (("width", "fx"), ("height", "fy"))
    ]
    return [ratio if math.isfinite(ratio) and 0 < ratio < 100 else 0.5 for ratio in ratios]
