"""Options of the built-in world."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorldOptions:
    """What a sequence of the built-in world looks like."""

    size: tuple[int, int] = (64, 192)
    """height and width of the images in pixels"""
    frames: int = 20
    speed: tuple[float, float] = (5.0, 15.0)
    """slowest and fastest, metres a second, at 10 frames a second"""
    moving: bool = True
    """driving cars, besides the parked ones"""
    exposure: float = 0.0
    """strength of brightness changes between frames, 0 = none, 0.2 = strong"""
