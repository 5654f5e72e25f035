"""Options of the built-in world."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("town", "residential", "country", "highway", "jam", "car_park", "tunnel", "room", "corridor")
"""kinds of scenes, each of which is a module of ``vode.world.scenes``"""


@dataclass(frozen=True)
class WorldOptions:
    """What a sequence of the built-in world looks like."""

    size: tuple[int, int] = (64, 192)
    """height and width of the images in pixels"""
    frames: int = 20
    scenes: tuple[str, ...] = ("town",)
    """kinds of scenes, of which the seed chooses one"""
    rate: float = 10.0
    """frames a second"""
    speed: tuple[float, float] | None = (5.0, 15.0)
    """slowest and fastest, metres a second; None = as is usual in such a place"""
    moving: bool = True
    """cars that drive and people who walk, besides those that stand"""
    closed: bool = False
    """the camera comes back to where it began, after 500 m or more out of doors"""
    focal: tuple[float, float] = (718.856 / 1241.0, 718.856 / 1241.0)
    """least and greatest focal length in widths of the image"""
    height: tuple[float, float] = (1.65, 1.65)
    """least and greatest height of the camera on a car, metres"""
    baseline: float = 0.54
    """metres to the stereo partner on the right"""
    exposure: float = 0.0
    """strength of brightness changes between frames, 0 = none, 0.2 = strong"""
    effects: float = 0.0
    """strength of motion blur, lens blur, vignetting, colour cast, noise and JPEG; with 1 some cameras are bad"""
