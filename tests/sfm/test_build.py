"""Scenes of one's own: a walk through a rendered room whose poses are known, and videos that cannot be mapped."""

import json
import sys
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import torch

from tests.sfm.room import FOCAL, SIZE, film, poses, render, walls
from vode.cli import main
from vode.datasets.mapped.colmap import ColmapSequence
from vode.errors import InputError
from vode.geometry.alignment import umeyama
from vode.geometry.pose import from_first, rotation_angle
from vode.io.image import write_image
from vode.sfm.build import build
from vode.sfm.frames import edge_width, take_frames
from vode.sfm.matches import pairs_to_match
from vode.sfm.options import FrameOptions, MapOptions

FOV = float(np.degrees(2 * np.arctan(SIZE[1] / 2 / FOCAL)))
FAST = MapOptions(features=600, workers=1)


@pytest.fixture(scope="module")
def room():
    return walls()


def noise(count):
    return list(np.random.default_rng(0).integers(0, 255, (count, *SIZE, 3)).astype(np.uint8))


def check_poses(sequence, ground_truth):
    """Against the ground truth: 1 % of the path after a similarity, which a map leaves open, and half a degree.

    Features of 240x320 images, found to 0.3 px in noise of JPEG, give a few tenths of that.
    """
    found, true = sequence.poses_in_scene, torch.from_numpy(ground_truth)
    scale, rotation, shift = umeyama(found[:, :3, 3], true[:, :3, 3])
    error = (scale * found[:, :3, 3] @ rotation.mT + shift - true[:, :3, 3]).norm(dim=-1)
    path = (true[1:, :3, 3] - true[:-1, :3, 3]).norm(dim=-1).sum()
    assert error.square().mean().sqrt() < 0.01 * path
    # Angles since the first frame, for a path that is almost straight hardly tells the turn about it.
    turned = sequence.poses[:, :3, :3].mT @ from_first(true)[:, :3, :3]
    assert rotation_angle(turned).rad2deg().max() < 0.5


def test_a_walk_becomes_a_data_set_with_the_true_poses(tmp_path, capfd, room):
    pytest.importorskip("pycolmap")
    ground_truth = poses(14)
    seen = [render(room, pose) for pose in ground_truth]
    # Two frames that show something else are not registered.
    video = film(tmp_path / "walk.avi", [*seen[:7], *noise(2), *seen[7:]])
    out = tmp_path / "scene"
    options = ["--step", "1", "--features", "600", "--workers", "1"]
    assert main(["scene", "build", str(video), "--out", str(out), *options]) == 0
    printed, errors = capfd.readouterr()
    assert "14 of 16, longest gap 2" in printed
    assert [line.split()[0] for line in errors.splitlines()] == ["choosing", "features", "matches", "mapping"]
    quality = json.loads((out / "scene.json").read_text())
    assert (quality["taken"], quality["registered"], quality["longest_gap"]) == (16, 14, 2)
    assert quality["reprojection_error"] < 1
    assert quality["fov"] == pytest.approx(FOV, rel=0.03)
    assert quality["path_per_depth"] == pytest.approx(4 / 5, rel=0.3)
    assert sorted(path.name for path in out.iterdir()) == ["images", "scene.json", "sparse"]
    numbers = [*range(7), *range(9, 16)]
    assert sorted(path.name for path in (out / "images").iterdir()) == [f"{k:06d}.jpg" for k in numbers]
    sequence = ColmapSequence(out, "images")
    assert sequence.notes == ()
    check_poses(sequence, ground_truth)
    assert main(["scene", "build", str(video), "--out", str(out)]) == 2
    assert "is there already" in capfd.readouterr().err


