"""Images of a scene with their places, and the views that are cut out of them, judged by exact projections."""

from dataclasses import replace

import pytest
import torch

from vode.augmentation.options import Augment
from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.base import Sequence
from vode.datasets.sample import collate
from vode.errors import InputError
from vode.geometry.camera import project, transform
from vode.geometry.pose import inverse
from vode.relocalization.options import ViewOptions
from vode.relocalization.posed_images import POINTS, PosedImages, poses_of, time_blocks, whole_size
from vode.relocalization.views import cut_view
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SMALL = ViewOptions(resize=64, turn=0, shift=0)


class Grid(Sequence):
    """Frames whose red is the column, green the row and blue the frame, with places in a scene and a map's points."""

    size = (96, 160)
    intrinsics = torch.tensor([[100.0, 0, 79.5], [0, 100.0, 47.5], [0, 0, 1]])

    def __init__(self, name="a", count=4, seen=40):
        self.name, self.count, self.seen = name, count, seen
        self.poses = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
        self.poses[:, 0, 3] = torch.arange(count)
        self.poses_in_scene = self.poses.clone()
        self.poses_in_scene[:, 1, 3] = 5

    def __len__(self):
        return self.count

    def frame(self, index):
        rows, columns = torch.meshgrid(torch.arange(96) / 96, torch.arange(160) / 160, indexing="ij")
        return torch.stack([columns, rows, torch.full((96, 160), index / 10)])

    def points(self, index):
        x = torch.linspace(-0.8, 0.8, self.seen, dtype=torch.float64) + index
        return torch.stack([x, torch.full_like(x, 5.0), torch.full_like(x, 2.0)], -1)


def views(images, numbers):
    return cut_view(to_float_and_augment(collate([images[n] for n in numbers])), images.window)


def test_a_tested_view_is_the_middle_of_the_image_at_its_place():
    images = PosedImages([Grid()], replace(SMALL, resize=96), (32, 64))
    view = views(images, [0, 3])
    assert torch.equal(view["images"][1], Grid().frame(3)[:, 32:64, 48:112])
    assert view["intrinsics"][0, :2, 2].tolist() == [79.5 - 48, 47.5 - 32]
    torch.testing.assert_close(view["T_scene_cam"], Grid().poses_in_scene[[0, 3]].float())
    torch.testing.assert_close(images.poses(), Grid().poses_in_scene.float())
    assert images.names()[3] == "a/000003"


def test_the_short_side_is_what_was_asked_for():
    assert whole_size((480, 640), 256) == (256, 341)
    assert whole_size((1080, 1920), 256) == (256, 455)
    assert whole_size((640, 480), 256) == (341, 256)
    sample = PosedImages([Grid()], SMALL, (48, 48))[0]
    assert sample["images"].shape == (1, 3, 64, 107)
    assert sample["intrinsics"][0, 0].item() == pytest.approx(100 * 107 / 160)


def test_windows_are_drawn_by_seed_and_draw_alone_and_reach_every_corner():
    images = PosedImages([Grid()], SMALL, (48, 48), vary=True, seed=3)
    again = PosedImages([Grid()], SMALL, (48, 48), vary=True, seed=3)
    corners = torch.stack([images[(0, draw)]["corner"] for draw in range(200)])
    assert torch.equal(corners, torch.stack([again[(0, draw)]["corner"] for draw in range(200)]))
    assert corners.amin(0).tolist() == [0, 0]
    assert corners.amax(0).tolist() == [64 - 48, 107 - 48]
    other = PosedImages([Grid()], SMALL, (48, 48), vary=True, seed=4)
    assert any(not torch.equal(other[(0, d)]["corner"], corners[d]) for d in range(5))


