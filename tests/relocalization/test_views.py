"""Views put together from several images, judged by a plane whose colours are known, and which images are chosen."""

import math

import pytest
import torch

from vode.geometry.pose import se3_exp
from vode.relocalization.views import Viewpoint, choose_sources, cut_view

SIZE, VIEW = (48, 64), (32, 40)
K = torch.tensor([[50.0, 0, 31.5], [0, 50.0, 23.5], [0, 0, 1]])
VIEW_K = torch.tensor([[50.0, 0, 19.5], [0, 50.0, 15.5], [0, 0, 1]])


def at(x=0.0, y=0.0, z=0.0, yaw=0.0):
    pose = se3_exp(torch.tensor([0.0, 0.0, 0.0, 0.0, math.radians(yaw), 0.0]))
    pose[:3, 3] = torch.tensor([x, y, z])
    return pose


def chosen(cameras, view, count=2, depth=2.0):
    return choose_sources(
        Viewpoint(torch.stack(cameras), K, SIZE), Viewpoint(view, VIEW_K, VIEW), depth=depth, count=count
    )


def plane(x, y, size, intrinsics):
    """What a camera at (x, y, 0) sees of a plane at z = 2 whose colour changes evenly with the place: (3, H, W)."""
    rows, columns = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    across = x + 2 * (columns - intrinsics[0, 2]) / 50
    down = y + 2 * (rows - intrinsics[1, 2]) / 50
    return torch.stack([0.5 + 0.1 * across, 0.5 + 0.1 * down, 0.4 + 0 * across])


def batch(cameras, view):
    return {
        "images": torch.stack([plane(x, y, SIZE, K) for x, y in cameras])[None],
        "depth": torch.full((1, len(cameras), 1, *SIZE), 2.0),
        "poses": torch.stack([at(x, y) for x, y in cameras])[None],
        "intrinsics": K[None],
        "corner": torch.tensor([[8, 12]]),
        "T_scene_view": view[None],
    }


def test_of_images_in_one_direction_the_nearest_comes_first():
    row = [at(x=0.3), at(x=-0.05), at(x=0.1), at(x=3.0)]
    assert chosen(row, at(), count=3) == [1, 2, 0]
    assert chosen([*row, at()], at(), count=1) == [4]


def test_images_complete_one_another():
    """Turned by 25 degrees to either side each shows one half of the view, and the double of one adds nothing."""
    turned = [at(yaw=-25), at(yaw=-25.5), at(yaw=25), at(yaw=180)]
    assert sorted(chosen(turned, at())) == [0, 2]


def test_a_nearer_image_that_shows_little_comes_after_one_that_shows_all():
    assert chosen([at(yaw=40), at(x=0.5)], at()) == [1, 0]


def test_what_lies_behind_an_image_is_not_shown_by_it():
    assert chosen([at(yaw=180), at(x=1.5)], at(), count=1) == [1]


def test_a_lonely_image_is_its_own_second():
    assert chosen([at(x=0.2)], at(), count=3) == [0, 0, 0]


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_two_images_show_what_neither_shows_alone(order):
    # 80 cm at 2 metres are 20 pixels, and the view's border lies 12 from the image's
    cameras = [(-0.8, 0.0), (0.8, 0.0)]
    ground_truth = plane(0.0, 0.0, VIEW, VIEW_K)
    for camera, missing in zip(cameras, (slice(-8, None), slice(0, 8)), strict=True):
        view = cut_view(batch([camera], at()), VIEW)["images"][0]
        assert ((view - ground_truth).abs().amax(0) > 1e-3)[:, missing].all()
    view = cut_view(batch([cameras[i] for i in order], at()), VIEW)
    torch.testing.assert_close(view["images"][0], ground_truth, atol=1e-5, rtol=0)
    assert torch.equal(view["T_scene_cam"][0], at())
    assert torch.equal(view["intrinsics"][0], VIEW_K)


def test_the_first_image_that_shows_a_pixel_gives_it():
    sample = batch([(0.0, 0.0), (0.1, 0.0)], at(x=0.05))
    sample["images"][:, 0] = 0.0
    sample["images"][:, 1] = 1.0
    assert (cut_view(sample, VIEW)["images"] < 1e-6).all()


def test_what_no_image_shows_is_filled_from_around_it():
    """A border of one colour would tell by how much a view was turned."""
    view = cut_view(batch([(-0.8, 0.0)], at()), VIEW)["images"][0]
    ground_truth = plane(0.0, 0.0, VIEW, VIEW_K)
    torch.testing.assert_close(view[..., :-8], ground_truth[..., :-8], atol=1e-5, rtol=0)
    # no farther than 16 pixels from the border change
    assert (view[..., -8:] - ground_truth[..., -9:-8]).abs().max() < 0.1 * 2 * 16 / 50
    assert view[0, :, -8:].diff(dim=0).abs().max() < 1e-6


@pytest.mark.parametrize("moved", [False, True])
def test_half_a_view_shows_the_same_with_half_the_pixels(moved):
    sample = batch([(-0.8, 0.0), (0.8, 0.0)] if moved else [(0.0, 0.0)], at())
    if not moved:
        del sample["T_scene_view"], sample["depth"]
    half_K = torch.tensor([[25.0, 0, 9.5], [0, 25.0, 7.5], [0, 0, 1]])
    view = cut_view(sample, VIEW, half=True)
    torch.testing.assert_close(view["intrinsics"][0], half_K)
    rows, columns = torch.meshgrid(torch.arange(16), torch.arange(20), indexing="ij")
    ground_truth = torch.stack([0.5 + 0.2 * (columns - 9.5) / 25, 0.5 + 0.2 * (rows - 7.5) / 25, 0.4 + 0 * rows])
    torch.testing.assert_close(view["images"][0], ground_truth, atol=1e-5, rtol=0)


def test_an_odd_row_is_left_out_of_half_a_view():
    sample = batch([(0.0, 0.0)], at(yaw=3))
    odd = sample | {name: sample[name][..., :-1, :-1] for name in ("images", "depth")}
    seen = cut_view(odd, VIEW, half=True)["images"]
    torch.testing.assert_close(seen[..., :18], cut_view(sample, VIEW, half=True)["images"][..., :18])


def test_without_depth_a_turned_view_is_of_one_image():
    sample = batch([(0.0, 0.0)], at(yaw=5))
    del sample["depth"]
    turned = cut_view(sample, VIEW)["images"]
    still = cut_view(sample | {"T_scene_view": at()[None]}, VIEW)["images"]
    torch.testing.assert_close(still[0], plane(0.0, 0.0, VIEW, VIEW_K), atol=1e-5, rtol=0)
    # what lay 4.4 pixels, 50 tan 5 degrees, to the right of the middle now lies in it
    assert (turned - still)[0, 0, 15, 19].item() == pytest.approx(0.1 * 2 * math.tan(math.radians(5)), rel=0.03)
