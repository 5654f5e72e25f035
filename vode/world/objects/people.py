"""People: standing, walking with swinging legs and arms, or riding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vode.world.materials import Colour, Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, join, on_ground
from vode.world.objects import shapes
from vode.world.scene import Motion, Mover

REMEMBERED = 32
"""times for which the pose of a walker is cached"""

_SKIN: tuple[Colour, ...] = ((0.60, 0.42, 0.33), (0.50, 0.33, 0.24), (0.30, 0.18, 0.12), (0.14, 0.08, 0.06))
_HAIR: tuple[Colour, ...] = ((0.03, 0.02, 0.02), (0.10, 0.06, 0.03), (0.30, 0.20, 0.09), (0.40, 0.39, 0.38))
_TOPS: tuple[Colour, ...] = (
    *((0.75, 0.75, 0.74), (0.04, 0.04, 0.05), (0.30, 0.30, 0.31), (0.05, 0.09, 0.25), (0.45, 0.05, 0.05)),
    *((0.10, 0.25, 0.12), (0.65, 0.50, 0.08), (0.45, 0.35, 0.25), (0.55, 0.25, 0.30), (0.15, 0.35, 0.50)),
)
_TROUSERS: tuple[Colour, ...] = (
    *((0.04, 0.04, 0.05), (0.06, 0.09, 0.18), (0.15, 0.20, 0.32), (0.35, 0.30, 0.22), (0.22, 0.22, 0.22)),
)
_SHOES: tuple[Colour, ...] = ((0.03, 0.03, 0.03), (0.7, 0.7, 0.68), (0.20, 0.12, 0.07), (0.4, 0.05, 0.05))


@dataclass(frozen=True)
class _Look:
    """Sizes in metres and materials of a person."""

    size: float
    """height as a fraction of 1.75 m"""
    girth: float
    skin: int
    hair: int
    top: int
    trousers: int
    shoes: int
    dress: bool
    bare_arms: bool
    long_hair: bool
    hat: bool

    @property
    def hip(self) -> float:
        """Height of the hip."""
        return 0.90 * self.size

    @property
    def shoulder(self) -> float:
        """Height of the shoulder."""
        return 1.41 * self.size

    @property
    def shoulder_x(self) -> float:
        """Distance of the shoulder from the middle."""
        return 0.205 * self.size * (0.85 + 0.15 * self.girth)


def pedestrian(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A standing adult or child, 1.1 to 1.95 m, perhaps with a bag or under an umbrella."""
    look = _look(rng, palette)
    stride, swing = rng.uniform(-0.25, 0.25), rng.uniform(-0.3, 0.3)
    parts = [_body(look)]
    for side in (-1.0, 1.0):
        leg = shapes.tilt(_leg(look, side), side * stride, pivot=(0, -look.hip, 0))
        arm = shapes.tilt(_arm(look, side), -side * swing, pivot=(0, -look.shoulder, 0))
        parts += [leg, arm]
    parts += _luggage(look, rng, palette)
    return on_ground(join(parts))


def walker(rng: np.random.Generator, palette: Palette, path: Motion, step_length: float) -> list[Mover]:
    """A person who walks along a path (map-from-body, z ahead): body, two legs and two arms as rigid movers.

    Each leg stands on its place while the body moves over it by ``step_length`` metres; the hips sink as the legs part.
    """
    look = _look(rng, palette)
    stride = _Stride(path, min(step_length, 1.2 * look.hip), look.hip)
    movers = [Mover(join([_body(look), *_luggage(look, rng, palette)]), stride.motion(0.0, 0.0))]
    for side in (-1.0, 1.0):
        movers.append(Mover(_leg(look, side), stride.motion(look.hip, side)))
        movers.append(Mover(_arm(look, side), stride.motion(look.shoulder, -0.8 * side)))
    return movers