def test_sequences_of_several_sizes_share_the_window_that_all_hold():
    tall = Grid("tall")
    tall.size, tall.intrinsics = (160, 96), torch.tensor([[100.0, 0, 47.5], [0, 100.0, 79.5], [0, 0, 1]])
    tall.frame = lambda index: Grid().frame(index).mT
    images = PosedImages([Grid(), tall], SMALL, (48, 48))
    batch = collate([images[0], images[4]])
    assert batch["images"].shape == (2, 1, 3, 64, 64)
    # what was the middle of each image still is
    assert torch.allclose(batch["intrinsics"][:, :2, 2], torch.tensor(31.5), atol=0.6)
    with pytest.raises(InputError, match=r"images of 64x64 do not hold a view of 65x48.* or raise views\.resize$"):
        PosedImages([Grid(), tall], SMALL, (48, 65))


def test_a_moved_view_shows_the_world_as_a_camera_there_renders_it():
    sequence = WorldSequence(5, WorldOptions(size=(96, 128), frames=3, moving=False))
    options = ViewOptions(resize=96, turn=3, shift=0.2)
    images = PosedImages([sequence], options, (64, 64), vary=True, seed=1)
    sample = to_float_and_augment(collate([images[(1, draw)] for draw in range(4)]))
    view = cut_view(sample, (64, 64))
    true = sequence.poses[1].float()
    assert (view["T_scene_cam"][:, :3, 3] - true[:3, 3]).norm(dim=1).max() <= 0.2 * 3**0.5 + 1e-5
    assert (view["T_scene_cam"] - true).abs().amax((1, 2)).min() > 0.01
    # points of the whole image, carried by the new pose, land on their own colours
    depth, colours = sequence.depth(1), sequence.frame(1)
    near = (depth > 4) & (depth < 20)
    rows, columns = near[0].nonzero()[::7].unbind(1)
    focal, centre = sequence.intrinsics[0, 0], sequence.intrinsics[:2, 2]
    z = depth[0, rows, columns]
    points = torch.stack([(columns - centre[0]) / focal * z, (rows - centre[1]) / focal * z, z], 1)
    scene_points = transform(true, points)
    for k in range(4):
        pixels, _ = project(transform(inverse(view["T_scene_cam"][k]), scene_points), view["intrinsics"][k])
        x, y = pixels.round().long().unbind(1)
        inside = (x >= 1) & (x < 63) & (y >= 1) & (y < 63)
        there = view["images"][k][:, y[inside], x[inside]]
        error = (there - colours[:, rows[inside], columns[inside]]).abs().mean()
        shuffled = (there.roll(50, 1) - colours[:, rows[inside], columns[inside]]).abs().mean()
        assert inside.sum() > 50
        assert error < 0.35 * shuffled


def test_turned_views_are_cut_out_of_the_middle():
    images = PosedImages([Grid()], replace(SMALL, turn=10), (48, 48), vary=True)
    assert {tuple(images[(0, draw)]["corner"].tolist()) for draw in range(9)} == {(8, 29)}
    still = PosedImages([Grid()], replace(SMALL, shift=1.0), (48, 48), vary=True)
    assert len({tuple(still[(0, draw)]["corner"].tolist()) for draw in range(9)}) > 5


def test_scenes_without_depth_are_turned_but_not_moved():
    options = replace(SMALL, turn=10, shift=1.0)
    images = PosedImages([Grid()], options, (48, 48), vary=True)
    view = views(images, [2])
    torch.testing.assert_close(view["T_scene_cam"][0, :3, 3], Grid().poses_in_scene[2, :3, 3].float())
    assert (view["T_scene_cam"][0, :3, :3] - torch.eye(3)).abs().max() > 1e-3
    assert "T_scene_view" not in PosedImages([Grid()], options, (48, 48))[0]


def test_points_come_with_all_that_the_whole_image_shows():
    images = PosedImages([Grid()], replace(SMALL, resize=96), (32, 64), points=True)
    view = views(images, [1])
    assert view["points"].shape == (1, POINTS, 3)
    assert view["seen"][0].tolist() == [1.0] * 40 + [0.0] * (POINTS - 40)
    pixels, z = project(transform(inverse(view["T_scene_cam"][0]), view["points"][0, :40]), view["intrinsics"][0])
    assert torch.allclose(z, torch.tensor(2.0))
    # the window is 64 wide, and the points lie 40 pixels to either side of its middle
    expected = 31.5 + torch.linspace(-40, 40, 40)
    torch.testing.assert_close(pixels[:, 0].sort().values, expected, atol=1e-3, rtol=0)


