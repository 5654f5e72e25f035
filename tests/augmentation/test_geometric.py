"""Augmentation: flip, crop and resize against the geometry of a camera, colours against torchvision and by hand."""

import pytest
import torch
from scipy.spatial.transform import Rotation
from torchvision.transforms.v2 import functional as reference

from vode.augmentation.geometric import augment_sample, crop_sample, flip_sample, resize_sample
from vode.augmentation.options import Augment
from vode.augmentation.photometric import jitter_colour, to_float_and_augment
from vode.datasets.sample import collate
from vode.geometry.camera import pixel_grid, project, transform, unproject
from vode.training.clip_dataset import ClipDataset
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

WIDTH = 20


def sample():
    make = torch.Generator().manual_seed(0)
    poses = torch.eye(4).repeat(3, 1, 1)
    poses[1:, :3, :3] = torch.from_numpy(Rotation.from_rotvec([[0.1, 0.4, -0.2], [0.3, -0.1, 0.2]]).as_matrix())
    poses[1:, :3, 3] = torch.tensor([[0.5, 0.1, 1.0], [1.0, -0.3, 2.0]])
    return {
        "images": torch.rand(3, 3, 12, WIDTH, generator=make),
        "intrinsics": torch.tensor([[15.0, 0, 8.0], [0, 16.0, 7.0], [0, 0, 1]]),
        "poses": poses,
        "depth": torch.rand(3, 1, 12, WIDTH, generator=make),
        "flow": torch.randn(2, 2, 12, WIDTH, generator=make),
        "visible": torch.rand(2, 1, 12, WIDTH, generator=make).round(),
    }


def test_flip_twice_is_nothing():
    before = sample()
    after = flip_sample(flip_sample(before))
    assert after.keys() == before.keys()
    for key in before:
        torch.testing.assert_close(after[key], before[key])


def test_a_mirrored_world_is_seen_at_mirrored_pixels():
    before, after = sample(), flip_sample(sample())
    points_world = torch.tensor([[1.0, 0.5, 6.0], [-2.0, 0.3, 9.0], [0.0, -1.0, 5.0]])
    mirrored_world = points_world * torch.tensor([-1.0, 1.0, 1.0])
    for i in range(3):
        seen, depth = project(transform(torch.linalg.inv(before["poses"][i]), points_world), before["intrinsics"])
        flipped, flipped_depth = project(
            transform(torch.linalg.inv(after["poses"][i]), mirrored_world), after["intrinsics"]
        )
        torch.testing.assert_close(flipped[:, 0], WIDTH - 1 - seen[:, 0])
        torch.testing.assert_close(flipped[:, 1], seen[:, 1])
        torch.testing.assert_close(flipped_depth, depth)
        assert torch.linalg.det(after["poses"][i][:3, :3]).item() == pytest.approx(1, abs=1e-5)


def test_crop_then_project_is_project_then_crop():
    before, points = sample(), torch.tensor([[1.0, 0.5, 6.0], [-0.5, 0.3, 9.0]])
    after = crop_sample(before, 2, 5, 8, 11)
    seen, cropped = (project(points, each["intrinsics"])[0] for each in (before, after))
    torch.testing.assert_close(cropped, seen - torch.tensor([5.0, 2.0]))
    for key in ("images", "depth", "flow"):
        assert torch.equal(after[key], before[key][..., 2:10, 5:16])
    inner = (..., slice(4, 5), slice(4, 7))
    assert torch.equal(after["visible"][inner], before["visible"][..., 2:10, 5:16][inner])
    assert torch.equal(after["poses"], before["poses"])
    for window in ((5, 0, 8, 8), (-1, 0, 4, 4), (0, 10, 4, 11), (0, 0, 0, 4)):
        with pytest.raises(ValueError, match="not inside"):
            crop_sample(before, *window)


def test_resize_then_project_is_project_then_resize():
    before, points = sample(), torch.tensor([[1.0, 0.5, 6.0], [-0.5, 0.3, 9.0]])
    after = resize_sample(before, (24, 30))
    seen, resized = (project(points, each["intrinsics"])[0] for each in (before, after))
    torch.testing.assert_close(resized, (seen + 0.5) * torch.tensor([30 / WIDTH, 2.0]) - 0.5)


def test_a_varied_sample_still_agrees_with_its_own_truth():
    sequence = WorldSequence(5, WorldOptions(size=(64, 96), frames=3))
    clips = ClipDataset([sequence], augment=Augment(crop=0.3), seed=3, ground_truth=True)
    for draw in range(6):
        varied = clips[0, draw]
        assert varied["images"].shape[-2:] == (64, 96)
        T_b_a = torch.linalg.inv(varied["poses"][1])
        points = unproject(varied["depth"][:1], varied["intrinsics"][None]).flatten(2).mT[0]
        pixels = project(transform(T_b_a, points), varied["intrinsics"])[0].mT.view(2, 64, 96)
        # Depth is resized by the nearest pixel, half a pixel off at most.
        known = (varied["visible"][0] > 0) & (varied["depth"][0] > 0)
        off = (pixels - pixel_grid(64, 96) - varied["flow"][0]).norm(dim=0, keepdim=True)
        assert off[known].median() < 0.1


