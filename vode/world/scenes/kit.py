"""Objects of a scene, a few variants of each kind, which are placed many times."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np

from vode.world.materials import Palette
from vode.world.mesh import Mesh

MODULES = {
    "objects.vehicles": ("car", "van", "truck", "bus", "cyclist", "bicycle", "motorbike"),
    "objects.heavy.lorries": ("articulated", "lorry"),
    "objects.people": ("pedestrian", "walker"),
    "objects.plants": ("tree", "conifer", "bush", "hedge", "grass_tuft", "flower_bed", "crop_field"),
    "objects.buildings": ("house", "block", "shed", "garage", "barn", "wall", "warehouse", "church"),
    "scenes.distant": ("far_tree", "far_conifer", "far_building"),
}
"""Where objects are made, by name; all others in ``vode.world.objects.street``"""


class Kit:
    """Makes variants of objects when they are first needed."""

    def __init__(self, rng: np.random.Generator, palette: Palette, *, variants: int = 12) -> None:
        self.rng, self.palette, self.variants = rng, palette, variants
        self._made: dict[tuple, list[Mesh]] = {}

    def one(self, name: str, **sizes: float) -> Mesh:
        """An object by its name, with sizes that its maker asks for."""
        made = self._made.setdefault((name, *sizes.items()), [])
        chosen = int(self.rng.integers(self.variants))
        if chosen >= len(made):
            made.append(maker(name)(self.rng, self.palette, **sizes))
            return made[-1]
        return made[chosen]

    def some(self, name: str, count: int, **sizes: float) -> list[Mesh]:
        """``count`` objects of a kind."""
        return [self.one(name, **sizes) for _ in range(count)]

    def mixed(self, fractions: dict[str, float], count: int) -> list[Mesh]:
        """``count`` objects of several kinds, by their fractions."""
        names = self.rng.choice(list(fractions), count, p=np.array(list(fractions.values())) / sum(fractions.values()))
        return [self.one(str(name)) for name in names]


def maker(name: str) -> Callable[..., Mesh]:
    """The function that makes an object of this name."""
    module = next((module for module, names in MODULES.items() if name in names), "objects.street")
    make: Callable[..., Mesh] = getattr(import_module(f"vode.world.{module}"), name)
    return make
