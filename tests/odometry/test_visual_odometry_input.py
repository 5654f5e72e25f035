"""What frames may be: their timestamps, kinds of images, lenses, models; and what is refused without harm."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.geometry.resize import magnified
from vode.io.trajectory import Trajectory
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import Classical, SequenceDepth
from vode.odometry.track import track
from vode.odometry.visual_odometry import VisualOdometry

SIZE = (96, 320)
EXACT = TrackerOptions(subpixel=False)
WINDOW = TrackerOptions(subpixel=False, refine="window")


@pytest.fixture(scope="module")
def sequence(world):
    return world(8, 12)


def distance(odometry, sequence):
    return (odometry.trajectory.positions - sequence.poses[:, :3, 3]).norm(dim=-1)


def test_timestamps_are_for_all_frames_or_for_none(sequence, ground_truth):
    odometry = VisualOdometry(ground_truth(sequence), sequence.intrinsics, EXACT)
    assert odometry.trajectory.timestamps is None
    odometry.register_frame(sequence.frame(0), 3.5)
    for refused in (lambda: odometry.register_frame(sequence.frame(1)), lambda: odometry.register_failure("lost")):
        with pytest.raises(InputError, match="frame 1 has no timestamp"):
            refused()
    assert odometry.register_frame(sequence.frame(1), np.float32(4.0)).timestamp == 4.0
    assert odometry.trajectory.timestamps.tolist() == [3.5, 4.0]
    untimed = VisualOdometry(ground_truth(sequence), sequence.intrinsics, EXACT)
    untimed.register_frame(sequence.frame(0))
    with pytest.raises(InputError, match="frame 1 has a timestamp"):
        untimed.register_frame(sequence.frame(1), 1.0)
    assert untimed.trajectory.timestamps is None


def test_a_frame_that_is_refused_has_not_been_seen(sequence, ground_truth):
    # later frames correct nothing
    options = replace(EXACT, refine="none", scale_from="depth")
    odometry = VisualOdometry(ground_truth(sequence), sequence.intrinsics, options)
    for i in range(4):
        with pytest.raises(InputError, match="pixels for a camera" if i else "an image of"):
            odometry.register_frame(torch.rand(3, 20, 30) if i else torch.rand(2, 20, 30), 0.1 * i)
        odometry.register_frame(sequence.frame(i), 0.1 * i)
    assert torch.equal(
        odometry.trajectory.poses,
        track(sequence, ground_truth(sequence), size=SIZE, options=options).trajectory.poses[:4],
    )


@pytest.mark.parametrize("kind", [np.ndarray, torch.Tensor])
def test_poses_are_of_the_kind_that_images_are(sequence, ground_truth, kind):
    odometry = VisualOdometry(ground_truth(sequence), sequence.intrinsics.numpy(), EXACT)
    for i in range(2):
        image = sequence.frame(i)
        found = odometry.register_frame(image.permute(1, 2, 0).numpy() if kind is np.ndarray else image)
    lost = odometry.register_failure("lost")
    for pose in (found.pose, lost.pose, odometry.pose(1)):
        assert isinstance(pose, kind)
        assert tuple(pose.shape) == (4, 4)
        assert str(pose.dtype).endswith("float64")
    found.pose[:] = 0
    odometry.pose(1)[:] = 0
    np.testing.assert_allclose(odometry.trajectory.positions[1], sequence.poses[1, :3, 3], atol=0.02)


def test_frames_of_eight_bits_go_the_way_of_a_reader(world, ground_truth):
    """Full-size pixels by hand, and by a sequence that resizes them: the same poses."""
    large = world(8, 4)
    pixels = [(large.frame(i).permute(1, 2, 0) * 255).round().to(torch.uint8).numpy() for i in range(4)]

    class Half(ground_truth):
        def flow(self, a, b):
            return tuple(F.interpolate(x, scale_factor=0.5, mode="nearest") / 2 for x in super().flow(a, b))

        def depth(self, frame):
            return F.interpolate(super().depth(frame), scale_factor=0.5, mode="nearest")

    class Eight(type(large)):
        def raw(self, index, size):
            image = torch.from_numpy(pixels[index]).permute(2, 0, 1)
            return F.interpolate(image[None], size, mode="bilinear", align_corners=False, antialias=True)[0]

    size = (48, 160)
    batch = track(Eight(8, large.options), Half(large), size=size)
    odometry = VisualOdometry(Half(large), large.intrinsics, size=size)
    for image in pixels:
        odometry.register_frame(image)
    assert torch.equal(odometry.trajectory.poses, batch.trajectory.poses)
    assert [str(x.method) for x in odometry.results] == ["start"] + ["essential"] * 3


class Distorted:
    """The world through a radial lens, with the depth that belongs to the undistorted images."""

    def __init__(self, sequence):
        self.sequence = sequence
        (fx, _, cx), (_, fy, cy), _ = sequence.intrinsics.tolist()
        self.camera = Camera(SIZE, (fx, fy), (cx, cy), "radtan", (-0.12, 0.02, 0.0, 0.0))
        x, y = np.meshgrid(np.arange(SIZE[1], dtype=np.float32), np.arange(SIZE[0], dtype=np.float32))
        distorted = np.stack([x, y], -1).reshape(-1, 1, 2)
        matrix, coefficients = self.camera.matrix, np.array(self.camera.distortion)
        self.maps = cv2.undistortPoints(distorted, matrix, coefficients, P=matrix).reshape(*SIZE, 2)

    def pixels(self, i):
        image = self.sequence.frame(i).permute(1, 2, 0).numpy()
        return cv2.remap(image, self.maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def depth(self, i, intrinsics):
        """Of frame i as a pinhole camera with other intrinsics sees it."""
        move = self.sequence.intrinsics.double().numpy() @ np.linalg.inv(intrinsics.double().numpy())
        depth = self.sequence.depth(i)[0].numpy()
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return torch.from_numpy(cv2.warpPerspective(depth, move, SIZE[::-1], flags=flags))[None]


def test_a_camera_with_a_lens_is_undistorted(sequence):
    lens = Distorted(sequence)
    errors = {}
    for name, camera in (("lens", lens.camera), ("pinhole", sequence.intrinsics)):
        intrinsics = lens.camera.intrinsics if name == "lens" else sequence.intrinsics

        class Seen:
            def depth(self, i, intrinsics=intrinsics):
                return lens.depth(i, intrinsics)

        odometry = VisualOdometry(Classical(SequenceDepth(Seen())), camera)
        for i in range(len(sequence)):
            odometry.register_frame(lens.pixels(i))
        errors[name] = float(distance(odometry, sequence).max())
    length = float(Trajectory(sequence.poses).distances()[-1])
    assert errors["lens"] < 0.05 * length
    assert errors["lens"] < errors["pinhole"] / 2


def test_a_model_brings_its_perception_size_and_options(sequence, ground_truth):
    class Model:
        tracker = WINDOW

        def tracking_size(self, image_size, tracker=None):
            return magnified((image_size[0] // 2, image_size[1] // 2), tracker.magnify)

        def perception(self, tracker=None):
            return seen

    class Seen(ground_truth):
        def depth(self, frame):
            sizes.append(tuple(frame.image.shape[-2:]))
            return super().depth(frame)

    seen, sizes = Seen(sequence), []
    odometry = VisualOdometry(Model(), sequence.intrinsics)
    odometry.register_frame(sequence.frame(0))
    assert odometry.options is WINDOW
    odometry = VisualOdometry(Model(), sequence.intrinsics, EXACT, size=SIZE)
    odometry.register_frame(sequence.frame(0))
    assert odometry.options is EXACT
    larger = VisualOdometry(Model(), sequence.intrinsics, replace(EXACT, magnify=1.5))
    larger.register_frame(sequence.frame(0))
    assert sizes == [(48, 160), SIZE, (72, 240)]
