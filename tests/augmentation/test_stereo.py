"""Stereo samples: both images are varied alike, and a mirrored pair is again a left and a right image."""

import pytest
import torch

from vode.augmentation.geometric import flip_sample
from vode.augmentation.options import NO_AUGMENT, Augment
from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.base import Capability
from vode.datasets.sample import collate
from vode.errors import InputError
from vode.geometry.camera import project, transform
from vode.geometry.warp import backward_warp
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

STEREO = frozenset({Capability.STEREO, Capability.POSES})
FLIP = Augment(1, 0, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def sequence():
    return WorldSequence(5, WorldOptions(size=(64, 192), frames=3))


def shifted(image, disparity):
    """What a camera whose points lie ``disparity`` pixels farther right in ``image`` sees of it."""
    flow = torch.cat([disparity, torch.zeros_like(disparity)])
    return backward_warp(image[None], flow[None])[0]


def test_clips_have_the_right_images_and_the_distance_in_metres(sequence):
    clips = ClipDataset([sequence], ClipShape(2), size=(32, 96), ground_truth=STEREO)
    sample = clips[1]
    assert sample["right"].shape == sample["images"].shape == (2, 3, 32, 96)
    assert sample["baseline"].item() == pytest.approx(0.54)
    assert collate([clips[0], sample])["baseline"].shape == (2,)
    left, right = (ClipDataset([sequence], ground_truth=STEREO)[1][key] for key in ("images", "right"))
    assert torch.equal(left[0], sequence.frame(1))
    assert torch.equal(right[1], sequence.right(2))
    assert "right" not in ClipDataset([sequence], ground_truth=True)[0]


def test_a_mirrored_pair_is_a_left_and_a_right_image(sequence):
    sample, flipped = (
        ClipDataset([sequence], ClipShape(1), augment=augment, ground_truth=STEREO)[1] for augment in (NO_AUGMENT, FLIP)
    )
    assert torch.equal(flipped["images"], sample["right"].flip(-1))
    assert torch.equal(flipped["right"], sample["images"].flip(-1))
    assert flipped["baseline"] == sample["baseline"]
    # the true disparity of the left image, mirrored, is that of the mirrored right image: points are farther right in
    # the left one
    depth = sequence.depth(1)
    disparity = torch.where(depth > 0, sequence.intrinsics[0, 0] * 0.54 / depth.clamp(min=0.1), 0.0).flip(-1)
    errors = [
        (shifted(flipped["images"][0], sign * disparity) - flipped["right"][0]).abs().median() for sign in (1, -1)
    ]
    assert errors[0] < 0.01
    assert errors[1] > 4 * errors[0]


def test_a_mirrored_world_is_seen_at_mirrored_pixels_by_both_cameras(sequence):
    def seen(sample, points_world):
        """Pixels of world points in the left and the right camera of both frames."""
        for pose in sample["poses"]:
            points = transform(torch.linalg.inv(pose), points_world)
            for x in (0, sample["baseline"].item()):
                yield project(points - torch.tensor([x, 0, 0]), sample["intrinsics"])[0]

    sample = ClipDataset([sequence], ClipShape(2), ground_truth=STEREO)[0]
    sample["intrinsics"] = sample["intrinsics"] + torch.tensor([[0, 0, 11.0], [0, 0, 0], [0, 0, 0]])
    flipped, points = flip_sample(sample), torch.tensor([[1.0, 0.5, 6.0], [-2.0, 0.3, 9.0], [0.0, -1.0, 5.0]])
    # the world starts at the camera on the left, which is the right one before it is mirrored
    mirrored = (points - torch.tensor([0.54, 0, 0])) * torch.tensor([-1.0, 1, 1])
    before, after = list(seen(sample, points)), list(seen(flipped, mirrored))
    for old, new in zip([before[1], before[0], before[3], before[2]], after, strict=True):
        torch.testing.assert_close(new[:, 0], 192 - 1 - old[:, 0], rtol=0, atol=1e-3)
        torch.testing.assert_close(new[:, 1], old[:, 1], rtol=0, atol=1e-3)
    for key, value in flip_sample(flipped).items():
        torch.testing.assert_close(value, sample[key], rtol=0, atol=1e-5)


def test_both_images_are_varied_alike():
    image = torch.randint(0, 256, (2, 3, 8, 10), dtype=torch.uint8)
    strong = Augment(0, 0.3, 0.3, 0.5, 0.2, 0.3, blur=1.0, shade=0.4, balance=0.2, independent=0.2)
    colour = torch.tensor([1.2, 0.8, 0.5, 0.1, 1.2, 0.7, 0.0, 0.3, 0.2, 1.1, 0.9, 1.0, 7.0])
    varied = to_float_and_augment({"images": image, "right": image, "colour": colour})
    torch.testing.assert_close(varied["images"], varied["right"])
    assert not torch.equal(varied["images"], image / 255)
    # as they are varied without a partner
    alone = to_float_and_augment({"images": image, "colour": colour})
    torch.testing.assert_close(varied["images"], alone["images"])
    sequence = WorldSequence(5, WorldOptions(size=(32, 48), frames=3))
    raw, whole = (
        ClipDataset([sequence], augment=strong, seed=3, ground_truth=STEREO, raw=kind) for kind in (True, False)
    )
    batch = to_float_and_augment(collate([raw[0], raw[1]]))
    torch.testing.assert_close(batch["right"][1], whole[1]["right"], rtol=0, atol=1e-5)


def test_depth_of_the_camera_on_the_right_is_not_made_up(sequence):
    both = ClipDataset([sequence], augment=FLIP, ground_truth={Capability.STEREO, Capability.DEPTH})
    with pytest.raises(ValueError, match="depth of the right camera is not known"):
        both[0]


def test_frames_without_a_right_image_are_named(sequence, monkeypatch):
    monkeypatch.setattr(WorldSequence, "right_raw", lambda self, i, size: None)
    with pytest.raises(InputError, match=r"world5 frame \d has no image of the right camera"):
        ClipDataset([sequence], ground_truth=STEREO)[1]