def test_a_camera_that_is_known_is_kept(tmp_path, room):
    pytest.importorskip("pycolmap")
    ground_truth = poses(8, move=2.0, turn=0.5)
    video = film(tmp_path / "walk.avi", [render(room, pose) for pose in ground_truth])
    quality = build(video, tmp_path / "scene", FrameOptions(step=1, fov=FOV), FAST)
    assert quality.camera_known
    assert quality.fov == pytest.approx(FOV)
    sequence = ColmapSequence(tmp_path / "scene", "images")
    np.testing.assert_allclose(sequence.camera.matrix, [[260, 0, 159.5], [0, 260, 119.5], [0, 0, 1]], atol=1e-4)
    check_poses(sequence, ground_truth)


def broken(case, room):
    """Six frames that cannot be mapped."""
    if case == "noise":
        return noise(6)
    if case == "nothing":
        return [np.full((*SIZE, 3), 100 + k, np.uint8) for k in range(6)]
    move, turn = {"still": (0, 0), "turning": (0, 0.6), "blurred": (2, 0.5)}[case]
    images = [render(room, pose) for pose in poses(6, move, turn)]
    return [cv2.GaussianBlur(image, (0, 0), 8) for image in images] if case == "blurred" else images


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("still", r"no motion between its frames \(median 0\.. px\); film while walking"),
        ("turning", r"the camera only turns \(parallax 0\.. px\); walk sideways"),
        ("blurred", r"blurred \(edges .* pixels wide\)"),
        ("noise", r"too few matches \(median 0 between neighbours; 30 are needed\)"),
        ("nothing", "too little to see in its frames"),
    ],
)
def test_a_video_that_cannot_be_mapped_gives_the_reason_and_leaves_nothing(tmp_path, case, reason, room):
    pytest.importorskip("pycolmap")
    video = film(tmp_path / "walk.avi", broken(case, room))
    with pytest.raises(InputError, match=rf"walk\.avi: {reason}"):
        build(video, tmp_path / "scene", FrameOptions(step=1), FAST)
    assert list(tmp_path.iterdir()) == [video]


@pytest.mark.parametrize("case", ["stopped", "crashed", "few", "none", "lens"])
def test_nothing_is_left_of_a_build_that_ends_early(tmp_path, monkeypatch, case, room):
    pytest.importorskip("pycolmap")
    video = film(tmp_path / "walk.avi", [render(room, pose) for pose in poses(4, 1.0, 0.2)])
    error = {"stopped": KeyboardInterrupt, "crashed": RuntimeError}.get(case, InputError)

    def fail(*arguments):
        if error is not InputError:
            raise error
        return []

    if case == "few":
        monkeypatch.setattr("vode.sfm.build.LEAST", 2.0)
    elif case == "lens":
        monkeypatch.setattr("vode.sfm.build.PLAUSIBLE_VIEW", (150.0, 170.0))
    else:
        monkeypatch.setattr("vode.sfm.build._map", fail)
    reason = {"few": "mapping failed, with 4 of 4", "none": "with 0 of 4", "lens": "its camera cannot be estimated"}
    with pytest.raises(error, match=reason.get(case)):
        build(video, tmp_path / "scene", FrameOptions(step=1), FAST)
    assert list(tmp_path.iterdir()) == [video]


