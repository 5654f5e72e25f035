"""Sequences of the built-in world: images, depth, flow between any two frames, poses, stereo, moving objects.

Everything about a sequence is a pure function of its seed and options, on any device.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.datasets.base import Capability, Sequence
from vode.geometry import warp
from vode.geometry.camera import pixel_grid, project, transform
from vode.geometry.pose import from_first
from vode.geometry.resize import as_float, resize_images
from vode.world import imaging
from vode.world.kept import Kept
from vode.world.options import WorldOptions
from vode.world.scenes import build_scene
from vode.world.scenes.base import Wanted
from vode.world.shading import Shader
from vode.world.texture import Noise
from vode.world.view import STATIC, Seen, World

HELD_OUT_SEED, HELD_OUT_FRAMES = 10_000, 300
HORIZON = 0.49
"""of the height: the principal point"""
ROUNDING = 1e-3
"""pixels that a point may lie off by the rounding of its position"""
PREVIEW = 8
"""times smaller is the image that automatic exposure looks at"""
_RESULTS = Kept(256 * 2**20)
"""bytes of images, depth and flow of all sequences"""
_WORLDS = Kept(3, one_at_a_time=True)
"""scenes that are ready to be looked at"""


class Stage(NamedTuple):
    """A scene that can be looked at."""

    world: World
    shader: Shader
    gain: float
    """of automatic exposure"""


class WorldSequence(Sequence):
    """A sequence, rendered when asked for; what was made last of all sequences is kept."""

    capabilities = frozenset(
        {Capability.DEPTH, Capability.FLOW, Capability.FLOW_BACK, Capability.POSES, Capability.STEREO}
    )

    def __init__(
        self, seed: int, options: WorldOptions = WorldOptions(), *, device: torch.device | str = "cpu"
    ) -> None:
        self.name, self.seed, self.options = f"world{seed}", seed, options
        self.size = height, width = options.size
        self.device = torch.device(device)
        rng = np.random.default_rng([7, seed])
        self.kind = options.scenes[int(rng.integers(len(options.scenes)))]
        focal = width * float(np.exp(rng.uniform(*np.log(options.focal))))
        self.height = float(rng.uniform(*options.height))
        self.imaging = imaging.draw_imaging(rng, options.effects)
        self.intrinsics = torch.tensor(
            [[focal, 0, (width - 1) / 2], [0, focal, HORIZON * (height - 1)], [0, 0, 1]], dtype=torch.float32
        )
        self.timestamps = torch.arange(options.frames, dtype=torch.float64) / options.rate
        self.baseline = options.baseline
        self._gains = 1 + options.exposure * _wobble(rng, options.frames, options.rate)
        self._key = seed, options, str(self.device)

    def __len__(self) -> int:
        return self.options.frames

    @cached_property
    def poses(self) -> Tensor:  # type: ignore[override]
        """(N, 4, 4) float64 world-from-camera, world = the first frame."""
        return from_first(torch.stack([self._camera(i) for i in range(len(self))]))

    def best_read_whole(self) -> bool:
        """Whether there is room for all images: to set up the scene takes as long as about ten of them."""
        return _RESULTS.total + len(self) * 3 * self.size[0] * self.size[1] <= _RESULTS.most

    def frame(self, i: int) -> Tensor:
        """Image i, (3, H, W) float32 in 0..1, in the 256 levels that a file would hold."""
        return as_float(self._levels(i))

    def raw(self, i: int, size: tuple[int, int]) -> Tensor:
        return resize_images(self._levels(i)[None], size)[0]

    def right(self, i: int) -> Tensor:
        """Image i of the rectified camera to the right."""
        return as_float(self._right_levels(i))

    def right_raw(self, i: int, size: tuple[int, int]) -> Tensor:
        return resize_images(self._right_levels(i)[None], size)[0]

    def has_right(self, i: int) -> bool:
        return True

    def has_depth(self, i: int) -> bool:
        return True

    def has_flow(self, i: int) -> bool:
        return i + 1 < len(self)

    def depth(self, i: int) -> Tensor:
        """Camera z (1, H, W) in metres, 0 in the sky."""
        return self._kept("depth", i, lambda: self._depth(i))

    def right_depth(self, i: int) -> Tensor:
        """That of the camera on the right."""
        return self._kept("right depth", i, lambda: self._depth(i, 1))

    def _depth(self, i: int, eye: int = 0) -> Tensor:
        seen = self._look(i, eye)
        return seen.spread(seen.depth, 0.0).view(1, *self.size).cpu()

    def moving(self, i: int) -> Tensor:
        """Where bodies are seen that may move on their own, (1, H, W) bool."""

        def made() -> Tensor:
            seen = self._look(i)
            return (seen.spread(seen.body, STATIC) != STATIC).view(1, *self.size).cpu()

        return self._kept("moving", i, made)

    def flow(self, i: int) -> tuple[Tensor, Tensor] | None:
        """Flow (2, H, W) in pixels from frame i to i + 1 and where it is seen there, (1, H, W) bool."""
        return self.flow_between(i, i + 1) if self.has_flow(i) else None

    def flow_back(self, i: int) -> tuple[Tensor, Tensor] | None:
        """Flow from frame i + 1 back to i, likewise."""
        return self.flow_between(i + 1, i) if self.has_flow(i) else None

    def flow_between(self, i: int, j: int) -> tuple[Tensor, Tensor]:
        """Flow (2, H, W) in pixels from frame i to any frame j and where it is seen there, (1, H, W) bool."""

        def made() -> Tensor:
            flow, seen = self._flow(i, self._time(j), self._camera(j))
            return torch.cat([flow, seen.float()]).cpu()

        both = self._kept(f"flow to {j}", i, made)
        return both[:2], both[2:] > 0

    def _flow(self, i: int, time: float, T_map_there: Tensor) -> tuple[Tensor, Tensor]:
        """Flow and visibility from frame i to a camera at any time."""
        world, seen = self._stage().world, self._look(i)
        target, z, points = self._project(seen, time, T_map_there)
        inside = warp.inside(target.T.reshape(1, 2, *self.size), self.size, margin=ROUNDING)[0, 0].flatten() & (
            z > 0.05
        )
        visible = inside.clone()
        there = T_map_there[:3, 3].to(self.device)
        visible[inside] = world.sees(time, there, points[inside])
        flow = target.T.reshape(2, *self.size) - pixel_grid(*self.size, device=self.device)
        return flow.float(), visible.view(1, *self.size)

    def _project(self, seen: Seen, time: float, T_map_there: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (N, 2) and z (N,) of what is seen in a camera at another time, and where it is: (N, 3), map."""
        T_there_map = torch.linalg.inv(T_map_there.to(self.device))
        # the sky is at infinity: it turns with the camera and does not come nearer
        far = T_map_there[:3, 3].to(self.device) + 1e5 * seen.rays.double()
        points = far.masked_scatter(seen.solid[:, None], self._stage().world.carried(seen, time))
        pixels, z = project(transform(T_there_map, points), self.intrinsics.double().to(self.device))
        return pixels, z, points

    def _levels(self, i: int) -> Tensor:
        """Image i with 8 bits."""
        return self._kept("image", i, lambda: self._render(i))

    def _right_levels(self, i: int) -> Tensor:
        """The image on the right of i with 8 bits."""
        return self._kept("right", i, lambda: self._render(i, 1))

    def _render(self, i: int, eye: int = 0) -> Tensor:
        """8-bit levels of frame i, or of its stereo partner for ``eye`` 1."""
        stage, seen = self._stage(), self._look(i, eye)
        image = stage.shader.image(seen, self.size)
        if self.imaging.shutter > 0:
            after = self._time(i + 1)
            target, _, _ = self._project(seen, after, self._pose(after, eye))
            flow = target.T.reshape(2, *self.size).float() - pixel_grid(*self.size, device=self.device)
            image = imaging.blur_along(image, flow.clamp(-200, 200), self.imaging.shutter)
        return imaging.expose(image, stage.gain * float(self._gains[i]), self.imaging, (self.seed, i, eye))

    def _look(self, i: int, eye: int = 0) -> Seen:
        """What frame i sees, or its stereo partner for ``eye`` 1."""
        if not 0 <= i < len(self):
            raise IndexError(f"frame {i} of a sequence of {len(self)}")
        pose, world = self._pose(self._time(i), eye), self._stage().world
        return _LOOKS.get((self._key, i, eye), lambda: world.look(self._time(i), pose, self.intrinsics, self.size))

    def _time(self, i: int) -> float:
        return i / self.options.rate

    def _camera(self, i: int) -> Tensor:
        """Map-from-camera pose (4, 4) float64 of frame i."""
        if not 0 <= i < len(self):
            raise IndexError(f"frame {i} of a sequence of {len(self)}")
        return self._pose(self._time(i))

    def _pose(self, time: float, eye: int = 0) -> Tensor:
        pose = torch.tensor(self._stage().world.scene.camera(time), dtype=torch.float64)
        pose[:3, 3] += eye * self.options.baseline * pose[:3, 0]
        return pose

    def _stage(self) -> Stage:
        return _WORLDS.get(self._key, self._build)

    def _build(self) -> Stage:
        o = self.options
        wanted = Wanted(o.frames / o.rate, o.speed, self.height, o.moving, o.closed)
        scene = build_scene(self.kind, np.random.default_rng([8, self.seed]), wanted)
        world = World(scene, self.device)
        shader = Shader(world, _noise(self.device))
        small = max(self.size[0] // PREVIEW, 8), max(self.size[1] // PREVIEW, 8)
        focal = float(self.intrinsics[0, 0]) * small[1] / self.size[1]
        intrinsics = torch.tensor([[focal, 0, (small[1] - 1) / 2], [0, focal, HORIZON * (small[0] - 1)], [0, 0, 1]])
        middle = self._time(len(self) // 2)
        pose = torch.from_numpy(np.asarray(scene.camera(middle), np.float64))
        gain = imaging.automatic_gain(shader.image(world.look(middle, pose, intrinsics, small), small))
        return Stage(world, shader, gain)

    def _kept(self, what: str, i: int, make: Callable[[], Tensor]) -> Tensor:
        return _RESULTS.get((self._key, what, i), make, lambda made: made.nbytes)


def keep_rendered(most: int) -> None:
    """Let up to ``most`` bytes of the images, depth and flow of all sequences be kept, if that is more than now."""
    _RESULTS.most = max(_RESULTS.most, most)


_LOOKS = Kept(10)
"""what frames see, used for image, depth and flow alike"""
_NOISE = Kept(2)


def _noise(device: torch.device) -> Noise:
    return _NOISE.get(str(device), lambda: Noise(0, device))


def _wobble(rng: np.random.Generator, count: int, rate: float) -> np.ndarray:
    """A smooth random signal of ``count`` frames within about -1..1, with periods of 2 to 6 seconds."""
    time = np.arange(count) / rate
    waves = [np.sin(2 * math.pi * time / rng.uniform(2, 6) + rng.uniform(0, 2 * math.pi)) for _ in range(3)]
    return np.mean(waves, axis=0)


def held_out_sequence(size: tuple[int, int]) -> WorldSequence:
    """The sequence that runs are scored on: over 200 m, of a seed that no recipe trains on."""
    return WorldSequence(HELD_OUT_SEED, WorldOptions(size=size, frames=HELD_OUT_FRAMES))
