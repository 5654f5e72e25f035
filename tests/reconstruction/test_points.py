"""Tracks and the points that are triangulated from them."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from vode.geometry.camera import project, transform
from vode.geometry.pose import inverse, se3_exp
from vode.reconstruction.options import PointOptions, TrackOptions
from vode.reconstruction.point_tracks import PointTracks
from vode.reconstruction.points import Observations, triangulate_tracks

K = torch.tensor([[300.0, 0, 159.5], [0, 300.0, 119.5], [0, 0, 1]])


def views(count: int) -> torch.Tensor:
    twists = torch.zeros(count, 6, dtype=torch.float64)
    twists[:, 0], twists[:, 4] = 0.2 * torch.arange(count), 0.01 * torch.arange(count)
    return torch.stack([se3_exp(t) for t in twists])


def scene(noise: float = 0.0) -> tuple[torch.Tensor, torch.Tensor, Observations]:
    generator = torch.Generator().manual_seed(0)
    places = torch.rand(40, 3, generator=generator, dtype=torch.float64) * torch.tensor([4, 3, 4]) + torch.tensor(
        [-2, -1.5, 5]
    )
    poses = views(6)
    rows = [project(transform(inverse(T), places), K.double())[0] for T in poses]
    pixels = torch.cat(rows) + noise * torch.randn(240, 2, generator=generator, dtype=torch.float64)
    return places, poses, Observations(torch.arange(40).repeat(6) + 100, torch.arange(6).repeat_interleave(40), pixels)


def test_points_are_where_they_are() -> None:
    places, poses, seen = scene()
    found = triangulate_tracks(seen, poses, K)
    assert len(found.places) == 40
    assert torch.allclose(found.places, places, atol=1e-6)
    assert float(found.errors.max()) < 1e-6


def test_observations_that_do_not_fit_are_left_out() -> None:
    places, poses, seen = scene(noise=0.2)
    seen.pixels[40] += 30
    found = triangulate_tracks(seen, poses, K)
    assert len(found.observations.point) >= 230
    assert float(found.errors.max()) < 1
    assert float((found.places - places).norm(dim=-1).median()) < 0.03


def test_points_without_parallax_are_dropped() -> None:
    _, poses, seen = scene()
    turned = poses.clone()
    turned[:, :3, 3] = 0
    assert len(triangulate_tracks(seen, turned, K).places) == 0


def test_no_observations_make_no_points() -> None:
    none = Observations(torch.zeros(0).long(), torch.zeros(0).long(), torch.zeros(0, 2).double())
    assert len(triangulate_tracks(none, views(2), K, PointOptions()).places) == 0


def picture() -> np.ndarray:
    noise = np.random.default_rng(0).uniform(0, 255, (60, 80)).astype(np.float32)
    return cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def test_points_move_with_the_picture() -> None:
    image = picture()
    moved = cv2.warpAffine(image, np.array([[1, 0, 5.5], [0, 1, -2.25]]), (320, 240))
    tracks = PointTracks(TrackOptions(points=200))
    tracks.replenish(image)
    before = dict(zip(tracks.numbers.tolist(), tracks.pixels, strict=True))
    assert tracks.follow(moved) > 0.7
    steps = np.array(
        [pixel - before[number] for number, pixel in zip(tracks.numbers.tolist(), tracks.pixels, strict=True)]
    )
    assert np.allclose(np.median(steps, 0), [5.5, -2.25], atol=0.05)


def test_another_picture_loses_the_points_and_new_ones_have_new_numbers() -> None:
    tracks = PointTracks(TrackOptions(points=200))
    tracks.replenish(picture())
    most = int(tracks.numbers.max())
    assert tracks.follow(picture()[::-1, ::-1].copy()) < 0.08
    tracks.forget()
    tracks.replenish(picture())
    assert int(tracks.numbers.min()) > most
