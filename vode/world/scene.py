"""What a scene of the built-in world is made of, before anything is seen of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from vode.world.materials import Palette
from vode.world.mesh import Mesh

Motion = Callable[[float], np.ndarray]
"""Time in seconds -> pose (4, 4) float64, map-from-body. A pure function, defined for all times of the sequence."""


@dataclass(frozen=True)
class Mover:
    """A rigid body that moves: a car, or a leg of somebody who walks."""

    mesh: Mesh
    """in its own axes: x right, y down, z ahead, its base at y = 0"""
    motion: Motion


@dataclass(frozen=True)
class Light:
    """Where light comes from."""

    sun: tuple[float, float, float] = (0.5, -0.75, -0.43)
    """direction towards the sun, y down"""
    sun_colour: tuple[float, float, float] = (0.75, 0.72, 0.65)
    """strength of the sun by colour; zeros for overcast sky, dusk and rooms"""
    ambient: tuple[float, float, float] = (0.55, 0.58, 0.63)
    """light from everywhere, by colour"""
    sky_low: tuple[float, float, float] = (0.82, 0.87, 0.93)
    """colour of the sky at the horizon, and of haze"""
    sky_high: tuple[float, float, float] = (0.40, 0.58, 0.86)
    """colour of the sky overhead"""
    clouds: float = 0.4
    """strength of clouds"""
    haze: float = 500.0
    """metres in which haze takes all but 37 %"""
    wet: float = 0.0
    """how much a road mirrors, 0 = dry"""
    lamps: tuple[tuple[float, float, float], ...] = ()
    """points (x, y, z) of the map that light up what is near, as in rooms and tunnels"""
    lamp_strength: float = 0.0
    """brightness at 2 m from a lamp"""


@dataclass(frozen=True)
class Scene:
    """A place with what stands and moves in it, its light, and the way of the camera through it."""

    static: Mesh
    palette: Palette
    camera: Motion
    """map-from-camera over time"""
    light: Light = Light()
    movers: list[Mover] = field(default_factory=list)
