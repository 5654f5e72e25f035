"""Scenes of the built-in world, by kind."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from vode.world.options import KINDS
from vode.world.scene import Scene
from vode.world.scenes.base import Wanted

SCENES = {kind: f"vode.world.scenes.{kind}" for kind in KINDS}
"""Kind -> module, whose ``build(rng, wanted)`` makes such a scene"""


def build_scene(kind: str, rng: np.random.Generator, wanted: Wanted = Wanted()) -> Scene:
    """A scene of a kind, a pure function of the state of ``rng``."""
    scene: Scene = import_module(SCENES[kind]).build(rng, wanted)
    return scene


__all__ = ["SCENES", "Wanted", "build_scene"]