def rider(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A person on a bicycle whose saddle is at z = -0.27 and height 0.98, hands at z = 0.1 and height 1.05."""
    look = _look(rng, palette, adult=True)
    helmet = palette.plain(shapes.tint(rng, _TOPS), noise=0.1, gloss=0.2)
    hips, neck = np.array([0, -1.0, -0.27]), np.array([0, -1.52, 0.02])
    body = _upright(look, hips, neck, helmet if rng.random() < 0.6 else look.hair)
    limbs, sizes, rows = [], [], []
    for side, foot in ((-1.0, (-0.12, -0.14, -0.10)), (1.0, (0.12, -0.45, -0.14))):
        hip, ankle = hips + np.array([side * 0.09, 0.02, 0]), np.array(foot) + np.array([0, -0.06, 0])
        knee = (hip + ankle) / 2 + np.array([side * 0.03, -0.06, 0.21 if side < 0 else 0.33])
        shoulder, hand = neck + np.array([side * 0.19, 0.06, -0.01]), np.array([side * 0.27, -1.06, 0.12])
        elbow = (shoulder + hand) / 2 + np.array([side * 0.07, 0.06, -0.04])
        limbs += [
            [hip, knee],
            [knee, ankle],
            [shoulder, elbow],
            [elbow, hand],
            [ankle, ankle + np.array([0, 0.05, 0.17])],
        ]
        sizes += [[0.095, 0.065], [0.065, 0.045], [0.065, 0.048], [0.048, 0.035], [0.055, 0.04]]
        rows += [look.trousers, look.trousers, look.top, look.skin if look.bare_arms else look.top, look.shoes]
    return join([body, shapes.tubes(limbs, np.array(sizes), rows, sides=6)])


class _Stride:
    """Where the parts of a walker are: a triangle wave over the metres walked, so that feet stand still."""

    TICK = 0.1

    def __init__(self, path: Motion, step_length: float, leg: float) -> None:
        # all parts ask for the same few places
        self.path, self.step_length, self.leg = lru_cache(REMEMBERED)(path), step_length, leg
        self._walked = [0.0]

    def walked(self, time: float) -> float:
        """Metres walked since time 0, by sums of short straight pieces."""
        ticks = abs(time) / self.TICK
        whole = int(ticks)
        direction = -1.0 if time < 0 else 1.0
        return direction * (self._until(whole, direction) + (ticks - whole) * self._piece(whole, direction))

    def _until(self, ticks: int, direction: float) -> float:
        if direction < 0:
            return sum(self._piece(k, direction) for k in range(ticks))
        while len(self._walked) <= ticks:
            self._walked.append(self._walked[-1] + self._piece(len(self._walked) - 1, 1.0))
        return self._walked[ticks]

    def _piece(self, tick: int, direction: float) -> float:
        step = direction * self.TICK
        return float(np.linalg.norm((self.path((tick + 1) * step) - self.path(tick * step))[[0, 2], 3]))

    def angle(self, time: float) -> float:
        """Angle of the right leg, radians, ahead positive."""
        phase = self.walked(time) / self.step_length % 2.0
        ahead = (abs(phase - 1.0) * 2 - 1) * self.step_length / 2
        return float(np.arcsin(ahead / self.leg))

    def motion(self, pivot: float, fraction: float) -> Motion:
        """Motion of a part that swings about a pivot at that height by a fraction of the leg's angle."""

        def pose(time: float) -> np.ndarray:
            angle = self.angle(time)
            sink = self.leg * (1 - np.cos(angle))
            cos, sin = np.cos(fraction * angle), np.sin(fraction * angle)
            swing = np.eye(4)
            swing[1:3, 1:3] = [[cos, -sin], [sin, cos]]
            swing[1, 3] = sink - pivot + cos * pivot
            swing[2, 3] = sin * pivot
            return self.path(time) @ swing

        return pose


def _look(rng: np.random.Generator, palette: Palette, *, adult: bool = False) -> _Look:
    def cloth(colours: tuple[Colour, ...]) -> int:
        colour = shapes.tint(rng, colours, 0.3)
        if rng.random() < 0.2:
            kind = Pattern.STRIPES if rng.random() < 0.5 else Pattern.SPOTS
            return palette.add(Material(colour, kind, shapes.tint(rng, colours, 0.3), (rng.uniform(0.04, 0.12),) * 2))
        return palette.plain(colour, noise=0.35)

    child = not adult and rng.random() < 0.15
    return _Look(
        size=rng.uniform(0.62, 0.85) if child else rng.uniform(0.91, 1.10),
        girth=rng.uniform(0.85, 1.35),
        skin=palette.plain(shapes.tint(rng, _SKIN), noise=0.1),
        hair=palette.plain(shapes.tint(rng, _HAIR, 0.3), noise=0.3),
        top=cloth(_TOPS),
        trousers=cloth(_TROUSERS),
        shoes=palette.plain(shapes.tint(rng, _SHOES), noise=0.2),
        dress=bool(rng.random() < 0.2) and not adult,
        bare_arms=bool(rng.random() < 0.35),
        long_hair=bool(rng.random() < 0.4),
        hat=bool(rng.random() < 0.15),
    )


def _body(look: _Look) -> Mesh:
    """Trunk, neck and head, upright, with hair or hat, and a skirt."""
    s, g = look.size, look.size * look.girth
    parts = [
        _upright(look, np.array([0, -0.82 * s, 0]), np.array([0, -1.46 * s, 0.01]), look.top if look.hat else look.hair)
    ]
    if look.dress:
        skirt = shapes.rings([0.42 * s, 1.0 * s], [0.25 * g, 0.15 * g], [0.21 * g, 0.11 * g], sides=8)
        parts.append(shapes.sheet(skirt, look.top, closed=True))
    if look.hat:
        parts.append(
            shapes.sheet(
                shapes.rings([1.70 * s, 1.71 * s], [0.14 * s, 0.07 * s], [0.16 * s, 0.07 * s]), look.top, closed=True
            )
        )
    return join(parts)


def _upright(look: _Look, hips: np.ndarray, neck: np.ndarray, crown: int) -> Mesh:
    """Trunk between hips and neck, head upright above it."""
    s, g = look.size, look.size * look.girth
    part = np.array([0.0, 0.12, 0.38, 0.72, 0.90, 1.0])
    half_x = np.array([0.15 * g, 0.165 * g, 0.145 * g, 0.185 * (g + s) / 2, 0.16 * s, 0.06 * s])
    half_z = np.array([0.10 * g, 0.115 * g, 0.105 * g, 0.12 * g, 0.09 * s, 0.06 * s])
    middle = hips + np.outer(part, neck - hips)
    trunk = shapes.rings(-middle[:, 1], half_x, half_z, middle=middle[:, [0, 2]], sides=7)
    bands = np.array([look.trousers, look.top, look.top, look.top, look.top])
    up = np.array([-0.02, 0.05, 0.09, 0.16, 0.22, 0.275, 0.295]) * s - neck[1]
    wide = np.array([0.055, 0.055, 0.066, 0.078, 0.08, 0.055, 0.01]) * s
    deep = np.array([0.055, 0.06, 0.085, 0.095, 0.10, 0.07, 0.012]) * s
    head = shapes.rings(up, wide, deep, middle=(neck[0], neck[2] + 0.02 * s), sides=7)
    kinds = np.array([look.skin, look.skin, look.skin, look.skin, crown, crown])
    parts = [shapes.sheet(trunk, bands, closed=True), shapes.sheet(head, kinds, closed=True)]
    back = np.array([neck[0], neck[2] - 0.02 * s])
    low = (-0.06 if look.long_hair else 0.10) * s
    wide, deep = np.array([0.075, 0.09, 0.07]) * s, np.array([0.06, 0.085, 0.075]) * s
    behind = shapes.rings(np.array([low, 0.12 * s, 0.25 * s]) - neck[1], wide, deep, middle=back, sides=8)[:, 4:]
    return join([*parts, shapes.sheet(behind, look.hair, inside=np.array([back[0], neck[1] - 0.1 * s, back[1]]))])


def _leg(look: _Look, side: float) -> Mesh:
    """A straight leg with its shoe, hanging from the hip."""
    s, g = look.size, look.size * (0.5 + 0.5 * look.girth)
    x = side * 0.088 * s
    heights = np.array([0.0, 0.07, 0.11, 0.48, 0.92]) * s
    deep = np.array([0.12, 0.075, 0.05, 0.062 * g / s, 0.088 * g / s]) * s
    wide = np.array([0.047, 0.045, 0.045, 0.062 * g / s, 0.088 * g / s]) * s
    middle = [(x, 0.05 * s), (x, 0.02 * s), (x, 0.0), (x, 0.01 * s), (x, 0.0)]
    lower = look.skin if look.dress else look.trousers
    kinds = np.array([look.shoes, look.shoes, lower, look.trousers if not look.dress else look.skin])
    return shapes.sheet(shapes.rings(heights, wide, deep, middle=middle, sides=5), kinds, closed=True)


def _arm(look: _Look, side: float) -> Mesh:
    """An arm with its hand, hanging from the shoulder."""
    s, x = look.size, side * look.shoulder_x
    heights = np.array([0.68, 0.78, 0.80, 1.12, 1.38, 1.44]) * s
    radius = np.array([0.025, 0.042, 0.035, 0.045, 0.058, 0.02]) * s
    middle = np.stack(
        [x + side * np.array([0.055, 0.05, 0.05, 0.03, 0.0, -0.03]) * s, np.array([0.05, 0.04, 0.03, 0, 0, 0]) * s], 1
    )
    lower = look.skin if look.bare_arms else look.top
    kinds = np.array([look.skin, look.skin, lower, look.top, look.top])
    return shapes.sheet(shapes.rings(heights, radius, radius, middle=middle, sides=5), kinds, closed=True)


def _luggage(look: _Look, rng: np.random.Generator, palette: Palette) -> list[Mesh]:
    """A rucksack, a bag or an umbrella, for some."""
    kind, s = rng.random(), look.size
    material = palette.plain(shapes.tint(rng, _TOPS), noise=0.2)
    if kind < 0.18:
        return [boxes([(0, 0.98 * s, -0.19 * s * look.girth**0.5, 0.30 * s, 0.42 * s, 0.17 * s)], material)]
    if kind < 0.34:
        side = 1.0 if rng.random() < 0.5 else -1.0
        return [boxes([(side * 0.30 * s, 0.5 * s, 0.0, 0.10 * s, 0.28 * s, 0.32 * s)], material)]
    if kind < 0.42:
        canopy = shapes.rings([1.78 * s, 1.92 * s, 2.0 * s], [0.52, 0.32, 0.02], [0.52, 0.32, 0.02], sides=8)
        stick = shapes.tubes([[(0.2 * s, -1.0 * s, 0.15), (0.0, -2.0 * s, 0.0)]], 0.012, material, sides=4)
        return [shapes.sheet(canopy, material, closed=True), stick]
    return []
