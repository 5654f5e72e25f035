"""Frames a second of the rendered world: a set scene of 300 objects in sight, and every kind of scene.

    python benchmarks/world.py [--size 128 416] [--frames 60]

Images are rendered by as many threads as torch has, each a frame at a time. "Sample" is what training takes: image and
depth for one frame, and for a pair both images and both flows.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from report import machine, table

from vode.world import sequence as kept
from vode.world.kept import Kept
from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, join, place, quad
from vode.world.objects.buildings import block, house
from vode.world.objects.plants import tree
from vode.world.objects.shapes import variants
from vode.world.objects.street import lamp_post
from vode.world.objects.vehicles import car
from vode.world.options import KINDS, WorldOptions
from vode.world.scene import Scene
from vode.world.sequence import WorldSequence
from vode.world.shading import Shader
from vode.world.texture import Noise
from vode.world.view import World

OBJECTS = 300


def objects_in_sight(rng: np.random.Generator) -> Scene:
    """``OBJECTS`` objects on a plain, in rows that fan out ahead of the camera, so that each is seen."""
    palette = Palette()
    makers: tuple[Callable, ...] = (car, tree, lamp_post, house, lambda r, p: block(r, p, 14.0, 10.0, 9.0))
    shapes: list[list[Mesh]] = [variants(make, rng, palette, 6) for make in makers]
    parts = [_plain(palette)]
    for k in range(OBJECTS):
        kind = k % len(makers)
        z = 12 + 130 * (k / OBJECTS) + rng.uniform(0, 2)
        side = rng.uniform(-0.8, 0.8)
        parts.append(place(shapes[kind][int(rng.integers(6))], (side * z, 0.0, z), yaw=rng.uniform(0, 6)))
    pose = np.eye(4)
    pose[1, 3] = -1.65
    return Scene(join(parts), palette, lambda time: pose)


def _plain(palette: Palette) -> Mesh:
    grass = palette.add(Material((0.3, 0.4, 0.2), Pattern.LEAVES, (0.2, 0.3, 0.1), (0.3, 0.3)))
    return quad(np.array([[-400.0, 0, -400], [400, 0, -400], [400, 0, 400], [-400, 0, 400]]), grass)


def frames_a_second(render: Callable[[int], object], count: int) -> float:
    """Of ``count`` calls with their numbers, by as many threads as torch has, each of which computes alone."""
    with ThreadPoolExecutor(torch.get_num_threads(), "render", torch.set_num_threads, (1,)) as pool:
        list(pool.map(render, range(4)))
        start = time.perf_counter()
        list(pool.map(render, range(4, count)))
        return (count - 4) / (time.perf_counter() - start)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(128, 416))
    parser.add_argument("--frames", type=int, default=60)
    given = parser.parse_args()
    size, frames = tuple(given.size), given.frames
    print(machine("embreex"), "\n")
    scene = objects_in_sight(np.random.default_rng(0))
    world = World(scene)
    shader = Shader(world, Noise())
    focal = 0.579 * size[1]
    intrinsics = torch.tensor([[focal, 0, (size[1] - 1) / 2], [0, focal, 0.49 * (size[0] - 1)], [0, 0, 1]])
    pose = torch.from_numpy(scene.camera(0.0))
    rate = frames_a_second(lambda i: shader.image(world.look(0.0, pose, intrinsics, size), size), frames)
    print(
        f"{OBJECTS} objects in sight, {len(scene.static.faces)} triangles, {size[1]}x{size[0]}: {rate:.0f} frames/s\n"
    )
    rows = []
    for kind in KINDS:
        sequence = WorldSequence(1, WorldOptions(size=size, frames=frames, scenes=(kind,)))
        start = time.perf_counter()
        stage = sequence._stage()
        built = time.perf_counter() - start
        kept._RESULTS = Kept(0)
        image = frames_a_second(lambda i, s=sequence: (s.frame(i), s.depth(i)), frames)
        pair = frames_a_second(
            lambda i, s=sequence: (s.frame(i), s.frame(i + 1), s.flow(i), s.flow_back(i)), frames - 1
        )
        triangles = len(stage.world.scene.static.faces)
        rows.append(
            (kind, triangles, len(stage.world.scene.movers), f"{1e3 * built:.0f}", f"{image:.0f}", f"{pair:.0f}")
        )
    print(table(["scene", "triangles", "movers", "built in ms", "images + depth /s", "pairs + flows /s"], rows))


if __name__ == "__main__":
    main()
