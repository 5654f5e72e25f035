"""The model as people call it: numpy or torch in, the same kind out, at the image's size."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import vode
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import DepthOptions, FlowOptions
from vode.recipes import recipe
from vode.run_folder import RunFolder

SIZE = (64, 96)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    # random weights whose flow is near zero
    return vode.Model(DepthNet().eval(), FlowNet(FlowOptions(start="kaiming")).eval(), size=SIZE)


@pytest.fixture(scope="module")
def metric(model):
    depth = DepthNet(DepthOptions(canonical_focal=60.0)).eval()
    depth.load_state_dict(model.depth.state_dict())
    return vode.Model(depth, model.flow, size=SIZE)


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


def test_metric_depth_is_proportional_to_the_focal_length_however_it_is_given(metric, image):
    assumed = metric.predict_depth(image)
    # 60 pixels at a height of 60, the area of 64x96 in the aspect 70:120, are 70 in the image
    assert metric.size_for((70, 120)) == (60, 103)
    # 0.8 of the longer side
    np.testing.assert_allclose(metric.predict_depth(image, camera=96), assumed, rtol=1e-5)
    matrix = np.array([[99.0, 0, 60], [0, 192, 35], [0, 0, 1]])
    camera = vode.Camera((70, 120), (99.0, 192.0), (60.0, 35.0))
    for given in (192, np.float32(192), torch.tensor(192.0), matrix, torch.from_numpy(matrix), camera):
        np.testing.assert_allclose(metric.predict_depth(image, camera=given), 2 * assumed, rtol=1e-5)
    flipped = metric.predict_depth(image, camera=192, flip=True)
    np.testing.assert_allclose(flipped, 2 * metric.predict_depth(image, flip=True), rtol=1e-5)


def test_one_object_has_one_depth_through_two_lenses(metric, image):
    """The middle of an image at twice the size is an image by a lens of twice the focal length."""
    planes = torch.from_numpy(image).movedim(-1, 0)[None].float() / 255
    twice = F.interpolate(planes, (140, 240), mode="bilinear", align_corners=False)[0]
    near, far = metric.predict_depth(planes[0], camera=80.0), metric.predict_depth(twice, camera=160.0)
    torch.testing.assert_close(F.interpolate(far[None, None], (70, 120), mode="area")[0, 0], near, rtol=0.1, atol=0)


def test_a_model_whose_depth_is_up_to_scale_needs_no_camera(model, metric, image):
    assert (model.metric, metric.metric) == (False, True)
    assert model.size_for((70, 120)) == SIZE
    np.testing.assert_array_equal(model.predict_depth(image, camera=200.0), model.predict_depth(image))


def test_images_are_not_squeezed_for_metric_depth_nor_for_its_flow(metric, image, monkeypatch):
    sizes, flow, depth = [], metric.flow.forward, metric.depth.forward
    monkeypatch.setattr(metric.flow, "forward", lambda a, b: (sizes.append(tuple(a.shape[-2:])), flow(a, b))[1])
    monkeypatch.setattr(metric.depth, "forward", lambda a: (sizes.append(tuple(a.shape[-2:])), depth(a))[1])
    metric.predict_depth(image)
    metric.predict_flow(image, image)
    camera = vode.Camera.of_view((70, 120), 60.0)
    vode.VisualOdometry(metric, camera).register_frame(image)
    assert sizes == [(60, 103)] * 3


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        (vode.Camera.of_view((71, 120), 60.0), "120x70 pixels for a camera of 120x71"),
        (np.eye(4), r"\(3, 3\), not \(4, 4\)"),
        (0.0, "focal length of 0.0 pixels"),
        (float("nan"), "focal length of nan pixels"),
    ],
)
def test_what_is_no_camera_of_the_image_is_refused(metric, image, camera, message):
    with pytest.raises(vode.InputError, match=message):
        metric.predict_depth(image, camera=camera)


def test_flow_of_images_larger_than_the_network_sees_is_refined_on_them(model):
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(1, 3, 40, 60, generator=generator)
    a = F.interpolate(noise, (160, 240), mode="bicubic").clamp(0, 1)[0]
    b = a.roll(2, -1)
    refined, alone = model.predict_flow(a, b), model.predict_flow(a, b, refine=False)
    assert refined[..., 0].median() == pytest.approx(2, abs=0.1)
    assert alone[..., 0].median() < 1
    small_a, small_b = (F.interpolate(x[None], (70, 105), mode="area")[0] for x in (a, b))
    assert torch.equal(model.predict_flow(small_a, small_b), model.predict_flow(small_a, small_b, refine=False))


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
    with pytest.raises(vode.InputError, match="no run in it"):
        vode.load(tmp_path)
    RunFolder(tmp_path).write_config(recipe("world"))
    with pytest.raises(vode.InputError, match=r"depth\.safetensors: no such weights"):
        vode.load(tmp_path, device="cpu")
    with pytest.raises(vode.InputError, match="no device is called 'gpu'"):
        vode.load(tmp_path, device="gpu")
    RunFolder(tmp_path / "pose").write_config(recipe("posenet"))
    with pytest.raises(vode.InputError, match="a run of the family relocalization; one of video is needed"):
        vode.load(tmp_path / "pose", device="cpu")


def test_a_saved_model_is_the_same_when_read_again_also_by_torch_hub(model, image, tmp_path):
    model.save_pretrained(tmp_path / "model")
    assert "vode.Model.from_pretrained" in (tmp_path / "model" / "README.md").read_text("utf-8")
    again = vode.Model.from_pretrained(tmp_path / "model", device="cpu")
    checkout = str(Path(__file__).parents[1])
    hub = torch.hub.load(checkout, "from_folder", str(tmp_path / "model"), device="cpu", source="local")
    for read in (again, hub):
        assert read.size == model.size
        np.testing.assert_array_equal(read.predict_depth(image), model.predict_depth(image))
        np.testing.assert_array_equal(read.predict_flow(image, image[::-1]), model.predict_flow(image, image[::-1]))
    with pytest.raises(vode.InputError, match="holds a run already"):
        model.save_pretrained(tmp_path / "model")
