"""Light: by the laws of optics, on surfaces without texture."""

import math

import numpy as np
import pytest
import torch

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import box, join, place, quad
from vode.world.scene import Light, Scene
from vode.world.shading import Shader
from vode.world.texture import Noise
from vode.world.view import World

SIZE, FOCAL = (40, 60), 50.0
INTRINSICS = torch.tensor([[FOCAL, 0.0, 29.5], [0.0, FOCAL, 19.5], [0.0, 0.0, 1.0]])
GROUND = np.array([[-50.0, 0, -50], [50, 0, -50], [50, 0, 50], [-50, 0, 50]])
DARK = Light(sun_colour=(0, 0, 0), ambient=(0, 0, 0), clouds=0.0, haze=1e9)
UP = (0.0, -1.0, 0.0)


def image(light, *objects, ground=None, pitch=0.3):
    """Of a plain 1.5 m below the camera, which looks down on it a little, and of objects on it."""
    palette = Palette()
    ground = palette.add(ground or Material((0.5, 0.5, 0.5), noise=0.0))
    parts = [quad(GROUND, ground), *(make(palette) for make in objects)]
    cos, sin = math.cos(pitch), math.sin(pitch)
    pose = torch.tensor([[1.0, 0, 0, 0], [0, cos, sin, -1.5], [0, -sin, cos, 0], [0, 0, 0, 1]])
    scene = Scene(join(parts), palette, lambda time: pose.numpy(), light)
    world = World(scene)
    seen = world.look(0.0, pose, INTRINSICS, SIZE)
    return Shader(world, Noise()).image(seen, SIZE), seen


def white_box(height):
    return lambda palette: place(
        box((0.4, height / 2, 0.1), palette.add(Material((0.9, 0.9, 0.9), noise=0.0))), (0.0, 0.0, 4.0)
    )


def below(picture, fraction=0.2):
    """Mean colour of the lowest rows."""
    rows = picture.shape[1] - int(fraction * picture.shape[1])
    return picture[:, rows:].mean((1, 2))


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.2])
def test_sunlight_goes_with_the_cosine(angle):
    sun = (math.sin(angle), -math.cos(angle), 0.0)
    picture, _ = image(Light(**{**vars(DARK), "sun": sun, "sun_colour": (0.8, 0.6, 0.4)}))
    expected = 0.5 * math.cos(angle) * torch.tensor([0.8, 0.6, 0.4])
    assert torch.allclose(below(picture), expected, atol=1e-3)


def test_ambient_light_comes_from_above_more_than_from_below():
    picture, _ = image(Light(**{**vars(DARK), "ambient": (0.4, 0.5, 0.6)}))
    assert torch.allclose(below(picture), 0.5 * torch.tensor([0.4, 0.5, 0.6]), atol=1e-3)


def test_a_box_throws_its_shadow_away_from_the_sun():
    # from behind and above at 45 degrees: the shadow of a box of 1 m lies 1 m before it
    sun = Light(**{**vars(DARK), "sun": (0.0, -1.0, 1.0), "sun_colour": (1.0, 1.0, 1.0)})
    picture, seen = image(sun, white_box(1.0))
    ground = (seen.point[:, 1].abs() < 1e-3) & (seen.point[:, 0].abs() < 0.35)
    z = seen.point[:, 2]
    light = picture.flatten(1).T[seen.solid].mean(-1)
    assert light[ground & (z > 3.1) & (z < 3.85)].max() < 1e-3
    assert light[ground & (z < 2.7)].min() > 0.3


def test_haze_takes_light_with_distance():
    plain, seen = image(Light(**{**vars(DARK), "ambient": (1.0, 1.0, 1.0)}))
    hazy, _ = image(Light(**{**vars(DARK), "ambient": (1.0, 1.0, 1.0), "haze": 20.0, "sky_low": (0.8, 0.8, 0.8)}))
    distance = seen.depth * seen.directions.norm(dim=-1)
    left = torch.exp(-distance / 20)
    before, after = (x.flatten(1).T[seen.solid][:, 0] for x in (plain, hazy))
    assert torch.allclose(after, before * left + 0.8 * (1 - left), atol=1e-4)


