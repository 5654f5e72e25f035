"""Predictions as files: of images and of a video, in every format, and what is refused."""

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from PIL.ExifTags import IFD, Base

import vode
from vode.cli import main
from vode.io.depth import read_depth
from vode.io.flow import read_flow
from vode.io.image import read_image, write_image
from vode.io.video_writer import write_video
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import DepthOptions
from vode.pipelines.options import FrameRange, OwnCamera
from vode.pipelines.predict import predict_depth_files, predict_flow_files
from vode.recipes import recipe
from vode.run_folder import RunFolder
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

COUNT = 4


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return vode.Model(DepthNet().eval(), FlowNet().eval(), size=(64, 96), source="a run")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder of images without ground truth or camera."""
    folder = tmp_path_factory.mktemp("predict") / "walk"
    folder.mkdir()
    sequence = WorldSequence(3, WorldOptions(size=(70, 121), frames=COUNT))
    for i in range(COUNT):
        write_image(folder / f"view{i + 8}.png", sequence.frame(i))
    return folder


@pytest.fixture(scope="module")
def video(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("video") / "walk.mp4"
    assert write_video(path, (read_image(images / f"view{i + 8}.png") for i in range(COUNT)), rate=5.0) == COUNT
    return path


def frames_of(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_depth_in_every_format(model, images, tmp_path):
    out, told = tmp_path / "out", []
    written = predict_depth_files(
        model, images, out, ("png", "npz", "color", "video"), on_progress=lambda *now: told.append(now)
    )
    assert written.count == COUNT
    assert told == [(done, COUNT) for done in range(1, COUNT + 1)]
    assert set(written.files) == {out / "depth.npz", out / "depth.mp4"}
    with np.load(out / "depth.npz") as archive:
        assert archive.files == ["view8", "view9", "view10", "view11"]
        for name in archive.files:
            expected = model.predict_depth(read_image(images / f"{name}.png")).numpy()
            np.testing.assert_array_equal(archive[name], expected)
            kept = read_depth(out / f"{name}.png")[0].numpy()
            np.testing.assert_allclose(kept, np.where(expected * 256 < 65535, expected, 0), atol=0.5 / 256 + 1e-6)
            assert read_image(out / "color" / f"{name}.png").shape == (3, 70, 121)
    shown = frames_of(out / "depth.mp4")
    # images above their depth, without the odd last column
    assert [frame.shape for frame in shown] == [(140, 120, 3)] * COUNT
    assert "256" in json.loads((out / "prediction.json").read_text())["depth"]


def about(folder):
    return json.loads((folder / "prediction.json").read_text())


def test_metric_depth_says_what_it_took_for_the_focal_length(model, images, tmp_path):
    metric = vode.Model(DepthNet(DepthOptions(canonical_focal=60.0)).eval(), model.flow, size=(64, 96), source="w")
    written = predict_depth_files(metric, images, tmp_path / "none", ("npz",))
    assert "a focal length of 97 pixels is assumed, a horizontal view of 64 degrees; give" in written.notes[0]
    assert about(tmp_path / "none")["focal_assumed"] is True
    assert about(tmp_path / "none")["unit"].startswith("metres, if")
    assert about(tmp_path / "none")["computed_at"] == [60, 104]
    camera = {"width": 121, "height": 70, "fx": 100, "fy": 142, "cx": 60, "cy": 35}
    (tmp_path / "camera.json").write_text(json.dumps(camera))
    beside = tmp_path / "walk"
    beside.mkdir()
    for file in images.iterdir():
        (beside / file.name).write_bytes(file.read_bytes())
    (beside / "camera.json").write_text(json.dumps(camera))
    for name, source, own, focal in (
        ("file", images, OwnCamera(calibration=tmp_path / "camera.json"), 142),
        ("fov", images, OwnCamera(fov=90.0), 60.5),
        ("beside", beside, OwnCamera(), 142),
    ):
        written = predict_depth_files(metric, source, tmp_path / name, ("npz",), own=own)
        assert written.notes == ()
        expected = {"unit": "metres", "focal_px": pytest.approx(focal), "focal_assumed": False}
        assert expected.items() <= about(tmp_path / name).items()
        with np.load(tmp_path / name / "depth.npz") as found, np.load(tmp_path / "none" / "depth.npz") as assumed:
            ratio = focal / about(tmp_path / "none")["focal_px"]
            np.testing.assert_allclose(found["view9"], ratio * assumed["view9"], rtol=1e-4)
    larger = {"width": 242, "height": 140, "fx": 200, "fy": 284, "cx": 120, "cy": 70}
    (tmp_path / "larger.json").write_text(json.dumps(larger))
    written = predict_depth_files(metric, images, tmp_path / "l", ("npz",), own=OwnCamera(tmp_path / "larger.json"))
    assert about(tmp_path / "l")["focal_px"] == pytest.approx(142)
    assert "calibrated at 242x140 pixels, and scaled to images of 121x70" in written.notes[0]
    with pytest.raises(vode.InputError, match="give one of them"):
        predict_depth_files(metric, images, tmp_path / "x", own=OwnCamera(tmp_path / "camera.json", 60.0))
    with pytest.raises(vode.InputError, match="a run: its depth is up to scale for any camera; leave"):
        predict_depth_files(model, images, tmp_path / "x", own=OwnCamera(fov=60.0))


def test_the_focal_length_of_a_video_is_of_its_pixels_shape(model, tmp_path):
    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.sample_aspect_ratio = 96, 64, "yuv420p", Fraction(4, 3)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 96, 3), np.uint8), "rgb24")))
        container.mux(stream.encode())
    metric = vode.Model(DepthNet(DepthOptions(canonical_focal=60.0)).eval(), model.flow, size=(64, 96), source="w")
    predict_depth_files(metric, tmp_path / "film.mp4", tmp_path / "out", ("npz",), own=OwnCamera(fov=90.0))
    assert about(tmp_path / "out")["focal_px"] == pytest.approx(48 * 4 / 3)


def test_the_focal_length_that_a_photograph_states_is_taken(model, tmp_path):
    exif = Image.Exif()
    exif.get_ifd(IFD.Exif)[Base.FocalLengthIn35mmFilm] = 26
    Image.new("RGB", (120, 90), "grey").save(tmp_path / "photo.jpg", exif=exif)
    metric = vode.Model(DepthNet(DepthOptions(canonical_focal=60.0)).eval(), model.flow, size=(64, 96), source="w")
    written = predict_depth_files(metric, tmp_path / "photo.jpg", tmp_path / "out", ("npz",))
    # the diagonal of 35 mm film is 43.27 mm long
    assert about(tmp_path / "out")["focal_px"] == pytest.approx(26 * 150 / 43.267, rel=1e-3)
    assert about(tmp_path / "out")["focal_assumed"] is False
    assert "90 px by EXIF: as 26 mm with 35 mm film" in written.notes[0]


def test_flow_in_every_format(model, images, tmp_path):
    out = tmp_path / "out"
    written = predict_flow_files(model, images, out, ("flo", "png", "color", "video"))
    assert written.count == COUNT - 1
    assert {path.name for path in out.glob("*.flo")} == {"view8.flo", "view9.flo", "view10.flo"}
    a, b = (read_image(images / f"view{i}.png") for i in (9, 10))
    expected = model.predict_flow(a, b).movedim(-1, 0)
    flow, valid = read_flow(out / "view9.flo")
    torch.testing.assert_close(flow, expected)
    assert valid.all()
    torch.testing.assert_close(read_flow(out / "view9.png")[0], expected, atol=0.5 / 64 + 1e-5, rtol=0)
    assert len(frames_of(out / "flow.mp4")) == COUNT - 1


def test_a_video_is_predicted_like_its_frames(model, video, tmp_path):
    frames = list(vode.open_video(video))
    assert [timestamp for timestamp, _ in frames] == pytest.approx([0, 0.2, 0.4, 0.6])
    written = predict_depth_files(model, video, tmp_path / "out", ("npz",), FrameRange(start=1, step=2))
    assert written.count == 2
    with np.load(tmp_path / "out" / "depth.npz") as archive:
        assert archive.files == ["000001", "000003"]
        np.testing.assert_array_equal(archive["000003"], model.predict_depth(frames[3][1]))


def test_the_command_line_writes_beside_nothing_else(model, images, tmp_path, monkeypatch, capfd):
    folder = RunFolder(tmp_path / "run")
    folder.write_config(recipe("world"))
    folder.write_weights({"depth": model.depth, "flow": model.flow})
    monkeypatch.chdir(tmp_path)
    assert main(["predict", "depth", str(images), "--model", "run", "--device", "cpu", "--formats", "png"]) == 0
    assert "walk-depth: 4 frames" in capfd.readouterr().out
    names = {path.name for path in (tmp_path / "walk-depth").iterdir()}
    assert names == {"view8.png", "view9.png", "view10.png", "view11.png", "prediction.json"}
    stored = cv2.imread(str(tmp_path / "walk-depth" / "view8.png"), cv2.IMREAD_UNCHANGED)
    assert (stored.dtype, stored.shape) == (np.uint16, (70, 121))
    assert main(["predict", "flow", str(images), "--model", "run", "--out", "flows", "--end", "2"]) == 0
    assert {path.name for path in (tmp_path / "flows").glob("*.flo")} == {"view8.flo"}


def test_inputs_that_cannot_be_predicted_are_named(model, images, tmp_path):
    with pytest.raises(vode.InputError, match=r"none\.mp4: no such file or folder"):
        predict_depth_files(model, tmp_path / "none.mp4", tmp_path / "out")
    with pytest.raises(vode.InputError, match="no frame from 9 to None, of 4"):
        predict_depth_files(model, images, tmp_path / "out", frames=FrameRange(start=9))
    with pytest.raises(vode.InputError, match="a step is 1 or more"):
        predict_depth_files(model, images, tmp_path / "out", frames=FrameRange(step=0))
    with pytest.raises(vode.InputError, match="the folder of the input itself"):
        predict_depth_files(model, images, images)
    with pytest.raises(vode.InputError, match="one frame; flow needs two"):
        predict_flow_files(model, images / "view8.png", tmp_path / "out")
    (tmp_path / "two").mkdir()
    for suffix in ("png", "jpg"):
        write_image(tmp_path / "two" / f"a.{suffix}", torch.rand(3, 64, 96))
    with pytest.raises(vode.InputError, match="two images of one name"):
        predict_depth_files(model, tmp_path / "two", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_half_written_is_left_of_a_damaged_input(model, images, tmp_path):
    (tmp_path / "walk").mkdir()
    for image in images.iterdir():
        data = image.read_bytes()
        (tmp_path / "walk" / image.name).write_bytes(data if image.name != "view10.png" else data[:200])
    with pytest.raises(vode.InputError, match=r"view10\.png: the image is cut short"):
        predict_depth_files(model, tmp_path / "walk", tmp_path / "out", ("npz", "video"))
    assert list((tmp_path / "out").iterdir()) == []
