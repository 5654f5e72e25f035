"""Names of the formats that trajectories are written in."""

from __future__ import annotations

from typing import Literal

Format = Literal["kitti", "tum", "euroc"]
SUFFIXES: dict[Format, str] = {"kitti": ".txt", "tum": ".txt", "euroc": ".csv"}
TIMED = ("tum", "euroc")
"""those that need timestamps"""
