"""Published results, to stand beside one's own: numbers as their authors printed them, never measured here."""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """One published row."""

    method: str
    source: str
    values: dict[str, dict[str, float | None]]
    """sequence (or split) -> measure -> value, None where the authors give none"""


_ODOMETRY = ("t_err_percent", "r_err_deg_per_100m", "ate_m")
_DEPTH = ("abs_rel", "sq_rel", "rmse", "rmse_log", "d1", "d2", "d3")
_ZHAN, _ZHAO = "Zhan et al., ICRA 2020", "Zhao et al., CVPR 2020"


def _odometry(method: str, source: str, nine: tuple[float | None, ...], ten: tuple[float | None, ...]) -> Published:
    named = {name: dict(zip(_ODOMETRY, row, strict=True)) for name, row in (("09", nine), ("10", ten))}
    return Published(method, source, named)


def _eigen(method: str, source: str, *values: float) -> Published:
    return Published(method, source, {"kitti-eigen": dict(zip(_DEPTH, values, strict=True))})


ODOMETRY = (
    _odometry("ORB-SLAM2, no loop closure", _ZHAN, (9.30, 0.26, 38.77), (2.57, 0.32, 5.42)),
    _odometry("ORB-SLAM2, loop closure", _ZHAN, (2.88, 0.25, 8.39), (3.30, 0.30, 6.63)),
    _odometry("SfMLearner", "Zhou et al., CVPR 2017", (11.32, 4.07, 26.93), (15.25, 4.06, 24.09)),
    _odometry("SC-SfMLearner", "Bian et al., NeurIPS 2019", (7.64, 2.19, 15.02), (10.74, 4.58, 20.19)),
    _odometry("Monodepth2, mono", "Godard et al., ICCV 2019", (17.22, 3.86, 76.42), (11.72, 5.34, 20.47)),
    _odometry("TrianFlow", _ZHAO, (6.93, 0.44, None), (4.66, 0.62, None)),
    _odometry("DF-VO, mono", _ZHAN, (2.47, 0.30, 11.02), (1.96, 0.31, 3.37)),
)
"""KITTI odometry after 7-DoF alignment; ORB-SLAM2 the best of three runs."""

DEPTH = (
    _eigen("SfMLearner (updated) 416x128", "Zhou et al., CVPR 2017", 0.183, 1.595, 6.709, 0.270, 0.734, 0.902, 0.959),
    _eigen("GeoNet 416x128", "Yin, Shi, CVPR 2018", 0.155, 1.296, 5.857, 0.233, 0.793, 0.931, 0.973),
    _eigen("SC-SfMLearner R18 832x256", "Bian et al., NeurIPS 2019", 0.119, 0.857, 4.950, 0.197, 0.863, 0.957, 0.981),
    _eigen("Monodepth2 640x192", "Godard et al., ICCV 2019", 0.115, 0.903, 4.863, 0.193, 0.877, 0.959, 0.981),
    _eigen("TrianFlow, no ImageNet 832x256", _ZHAO, 0.130, 0.893, 5.062, 0.205, 0.832, 0.949, 0.981),
    _eigen("TrianFlow 832x256", _ZHAO, 0.113, 0.704, 4.581, 0.184, 0.871, 0.961, 0.984),
)
"""KITTI Eigen, monocular training: cap 80 m, Garg crop, median scaling of each image."""


def rows(published: tuple[Published, ...]) -> dict[str, dict[str, dict[str, float | None]]]:
    """The rows as ``table_of`` takes them, each method marked as published."""
    return {f"{row.method} [published]": row.values for row in published}


def sources(published: tuple[Published, ...]) -> list[str]:
    """One line that names the work that every row belongs to."""
    return ["published for: " + "; ".join(f"{row.method}: {row.source}" for row in published)]