def test_the_draw_is_of_its_number_alone():
    sequence = WorldSequence(5, WorldOptions(size=(32, 48), frames=3))
    clips = ClipDataset([sequence], size=(16, 24), augment=Augment(crop=0.2), seed=3)
    again = ClipDataset([sequence], size=(16, 24), augment=Augment(crop=0.2), seed=3)
    again[1, 9]
    for key, value in clips[0, 7].items():
        assert torch.equal(value, again[0, 7][key])
    assert not torch.equal(clips[0, 7]["images"], clips[0, 8]["images"])
    assert not torch.equal(clips[0, 7]["intrinsics"], clips[0, 8]["intrinsics"])


def test_a_raw_batch_is_finished_to_what_its_samples_are():
    sequence = WorldSequence(5, WorldOptions(size=(32, 48), frames=4))
    raw, whole = (ClipDataset([sequence], augment=Augment(), seed=3, raw=kind) for kind in (True, False))
    batch = collate([raw[i] for i in range(3)])
    assert batch["images"].dtype == torch.uint8
    finished = to_float_and_augment(batch)
    assert finished.keys() == whole[0].keys()
    for i in range(3):
        torch.testing.assert_close(finished["images"][i], whole[i]["images"], rtol=0, atol=1e-5)


def test_maps_move_with_their_pixels():
    before, after = sample(), flip_sample(sample())
    x, y = 3, 5
    for key in ("images", "depth", "visible"):
        assert torch.equal(after[key][..., y, WIDTH - 1 - x], before[key][..., y, x])
    assert torch.equal(after["flow"][:, 0, y, WIDTH - 1 - x], -before["flow"][:, 0, y, x])
    assert torch.equal(after["flow"][:, 1, y, WIDTH - 1 - x], before["flow"][:, 1, y, x])


def test_brightness_saturation_and_gamma_agree_with_torchvision():
    images = sample()["images"] * 0.6 + 0.1
    for factor in (0.7, 1.2):
        pairs = [
            (jitter_colour(images, brightness=factor), reference.adjust_brightness(images, factor)),
            (jitter_colour(images, saturation=factor), reference.adjust_saturation(images, factor)),
            (jitter_colour(images, gamma=factor), reference.adjust_gamma(images, factor)),
            (jitter_colour(images[:1], contrast=factor), reference.adjust_contrast(images[:1], factor)),
        ]
        for ours, theirs in pairs:
            torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-3)


def test_contrast_and_hue_by_hand():
    images = torch.tensor([0.2, 0.6]).view(2, 1, 1, 1).expand(2, 3, 2, 2)
    varied = jitter_colour(images, contrast=0.5)
    torch.testing.assert_close(varied[:, 0, 0, 0], torch.tensor([0.3, 0.5]))
    torch.testing.assert_close(jitter_colour(images, turn=0.3), images)
    red = torch.tensor([0.6, 0.4, 0.4]).view(1, 3, 1, 1)
    grey = 0.299 * 0.6 + 0.701 * 0.4
    opposite = jitter_colour(red, turn=0.5).flatten()
    torch.testing.assert_close(opposite, 2 * grey - red.flatten(), rtol=0, atol=1e-3)


def test_all_frames_are_varied_alike():
    images = torch.rand(1, 3, 6, 6).expand(3, 3, 6, 6)
    varied = augment_sample({"images": images, "intrinsics": torch.eye(3)}, Augment(), seed=(1, 2))["images"]
    assert not torch.equal(varied, images)
    torch.testing.assert_close(varied[0], varied[2])
    assert varied.dtype == torch.float32
    assert 0 <= varied.min() <= varied.max() <= 1


def test_no_strength_is_no_change_and_flips_are_as_often_as_asked():
    still = Augment(flip=0, brightness=0, contrast=0, saturation=0, hue=0, gamma=0)
    before = sample()
    for key, value in augment_sample(before, still, seed=(0,)).items():
        assert torch.equal(value, before[key])
    often = Augment(flip=0.25, brightness=0, contrast=0, saturation=0, hue=0, gamma=0)
    flips = [not torch.equal(augment_sample(before, often, seed=(0, i))["flow"], before["flow"]) for i in range(400)]
    assert 70 < sum(flips) < 130


@pytest.mark.parametrize("options", [{"flip": 1.5}, {"gamma": 1.0}, {"hue": 0.6}, {"brightness": -0.1}])
def test_senseless_strengths_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Augment(**options)


def test_what_leaves_the_crop_is_not_visible_any_more():
    flow = torch.zeros(1, 2, 8, 20)
    flow[:, 0] = -6.0
    sample = {
        "images": torch.rand(2, 3, 8, 20),
        "intrinsics": torch.eye(3),
        "flow": flow,
        "visible": torch.ones(1, 1, 8, 20),
    }
    visible = crop_sample(sample, 0, 8, 8, 10)["visible"][0, 0]
    assert not visible[:, :6].any()
    assert visible[:, 6:].all()