def test_a_lamp_lights_with_the_inverse_square():
    lamp = Light(**{**vars(DARK), "lamps": ((0.0, -3.0, 5.0),), "lamp_strength": 0.6})
    picture, seen = image(lamp)
    to_lamp = torch.tensor([0.0, -3.0, 5.0]) - seen.point
    square = to_lamp.square().sum(-1)
    expected = 0.5 * 0.6 * 4 / square * (to_lamp * torch.tensor(UP)).sum(-1) / square.sqrt()
    assert torch.allclose(picture.flatten(1).T[seen.solid][:, 0], expected, rtol=1e-3, atol=1e-5)


def test_what_gives_out_light_is_bright_in_the_dark():
    def lamp(palette):
        return place(box((0.4, 0.5, 0.1), palette.add(Material((1, 0.9, 0.8), noise=0.0, emission=1.0))), (0, 0, 4.0))

    picture, seen = image(DARK, lamp)
    surfaces = picture.flatten(1)[:, seen.solid]
    assert torch.allclose(surfaces.amax(1), torch.tensor([1.0, 0.9, 0.8]), atol=1e-4)
    assert below(picture).max() < 1e-4


def test_a_wet_road_shows_a_box_upside_down_and_a_dry_one_does_not():
    road = Material((0.3, 0.3, 0.3), Pattern.ROAD, (0.3, 0.3, 0.3), (3.5, 40.0), noise=0.0)
    light = {**vars(DARK), "ambient": (0.6, 0.6, 0.6), "sky_low": (0.1, 0.1, 0.1), "sky_high": (0.1, 0.1, 0.1)}
    pictures = {}
    for wet in (0.0, 0.9):
        for name, objects in (("box", [white_box(1.0)]), ("none", [])):
            pictures[wet, name], _ = image(Light(**{**light, "wet": wet}), *objects, ground=road)
    change = {wet: (pictures[wet, "box"] - pictures[wet, "none"]).abs().mean(0) for wet in (0.0, 0.9)}
    # the mirror image of a box on the road lies right below it
    box_rows = (change[0.0].amax(1) > 0.05).nonzero().flatten()
    first_below = int(box_rows.max()) + 1
    assert change[0.0][first_below:].max() < 1e-4
    assert change[0.9][first_below : first_below + 6, 27:33].mean() > 0.01
    assert pictures[0.9, "none"].mean() < pictures[0.0, "none"].mean(), "a wet road is dark"


def test_light_reaches_the_far_side_of_leaves_and_not_of_stone():
    low_sun = Light(**{**vars(DARK), "sun": (0.9, -0.3, 0.45), "sun_colour": (1.0, 1.0, 1.0)})
    brightness = {}
    for pattern in (Pattern.PLAIN, Pattern.LEAVES):

        def screen(palette, pattern=pattern):
            material = palette.add(Material((0.4, 0.4, 0.4), pattern, (0.4, 0.4, 0.4), (0.5, 0.5), noise=0.0))
            # a single sheet that leans back, so that its lower side faces the viewer
            corners = [[-0.6, 0, 4], [0.6, 0, 4], [0.6, -1.2, 3.4], [-0.6, -1.2, 3.4]]
            return quad(np.array(corners, float), material)

        picture, seen = image(low_sun, screen)
        on_screen = (seen.point[:, 1] < -0.2) & (seen.point[:, 1] > -1.0)
        brightness[pattern] = picture.flatten(1)[0, seen.solid][on_screen]
    assert brightness[Pattern.PLAIN].max() < 1e-4
    assert brightness[Pattern.LEAVES].min() > 0.01


def test_nothing_to_light_is_no_error():
    palette = Palette()
    road = palette.add(Material((0.3, 0.3, 0.3), Pattern.ROAD, (0.3, 0.3, 0.3), (3.5, 40.0), noise=0.0))
    light = Light(**{**vars(DARK), "wet": 0.9, "lamps": ((0.0, -5.0, 5.0),), "lamp_strength": 0.5})
    pose = torch.tensor([[1.0, 0, 0, 0], [0, 0, 1, -1.5], [0, -1, 0, 0], [0, 0, 0, 1]])
    world = World(Scene(quad(GROUND, road), palette, lambda time: pose.numpy(), light))
    seen = world.look(0.0, pose, INTRINSICS, SIZE)
    assert seen.solid.all()
    assert Shader(world, Noise()).image(seen, SIZE).isfinite().all()