def test_points_are_a_draw_of_many():
    many = Grid(seen=3000)
    images = PosedImages([many], SMALL, (32, 64), points=True, vary=True)
    first, second = (images[(1, draw)]["points"] for draw in (0, 1))
    assert (images[(1, 0)]["seen"] == 1).all()
    assert len(first.unique(dim=0)) == POINTS
    assert not torch.equal(first, second)


def test_points_of_a_depth_map_lie_on_what_it_shows():
    sequence = WorldSequence(5, WorldOptions(size=(96, 128), frames=2))
    view = views(PosedImages([sequence], ViewOptions(resize=96), (96, 96), points=True), [1])
    assert (view["seen"] == 1).all()
    pixels, z = project(transform(inverse(view["T_scene_cam"][0]), view["points"][0]), view["intrinsics"][0])
    columns, rows = pixels.round().long().unbind(-1)
    torch.testing.assert_close(z, sequence.depth(1)[0, rows, columns + 16], rtol=1e-3, atol=1e-3)
    assert ((columns < 0) | (columns > 95)).any()


def test_an_image_without_depth_among_others_is_shown_by_them():
    sequence = WorldSequence(5, WorldOptions(size=(96, 128), frames=3, moving=False))
    whole = sequence.depth
    sequence.depth = lambda index: None if index == 1 else whole(index)
    options = ViewOptions(resize=96, turn=3, shift=0.2)
    images = PosedImages([sequence], options, (64, 64), vary=True, points=True)
    sample = images[(1, 0)]
    assert sample["seen"].sum() == 0
    assert sample["images"].shape == (2, 3, 96, 128)
    assert images[(0, 0)]["seen"].sum() == POINTS
    shown = cut_view(to_float_and_augment(collate([sample])), (64, 64))["images"]
    assert shown.std() > 0.05


def test_what_cannot_be_done_is_refused_by_name():
    lost = Grid("lost")
    lost.poses_in_scene = None
    with pytest.raises(InputError, match=r"lost: shares no axes with the others"):
        PosedImages([Grid(), lost], SMALL, (48, 48))
    assert torch.equal(poses_of(lost, alone=True), lost.poses)
    lost.poses = None
    with pytest.raises(InputError, match=r"lost: has no poses"):
        PosedImages([lost], SMALL, (48, 48))
    bare = Grid("bare")
    bare.points = lambda index: None
    with pytest.raises(InputError, match=r"bare: neither depth nor a map's points"):
        PosedImages([bare], SMALL, (48, 48), points=True)
    with pytest.raises(InputError, match=r"views\.sources is 0; a view is composed of at least 1 image"):
        PosedImages([Grid()], replace(SMALL, sources=0), (48, 48))
    with pytest.raises(InputError, match="mirrored"):
        PosedImages([Grid()], SMALL, (48, 48), augment=Augment())


def test_images_are_read_once(monkeypatch):
    grid = Grid()
    images = PosedImages([grid], SMALL, (48, 48), vary=True)
    first = images[(2, 0)]["images"]
    monkeypatch.setattr(grid, "raw", lambda *_: pytest.fail("read again"))
    assert torch.equal(images[(2, 9)]["images"], first)


@pytest.mark.parametrize(("length", "block"), [(300, 20), (60, 12), (7, 1), (5, 1)])
def test_blocks_of_time_cut_a_video_in_two_parts(length, block):
    trained, tested = time_blocks(length, ViewOptions(block=20, every=5))
    assert sorted(trained + tested) == list(range(length))
    runs = [i for i in tested if i - 1 not in tested]
    assert all(set(range(start, min(start + block, length))) <= set(tested) for start in runs)
    assert len(tested) == pytest.approx(length / 5, abs=block)
    assert tested
