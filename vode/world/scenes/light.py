"""Light of scenes: the hour and the weather outdoors, lamps indoors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from vode.world.scene import Light

Points = tuple[tuple[float, float, float], ...]


def daylight(rng: np.random.Generator, lamps: Points = ()) -> Light:
    """Sun, overcast sky or dusk, mostly sun; ``lamps`` are on at dusk."""
    kind = rng.choice(["sun", "overcast", "dusk"], p=[0.6, 0.28, 0.12])
    haze = float(np.exp(rng.uniform(math.log(250), math.log(2000))))
    if kind == "sun":
        return _sun(rng, haze)
    if kind == "overcast":
        return _overcast(rng, haze)
    dim = rng.uniform(0.18, 0.4)
    glow = np.array([0.75, 0.55, 0.45]) if rng.random() < 0.5 else np.array([0.5, 0.55, 0.65])
    return Light(
        sun_colour=(0.0, 0.0, 0.0),
        ambient=_colour(dim * np.array([0.9, 0.95, 1.15])),
        sky_low=_colour(glow * min(2.2 * dim, 1.0)),
        sky_high=_colour(np.array([0.3, 0.4, 0.65]) * 1.6 * dim),
        clouds=float(rng.uniform(0, 0.6)),
        haze=haze,
        wet=_wet(rng, 0.4),
        lamps=lamps,
        lamp_strength=float(rng.uniform(0.3, 0.8)),
    )


def outdoors(rng: np.random.Generator) -> Light:
    """Daylight, every fifth time against a sky that is far brighter than what stands before it."""
    return glare(rng) if rng.random() < 0.2 else daylight(rng)


def glare(rng: np.random.Generator) -> Light:
    """A sky that is burnt out in the image, a hard sun or none, and deep shadows."""
    light = _sun(rng, float(rng.uniform(600, 2500))) if rng.random() < 0.75 else _overcast(rng, 1500.0)
    sky = float(rng.uniform(1.3, 2.6))
    return replace(
        light,
        ambient=_colour(rng.uniform(0.25, 0.6) * np.array([0.97, 1.0, 1.06])),
        sky_low=(sky, sky, sky),
        sky_high=(sky * float(rng.uniform(0.5, 1.0)), sky * float(rng.uniform(0.7, 1.0)), sky),
        clouds=0.0,
        haze=float(rng.uniform(1500, 4000)),  # haze as bright as this sky would veil all
        wet=_wet(rng, 0.1),
    )


def interior(
    rng: np.random.Generator, lamps: Points, *, ambient: float, strength: tuple[float, float] = (0.4, 0.9)
) -> Light:
    """Lamps and little else; ``ambient`` is the light that comes from all walls."""
    warm = np.array([1.05, 1.0, 0.9]) if rng.random() < 0.6 else np.array([0.96, 1.0, 1.04])
    return Light(
        sun_colour=(0.0, 0.0, 0.0),
        ambient=_colour(ambient * warm),
        haze=float(rng.uniform(400, 2000)),
        lamps=lamps,
        lamp_strength=float(rng.uniform(*strength)),
    )


def _sun(rng: np.random.Generator, haze: float) -> Light:
    elevation, azimuth = math.radians(rng.uniform(10, 70)), rng.uniform(0, 2 * math.pi)
    low = max(0.0, 1 - math.degrees(elevation) / 35)
    strength = rng.uniform(0.6, 0.95)
    flat = math.cos(elevation)
    return Light(
        sun=(flat * math.sin(azimuth), -math.sin(elevation), flat * math.cos(azimuth)),
        sun_colour=_colour(strength * np.array([1.0, 0.97 - 0.2 * low, 0.88 - 0.38 * low])),
        ambient=_colour(rng.uniform(0.35, 0.55) * np.array([0.95, 1.0, 1.1])),
        sky_low=_colour(np.array([0.84, 0.88, 0.92]) * (1 - low * np.array([-0.05, 0.08, 0.22]))),
        sky_high=_colour(np.array([0.36, 0.55, 0.86]) * rng.uniform(0.8, 1.1)),
        clouds=float(rng.uniform(0, 0.8)),
        haze=haze,
        wet=_wet(rng, 0.08),
    )


def _overcast(rng: np.random.Generator, haze: float) -> Light:
    grey = rng.uniform(0.6, 0.95)
    return Light(
        sun_colour=(0.0, 0.0, 0.0),
        ambient=_colour(rng.uniform(0.65, 0.95) * np.array([0.98, 1.0, 1.03])),
        sky_low=_colour(grey * np.array([0.97, 1.0, 1.02])),
        sky_high=_colour(grey * rng.uniform(0.75, 1.0) * np.array([0.95, 0.98, 1.04])),
        clouds=float(rng.uniform(0.2, 1.0)),
        haze=min(haze, float(np.exp(rng.uniform(math.log(150), math.log(1500))))),
        wet=_wet(rng, 0.35),
    )


def _wet(rng: np.random.Generator, fraction: float) -> float:
    return float(rng.uniform(0.2, 0.8)) if rng.random() < fraction else 0.0


def _colour(values: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = np.clip(values, 0.0, 1.2)
    return float(red), float(green), float(blue)
