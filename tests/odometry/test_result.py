"""Results as data, and the prose made of them."""

import json

import pytest
import torch

from vode.odometry.result import PROSE, Details, FrameResult, Method, Reason, extrapolated, log_lines, summary

POSE = torch.eye(4, dtype=torch.float64)


def result(index, method, reason=None, details=Details(), inliers=0, scale_deviation=None):
    return FrameResult(index, None, POSE, method, reason, details, inliers, 0.5, scale_deviation, ())


RESULTS = (
    result(0, Method.START),
    result(1, Method.ESSENTIAL, details=Details(reference=0), inliers=900, scale_deviation=0.02),
    result(2, Method.EXTRAPOLATED, Reason.UNREADABLE, Details(reference=1, message="2.png: cut short")),
    result(3, Method.ROTATION, Reason.PURE_ROTATION, Details(reference=1, pnp_failed=True, late=4.04)),
    result(4, Method.REPEATED, Reason.SAME_IMAGE, Details(reference=3)),
    result(5, Method.REPEATED, Reason.SAME_IMAGE, Details(reference=3)),
)


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (0, ""),
        (1, ""),
        (2, "the image cannot be read, 2.png: cut short"),
        (3, "the camera only rotates, PnP finds no pose, from frame 1, 4.0 median steps of time after it"),
        (4, "the image is that of frame 3"),
        (5, "the image is that of frame 3"),
    ],
)
def test_results_in_words(index, words):
    assert RESULTS[index].describe() == words


def test_every_reason_has_words():
    assert PROSE.keys() == set(Reason)
    assert len(set(PROSE.values())) == len(Reason)


def test_the_log_is_data_without_prose():
    rows = [json.loads(line) for line in log_lines(RESULTS).splitlines()]
    assert [row["frame"] for row in rows] == list(range(6))
    assert rows[1] == {
        "frame": 1,
        "method": "essential",
        "reason": None,
        "reference": 0,
        "pnp_failed": False,
        "late": None,
        "message": "",
        "inliers": 900,
        "parallax": 0.5,
        "scale_deviation": 0.02,
    }
    assert [Method(row["method"]) for row in rows] == [x.method for x in RESULTS]
    assert Reason(rows[3]["reason"]) is Reason.PURE_ROTATION


def test_the_methods_are_counted_and_the_extrapolated_named():
    assert summary(RESULTS) == "5 motions: 2 repeated, 1 essential, 1 extrapolated, 1 rotation"
    assert extrapolated(RESULTS) == ["frame 2: the image cannot be read, 2.png: cut short"]
