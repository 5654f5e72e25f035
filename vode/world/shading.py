"""The colours of what is seen: materials, light, shadows, reflections, haze and sky."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.world.materials import Pattern, Table
from vode.world.scene import Light
from vode.world.texture import Noise, Places, draw, roughness
from vode.world.view import Seen, World

NEAR_LAMPS = 12
"""most lamps that light a pixel"""
THROUGH_LEAVES = 0.6
"""how far light reaches around to the far side of foliage"""


class Look(NamedTuple):
    """What a surface is like before light falls on it, each (N, ...)."""

    colour: Tensor
    """(N, 3) reflectance"""
    gloss: Tensor
    emission: Tensor
    wet: Tensor
    """whether it is a road, which rain makes a mirror"""
    leaves: Tensor
    """whether it is foliage, which light passes through"""


class Shader:
    """Colours what a world shows."""

    def __init__(self, world: World, noise: Noise) -> None:
        self.world, self.noise = world, noise
        self.light: Light = world.scene.light
        self.table: Table = world.scene.palette.table(world.device)

    def image(self, seen: Seen, size: tuple[int, int]) -> Tensor:
        """Radiance (3, H, W) of an image of ``size`` (H, W), of which 1 is white."""
        return self.colours(seen).T.reshape(3, *size)

    def colours(self, seen: Seen, *, mirrors: bool = True) -> Tensor:
        """Radiance (N, 3); without ``mirrors`` a wet road is only dark."""
        look = self._look(seen)
        lit = look.colour * self._incident(seen, look.leaves)
        lit = lit + look.emission[:, None] * look.colour
        lit = self._reflect(seen, look, lit, mirrors=mirrors)
        haze = torch.exp(-seen.depth * seen.directions.norm(dim=-1) / self.light.haze)[:, None]
        lit = lit * haze + self._tensor(self.light.sky_low) * (1 - haze)
        if bool(seen.solid.all()):
            return lit
        colour = torch.empty_like(seen.rays)
        colour[seen.solid] = lit
        colour[~seen.solid] = self._sky(seen.rays[~seen.solid], seen.focal)
        return colour

    def _look(self, seen: Seen) -> Look:
        values, pattern = self.table.values[seen.material], self.table.pattern[seen.material]
        colour, second, pitch = values[:, :3].clone(), values[:, 3:6], values[:, 6:8].clamp(min=1e-3)
        noise, gloss, emission = values[:, 8:11].clone().T
        shade = torch.ones_like(noise)
        for kind in self.table.patterns - {Pattern.PLAIN}:
            found = (pattern == int(kind)).nonzero()[:, 0]
            if not len(found):
                continue
            drawn = draw(kind, Places(*(x[found] for x in seen.places)), pitch[found], self.noise)
            cover = drawn.second[:, None]
            colour[found] = colour[found] * (1 - cover) + second[found] * cover
            shade[found] = drawn.shade
            gloss[found] = gloss[found] + drawn.gloss
        rough = roughness(seen.places, self.noise)
        factor = shade * (1 + noise * rough).clamp(0.1, 2.5)
        colour = (colour * factor[:, None]).clamp(0.0, 1.0)
        return Look(colour, gloss, emission, pattern == int(Pattern.ROAD), pattern == int(Pattern.LEAVES))

    def _incident(self, seen: Seen, leaves: Tensor) -> Tensor:
        """Light that falls on surfaces, by colour: (N, 3)."""
        light, normal = self.light, seen.normal
        wrap = torch.where(leaves, THROUGH_LEAVES, 0.0)
        open_sky = 0.72 - 0.28 * normal[:, 1:2]
        total = self._tensor(light.ambient) * open_sky
        if max(light.sun_colour) > 0:
            sun = F.normalize(self._tensor(light.sun), dim=-1)
            total = total + self._from(seen, sun.expand_as(normal), 1e4, wrap) * self._tensor(light.sun_colour)
        if light.lamps and light.lamp_strength > 0:
            total = total + self._lamplight(seen)
        return total

    def _from(self, seen: Seen, towards: Tensor, reach: float, wrap: Tensor) -> Tensor:
        """Cosine of the angle to light from the direction ``towards`` (N, 3), 0 in shadow: (N, 1).

        ``wrap`` (N,) in 0..1 is how far light reaches around to the side that faces away.
        """
        facing_by = (seen.normal * F.normalize(towards, dim=-1)).sum(-1)
        cosine = (facing_by + wrap).clamp(min=0) / (1 + wrap)
        facing = cosine > 0
        # from the side that the light comes from
        away = seen.normal * facing_by.sign()[:, None] * (2e-3 + 1e-3 * seen.depth[:, None])
        shadowed = self.world.blocked(seen.time, (seen.point + away)[facing], towards[facing], reach)
        cosine[facing] = torch.where(shadowed, 0.0, cosine[facing])
        return cosine[:, None]

    def _lamplight(self, seen: Seen) -> Tensor:
        if not len(seen.point):
            return seen.depth[:, None]
        lamps = self._tensor(self.light.lamps)
        # those near most of what is seen
        middle = seen.point.median(dim=0).values
        nearest = (lamps - middle).norm(dim=-1).argsort()[:NEAR_LAMPS]
        towards = lamps[nearest] - seen.point[:, None]
        square = towards.square().sum(-1).clamp(min=0.25)
        cosine = (seen.normal[:, None] * F.normalize(towards, dim=-1)).sum(-1).clamp(min=0)
        strength = 4 * self.light.lamp_strength * cosine / square
        # the brightest lamp alone casts a shadow
        brightest = strength.argmax(-1, keepdim=True)
        ray = towards.gather(1, brightest[..., None].expand(-1, -1, 3))[:, 0]
        away = seen.normal * (2e-3 + 1e-3 * seen.depth[:, None])
        shadowed = self.world.blocked(seen.time, seen.point + away, ray, 0.97)
        main = strength.gather(1, brightest)[:, 0]
        return (strength.sum(-1) - 0.8 * main * shadowed)[:, None]

    def _reflect(self, seen: Seen, look: Look, lit: Tensor, *, mirrors: bool) -> Tensor:
        glossy = (look.gloss > 0).nonzero()[:, 0]
        mirrored, grazing = _mirrored(seen.directions[glossy], seen.normal[glossy])
        fraction = look.gloss[glossy, None] * (0.25 + 0.75 * grazing)
        lit[glossy] = lit[glossy] * (1 - fraction) + self._surroundings(mirrored) * fraction
        road = look.wet.nonzero()[:, 0]
        if self.light.wet > 0 and len(road):
            lit[road] = lit[road] * (1 - 0.45 * self.light.wet)
            if mirrors:
                self._wet(seen, road, lit)
        return lit

    def _wet(self, seen: Seen, road: Tensor, lit: Tensor) -> None:
        """Add what stands on a wet road upside down, more so at a grazing angle and in puddles."""
        point, normal = seen.point[road], seen.normal[road]
        mirrored, grazing = _mirrored(seen.directions[road], normal)
        puddle = (0.6 + 0.8 * self.noise.at(point / 2.3)).clamp(0.1, 1)[:, None]
        origins = point + 0.01 * normal
        hits = self.world.hits(seen.time, origins, mirrored)
        found = self.world.surfaces(seen.time, hits, origins, mirrored, seen.focal)
        # the mirror image is as blurred as if it were as far away as the whole way
        blur = ((seen.depth[road][found.solid] + found.depth) / seen.focal * 3)[:, None]
        places = found.places
        blurred = places._replace(
            minor=F.normalize(places.minor, dim=-1) * blur,
            major=F.normalize(places.major, dim=-1) * blur,
            foot=places.foot + blur,
        )
        image = self.colours(found._replace(places=blurred), mirrors=False)
        fraction = self.light.wet * puddle * (0.08 + 0.8 * grazing)
        lit[road] = lit[road] * (1 - fraction) + image * fraction

    def _surroundings(self, directions: Tensor) -> Tensor:
        """What a glossy surface mirrors, roughly: the sky above, the ground below."""
        up = (-directions[:, 1:2] * 4).clamp(-1, 1) * 0.5 + 0.5
        below = self._tensor(self.light.ambient) * 0.35
        return below * (1 - up) + self._gradient(directions) * up

    def _gradient(self, directions: Tensor) -> Tensor:
        elevation = torch.asin((-F.normalize(directions, dim=-1)[:, 1]).clamp(-1, 1))
        mix = (elevation / 0.6).clamp(0, 1)[:, None]
        low, high = self._tensor(self.light.sky_low), self._tensor(self.light.sky_high)
        return low + (high - low) * mix

    def _sky(self, directions: Tensor, focal: float) -> Tensor:
        light, unit = self.light, F.normalize(directions, dim=-1)
        colour = self._gradient(directions)
        if light.clouds > 0:
            # a layer above, seen in perspective
            flat = unit / (-unit[:, 1:2] + 0.12).clamp(min=0.12) * unit.new_tensor([1.0, 0.0, 1.0])
            foot = flat.norm(dim=-1).clamp(min=1) / focal * 6
            value = sum(
                weight * self.noise.at(flat / cell + 5.3) * (cell / foot / 2 - 1).clamp(0, 1)
                for cell, weight in ((1.2, 0.55), (0.5, 0.35), (0.2, 0.2), (0.08, 0.12))
            )
            cloud = (0.5 + 1.6 * value).clamp(0, 1)[:, None] * (unit[:, 1:2] < 0)
            white = self._tensor(light.sky_low).max().clamp(max=1.0)
            colour = colour + light.clouds * cloud * (white - colour)
        if max(light.sun_colour) > 0:
            sun = F.normalize(self._tensor(light.sun), dim=-1)
            angle = torch.acos((unit @ sun).clamp(-1, 1))
            glow = 0.5 * torch.exp(-angle / 0.12) + 3 * (angle < 0.015)
            colour = colour + glow[:, None] * self._tensor(light.sun_colour)
        return colour

    def _tensor(self, values: tuple) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.world.device)


def _mirrored(directions: Tensor, normal: Tensor) -> tuple[Tensor, Tensor]:
    """Directions (N, 3), of unit length, mirrored at surfaces, and how grazing they are, 0..1 (N, 1)."""
    ray = F.normalize(directions, dim=-1)
    cosine = -(ray * normal).sum(-1, keepdim=True).clamp(-1, 0)
    return ray + 2 * cosine * normal, (1 - cosine) ** 4
