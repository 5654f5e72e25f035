"""Images on their way to the networks, and sequences read ahead."""

import threading
import time

import cv2
import numpy as np
import pytest
import torch

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.geometry.resize import as_float
from vode.io.image import to_raw
from vode.odometry.frames import Frame, Intake, network_image, read_ahead, same

K = torch.tensor([[60.0, 0, 34.5], [0, 62.0, 24.5], [0, 0, 1]])
RADTAN = Camera((50, 70), (60.0, 62.0), (34.5, 24.5), "radtan", (-0.25, 0.05, 0.001, -0.002))


def pixels(seed=0, shape=(50, 70, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_frames_reach_the_networks_at_their_size():
    image = torch.rand(3, 50, 70)
    assert network_image(image, (32, 64), "cpu").shape == (1, 3, 32, 64)
    assert torch.equal(network_image(image, (50, 70), "cpu")[0], image)
    assert network_image(torch.full((3, 50, 70), 0.3), (32, 64), "cpu").sub(0.3).abs().max() < 1e-5


@pytest.mark.parametrize("size", [(24, 48), (50, 70), None])
def test_pixels_arrive_as_readers_of_data_sets_give_them(size):
    image = pixels()
    expected = as_float(to_raw(image, size))[None]
    intake = Intake(K, size, "cpu")
    planes = torch.from_numpy(image).permute(2, 0, 1)
    for given in (image, torch.from_numpy(image), planes, planes.contiguous()):
        assert torch.equal(intake(given), expected)
    assert intake(planes / 255).sub(expected).abs().max() < 0.005


def test_intrinsics_follow_the_size():
    intake = Intake(K.numpy(), (25, 140), "cpu")
    intake(pixels())
    expected = torch.tensor([[[120.0, 0, 69.5], [0, 31.0, 12.0], [0, 0, 1]]])
    torch.testing.assert_close(intake.intrinsics, expected)
    known = Intake(RADTAN, None, "cpu")
    torch.testing.assert_close(known.intrinsics[0], RADTAN.intrinsics)


def test_the_distortion_of_a_lens_is_removed():
    image = cv2.resize(pixels(shape=(6, 8, 3)), (70, 50), interpolation=cv2.INTER_LINEAR)
    intake = Intake(RADTAN, None, "cpu")
    found = intake(image)
    maps = cv2.initUndistortRectifyMap(
        RADTAN.matrix, np.array(RADTAN.distortion), None, intake.intrinsics[0].double().numpy(), (70, 50), cv2.CV_32FC1
    )
    expected = torch.from_numpy(cv2.remap(image, *maps, cv2.INTER_LINEAR)).permute(2, 0, 1) / 255
    assert (found[0] - expected).abs()[:, 1:-1, 1:-1].max() < 0.01
    assert (found[0] - torch.from_numpy(image).permute(2, 0, 1) / 255).abs().max() > 0.1
    torch.testing.assert_close(intake(torch.from_numpy(image).float() / 255), found, atol=0.005, rtol=0)


def test_grey_has_three_equal_channels():
    grey = pixels(shape=(50, 70))
    found = Intake(RADTAN, (24, 48), "cpu")(grey)
    assert found.shape == (1, 3, 24, 48)
    assert torch.equal(found[:, 0], found[:, 2])


def test_an_array_may_be_filled_again():
    for image in (np.random.default_rng(0).random((50, 70, 3), dtype=np.float32), torch.rand(3, 50, 70)):
        found = Intake(K, None, "cpu")(image)
        before = found.clone()
        image[:] = 0
        assert torch.equal(found, before)


def test_images_and_cameras_of_no_use_are_refused():
    with pytest.raises(InputError, match="70x51 pixels for a camera of 70x50"):
        Intake(RADTAN, None, "cpu")(pixels(shape=(51, 70, 3)))
    intake = Intake(K, None, "cpu")
    intake(pixels())
    with pytest.raises(InputError, match="71x50 pixels for a camera of 70x50"):
        intake(pixels(shape=(50, 71, 3)))
    for image, says in [
        (pixels(shape=(50, 70, 4)), "give"),
        (pixels().astype(np.int64), "int64"),
        (pixels().astype(np.float32), "outside 0..1"),
        (np.full((50, 70), np.nan), "outside 0..1"),
    ]:
        with pytest.raises(InputError, match=says):
            intake(image)
    with pytest.raises(InputError, match=r"\(3, 3\)"):
        Intake(torch.eye(4), None, "cpu")


def test_frames_that_show_nothing_or_the_same():
    noise = 0.004 * torch.randn(1, 3, 50, 70, generator=torch.Generator().manual_seed(0))
    assert Frame(0, 0.5 + noise).is_blank
    assert not Frame(0, 0.5 + 10 * noise).is_blank
    image = torch.rand(1, 3, 50, 70)
    assert same(Frame(0, image), Frame(1, image + 1e-4))
    assert not same(Frame(0, image), Frame(1, image + 0.01))


def test_the_next_frame_is_read_while_one_is_worked_on(corrupted, world):
    reading = []

    class Slow(corrupted):
        def frame(self, i):
            reading.append((i, threading.current_thread() is threading.main_thread()))
            return super().frame(i)

    frames = read_ahead(Slow(world(8, 3), f1="lost"), (96, 320))
    assert next(frames).shape == (3, 96, 320)
    for _ in range(100):
        if len(reading) > 1:
            break
        time.sleep(0.01)
    assert reading == [(0, False), (1, False)]
    assert "cut short" in str(next(frames))
    frames.close()