def test_without_pycolmap_it_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pycolmap", None)
    assert main(["scene", "build", str(tmp_path / "walk.avi"), "--out", str(tmp_path / "scene")]) == 2
    assert "pip install 'vode[scene]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def photographs(folder, count=9, sharp=(1, 5, 8)):
    """Images that are out of focus but for a few."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    for k in range(count):
        image = generator.uniform(0, 255, (48, 64, 3)).astype(np.float32)
        image = cv2.GaussianBlur(image, (0, 0), 1.5 if k in sharp else 3)
        write_image(folder / f"{k}.png", torch.from_numpy(image / 255).permute(2, 0, 1))
    return folder


def test_the_sharpest_frame_of_each_stretch_is_taken(tmp_path):
    folder, out = photographs(tmp_path / "walk"), tmp_path / "out"
    out.mkdir()
    for options in (FrameOptions(step=3), FrameOptions(frames=3)):
        taken = take_frames(folder, options, out)
        assert (taken.numbers, taken.size, taken.intrinsics) == ((1, 5, 8), (48, 64), None)
    assert sorted(path.name for path in out.iterdir()) == ["000001.jpg", "000005.jpg", "000008.jpg"]
    assert take_frames(folder, FrameOptions(step=2, start=1, end=6), out).numbers[::2] == (1, 5)
    assert len(take_frames(folder, FrameOptions(), out).numbers) == 9
    taken = take_frames(folder, FrameOptions(rotate=90, fov=90.0), out)
    assert taken.size == (64, 48)
    np.testing.assert_allclose(taken.intrinsics, [[24, 0, 23.5], [0, 24, 31.5], [0, 0, 1]], atol=1e-5)
    # A calibration beside the images is that of the camera, without being named.
    (folder / "camera.yaml").write_text("fx: 50\nfy: 52\ncx: 30\ncy: 26\n")
    np.testing.assert_allclose(take_frames(folder, FrameOptions(), out).intrinsics[0], [50, 0, 30])


def test_frames_that_are_not_there_are_refused(tmp_path):
    folder = photographs(tmp_path / "walk")
    with pytest.raises(InputError, match="2 frames, of 9 in it, are too few to map"):
        take_frames(folder, FrameOptions(start=7), tmp_path)
    for options in (FrameOptions(step=0), FrameOptions(frames=0), FrameOptions(start=-1)):
        with pytest.raises(InputError, match="1 or more"):
            take_frames(folder, options, tmp_path)
    photographs(tmp_path / "run")
    with pytest.raises(InputError, match="2 videos and folders of images in it"):
        take_frames(tmp_path, FrameOptions(), tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        take_frames(tmp_path / "nowhere", FrameOptions(), tmp_path)


def test_a_video_of_unknown_camera_whose_pixels_are_not_square_is_refused(tmp_path):
    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.sample_aspect_ratio = 64, 48, "yuv420p", Fraction(4, 3)
        for k in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * k, np.uint8), "rgb24")))
        container.mux(stream.encode())
    with pytest.raises(InputError, match="its pixels are not square") as refusal:
        take_frames(tmp_path / "film.mp4", FrameOptions(), tmp_path)
    assert refusal.value.parameters == ("fov", "calibration")
    taken = take_frames(tmp_path / "film.mp4", FrameOptions(step=1, fov=90.0), tmp_path)
    np.testing.assert_allclose(taken.intrinsics.diagonal(), [32, 32 * 4 / 3, 1], rtol=1e-6)


def test_the_width_of_edges_is_that_of_the_blur_whatever_the_contrast():
    step = np.zeros((100, 200, 3), np.float32)
    step[:, 100:] = 200
    for sigma in (2.0, 4.0):
        blurred = cv2.GaussianBlur(step, (0, 0), sigma)
        for contrast in (1, 0.3):
            # Edges blurred by s pixels, and by the 1 of the measure itself, are 1.4 sqrt(s^2 + 1) wide.
            expected = np.sqrt(2 * (sigma**2 + 1))
            assert edge_width((contrast * blurred).astype(np.uint8)) == pytest.approx(expected, rel=0.15)
    assert edge_width(np.full((10, 10, 3), 7, np.uint8)) == np.inf


def test_pairs_lead_ahead_and_close_loops():
    assert pairs_to_match(5, overlap=1, everything=5) == [(i, j) for i in range(5) for j in range(i + 1, 5)]
    pairs = set(pairs_to_match(200, overlap=3, everything=20))
    assert {(7, 8), (7, 9), (7, 10), (7, 11), (7, 15), (7, 135), (0, 199)} <= pairs
    assert (7, 12) not in pairs
    assert all(0 <= i < j < 200 for i, j in pairs)
    assert len(pairs) < 200 * 9 + 190
