"""Videos of broadcasts and camcorders are decoded, and frames that repeat or are of two moments are told."""

from fractions import Fraction

import av
import numpy as np
import pytest

from vode.datasets.folder import FolderSequence
from vode.io.video import Video

INTERLACED = {"mpeg2video": {"flags": "+ildct+ilme"}, "libx264": {"x264-params": "interlaced=1"}, "dvvideo": {}}
"""options by which encoders make interlaced videos; DV always is"""


def grey(k):
    """The brightness of frame ``k``."""
    return 30 + 16 * k


def film(path, codec, shown, size=(48, 64), options=None, pixels="yuv420p"):
    """A video of frames that are as bright as their number tells."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        (stream.height, stream.width), stream.pix_fmt = size, pixels
        stream.codec_context.time_base = Fraction(1, 25)
        for time, k in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(np.full((*size, 3), grey(k), np.uint8), format="rgb24")
            frame.pts = time
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def numbers(video):
    return [round((float(video.frame(i).mean()) - 30) / 16) for i in range(video.count)]


@pytest.mark.parametrize(
    ("codec", "suffix", "size", "pixels"),
    [
        ("mpeg2video", "mpg", (64, 64), "yuv420p"),
        ("mpeg2video", "mkv", (64, 64), "yuv420p"),
        ("libx264", "mp4", (64, 64), "yuv420p"),
        ("libx264", "mts", (64, 64), "yuv420p"),
        ("dvvideo", "dv", (576, 720), "yuv420p"),
        ("dvvideo", "avi", (480, 720), "yuv411p"),
    ],
)
def test_interlaced_videos_give_every_frame_and_tell_that_they_are(tmp_path, codec, suffix, size, pixels):
    if codec not in av.codecs_available:
        pytest.skip(f"no {codec} in this build of PyAV")
    told = range(6)
    path = film(tmp_path / f"a.{suffix}", codec, told, size, INTERLACED[codec], pixels)
    video = Video(path)
    assert numbers(video) == [*told]
    assert [round((float(video.frame(k).mean()) - 30) / 16) for k in (4, 0, 5, 2)] == [4, 0, 5, 2]
    assert any("6 of the first 6 frames are marked as interlaced" in note for note in video.notes)
    assert not any("same" in note for note in video.notes)


@pytest.mark.parametrize(("codec", "suffix"), [("mpeg4", "mp4"), ("mjpeg", "avi"), ("mpeg2video", "ts")])
def test_frames_like_the_one_before_are_counted(tmp_path, codec, suffix):
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = film(tmp_path / f"a.{suffix}", codec, [0, 0, 1, 2, 2, 2, 3, 4], pixels=pixels)
    sequence = FolderSequence(path, "a", fov=60)
    assert len(sequence) == 8
    (note,) = sequence.notes
    assert "3 of the first 8 frames are the same as the one before" in note
    assert not Video(film(tmp_path / f"b.{suffix}", codec, range(8), pixels=pixels)).notes


def test_a_long_video_is_searched_at_its_beginning(tmp_path, monkeypatch):
    path = film(tmp_path / "a.avi", "mjpeg", [k // 2 for k in range(26)], pixels="yuvj420p")
    monkeypatch.setattr("vode.io.video.SEARCHED", 48 * 64 * 24)
    assert "12 of the first 24 frames are the same" in Video(path).notes[0]
