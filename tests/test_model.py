"""The model as people call it: numpy or torch in, the same kind out, at the image's size."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import vode
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.recipes import recipe
from vode.run_folder import RunFolder

SIZE = (64, 96)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return vode.Model(DepthNet().eval(), FlowNet().eval(), size=SIZE)


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (70, 120, 3), dtype=np.uint8)


def test_depth_is_the_networks_inverse_depth_at_the_size_of_the_image(model, image):
    pixels = torch.from_numpy(image).movedim(-1, 0)[None].float() / 255
    small = F.interpolate(pixels, SIZE, mode="bilinear", align_corners=False, antialias=True)
    with torch.no_grad():
        inverse = 0.01 + 9.99 * model.depth(small)[0]
    expected = 1 / F.interpolate(inverse, (70, 120), mode="bilinear", align_corners=False)[0, 0]
    found = model.predict_depth(image)
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4)


def test_the_layout_of_the_image_does_not_matter_and_the_kind_comes_back(model, image):
    expected = model.predict_depth(image)
    planes = torch.from_numpy(image).movedim(-1, 0)
    for same in (planes, planes.float() / 255, torch.from_numpy(image)):
        found = model.predict_depth(same)
        assert isinstance(found, torch.Tensor)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4)
    np.testing.assert_allclose(model.predict_depth(image.astype(np.uint16) * 257), expected, rtol=1e-4)
    grey = image[..., :1]
    np.testing.assert_array_equal(
        model.predict_depth(grey[..., 0]), model.predict_depth(np.concatenate([grey] * 3, axis=-1))
    )


def test_a_mirrored_image_has_the_mirrored_depth_if_both_are_averaged(model, image):
    found = model.predict_depth(image, flip=True)
    np.testing.assert_allclose(model.predict_depth(image[:, ::-1], flip=True)[:, ::-1], found, rtol=1e-3)
    assert not np.allclose(model.predict_depth(image[:, ::-1])[:, ::-1], model.predict_depth(image), rtol=1e-3)


def test_flow_is_in_pixels_of_the_image(model, image):
    other = np.roll(image, 3, axis=1)
    found = model.predict_flow(image, other)
    assert found.shape == (70, 120, 2)
    with torch.no_grad():
        a, b = (
            F.interpolate(
                torch.from_numpy(x).movedim(-1, 0)[None].float() / 255,
                SIZE,
                mode="bilinear",
                align_corners=False,
                antialias=True,
            )
            for x in (image, other)
        )
        small = model.flow(a, b)[0][0]
    assert found[..., 0].mean() == pytest.approx(float(small[:, 0].mean()) * 120 / 96, rel=0.02, abs=1e-3)
    assert found[..., 1].mean() == pytest.approx(float(small[:, 1].mean()) * 70 / 64, rel=0.02, abs=1e-3)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((4, 5, 6, 3), np.uint8), r"shape \(4, 5, 6, 3\)"),
        (np.zeros((40, 50, 4), np.uint8), r"shape \(40, 50, 4\)"),
        (np.zeros((40, 50, 3), np.int64), "int64"),
        (np.full((40, 50, 3), 200.0), r"outside 0\.\.1"),
        (np.full((40, 50, 3), np.nan), "not finite"),
    ],
)
def test_what_is_no_image_is_refused(model, bad, message):
    with pytest.raises(vode.InputError, match=message):
        model.predict_depth(bad)


def test_images_of_two_sizes_have_no_flow(model, image):
    with pytest.raises(vode.InputError, match="120x70 and 119x70"):
        model.predict_flow(image, image[:, 1:])


def test_a_run_folder_is_loaded(model, image, tmp_path):
    folder = RunFolder(tmp_path / "run")
    config = recipe("world")
    folder.write_config(config)
    folder.write_weights({"depth": model.depth, "flow": model.flow})
    loaded = vode.load(tmp_path / "run", device="cpu")
    assert loaded.size == config.size
    assert loaded.tracker == config.tracker
    assert str(tmp_path / "run") in repr(loaded)
    model_at_size = vode.Model(model.depth, model.flow, size=config.size)
    np.testing.assert_array_equal(loaded.predict_depth(image), model_at_size.predict_depth(image))


def test_what_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(vode.InputError, match="vode-unknown: no run in it"):
        vode.load("vode-unknown")
    RunFolder(tmp_path).write_config(recipe("world"))
    with pytest.raises(vode.InputError, match=r"depth\.safetensors: no such weights"):
        vode.load(tmp_path, device="cpu")
    with pytest.raises(vode.InputError, match="no device is called 'gpu'"):
        vode.load(tmp_path, device="gpu")
    RunFolder(tmp_path / "pose").write_config(recipe("posenet"))
    with pytest.raises(vode.InputError, match="a run of the family relocalization; one of video is needed"):
        vode.load(tmp_path / "pose", device="cpu")
