"""A camera's flaws: each by hand, all of them a function of the draw, nothing where they are off."""

import pytest
import torch

from vode.augmentation.geometric import augment_sample, draw_variation
from vode.augmentation.options import NO_AUGMENT, Augment
from vode.augmentation.photometric import add_effects, to_float_and_augment, vary_colour
from vode.datasets.sample import collate

NONE = {"blur": 0.0, "noise": 0.0, "shade": 0.0, "drift": 0.0, "red": 1.0, "green": 1.0, "blue": 1.0, "place": 0.0}
ALL = Augment(blur=0.7, noise=0.05, shade=0.2, balance=0.1, independent=0.05)


def images(frames=2, *, level=0.5):
    return torch.full((frames, 3, 5, 8), level)


def effects(x, **strengths):
    return add_effects(x, torch.tensor(list((NONE | strengths).values())))


def test_no_strength_changes_nothing():
    x = torch.rand(2, 3, 6, 7)
    assert torch.equal(effects(x), x)
    assert draw_variation(NO_AUGMENT, (4, 6), seed=(1,)).colour is None
    assert len(draw_variation(Augment(), (4, 6), seed=(1,)).colour) == 5


def test_what_was_drawn_before_there_were_effects_is_drawn_still():
    for seed in range(5):
        plain, more = (draw_variation(options, (24, 32), seed=(seed,)) for options in (Augment(), ALL))
        assert more[:-1] == plain[:-1]
        assert more.colour[:5] == plain.colour
        assert len(more.colour) == 13


def test_gains_by_hand():
    balanced = effects(images(), red=1.2, blue=0.5)
    torch.testing.assert_close(balanced[0, :, 0, 0], torch.tensor([0.6, 0.5, 0.25]))
    shaded = effects(images(), shade=0.2)
    torch.testing.assert_close(shaded[1, 2, :, 3], torch.tensor([0.4, 0.45, 0.5, 0.55, 0.6]))
    drifting = effects(images(3), drift=0.1)
    torch.testing.assert_close(drifting[:, 0, 0, 0], torch.tensor([0.45, 0.5, 0.55]))
    torch.testing.assert_close(effects(images(1), drift=0.1), images(1))


def test_blur_is_a_binomial_filter():
    x = torch.zeros(1, 3, 5, 8)
    x[..., 2, 3] = 0.8
    blurred = effects(x, blur=1.0)
    row = torch.tensor([0.25, 0.5, 0.25])
    torch.testing.assert_close(blurred[0, 1, 1:4, 2:5], 0.8 * row[:, None] * row)
    torch.testing.assert_close(effects(x, blur=0.5), (x + blurred) / 2)
    torch.testing.assert_close(effects(images(), blur=1.0), images())


def test_noise_is_normal_and_different_in_every_pixel_and_frame():
    x = torch.full((2, 3, 64, 64), 0.5)
    noise = effects(x, noise=0.05, place=12345.0) - x
    assert noise.std().item() == pytest.approx(0.05, rel=0.03)
    assert abs(noise.mean().item()) < 2e-3
    assert abs(torch.corrcoef(noise.flatten(1))[0, 1].item()) < 0.05
    assert torch.equal(effects(x, noise=0.05, place=12345.0) - x, noise)
    assert not torch.equal(effects(x, noise=0.05, place=99.0) - x, noise)
    # past the end of the table
    assert effects(x, noise=0.05, place=2.0**21 - 5).std().item() == pytest.approx(0.05, rel=0.03)


def test_effects_of_a_batch_are_those_of_its_samples():
    samples = [{"images": torch.rand(2, 3, 6, 8), "intrinsics": torch.eye(3)} for _ in range(3)]
    colours = [torch.tensor(draw_variation(ALL, (6, 8), seed=(0, i)).colour) for i in range(3)]
    raw = [sample | {"colour": colour} for sample, colour in zip(samples, colours, strict=True)]
    batch = to_float_and_augment(collate(raw))
    assert batch.keys() == {"images", "intrinsics"}
    for i in range(3):
        torch.testing.assert_close(batch["images"][i], vary_colour(samples[i]["images"], colours[i]), rtol=0, atol=1e-5)
    assert 0 <= batch["images"].min() <= batch["images"].max() <= 1


def test_the_draw_alone_decides():
    sample = {"images": torch.rand(2, 3, 6, 8), "intrinsics": torch.eye(3)}
    one, again, other = (augment_sample(sample, ALL, seed=(0, i))["images"] for i in (4, 4, 5))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("options", [{"blur": 1.5}, {"noise": -0.1}, {"independent": 1.0}])
def test_senseless_strengths_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Augment(**options)
