"""Videos: every frame by its number, in any order, thread and process, and files that are damaged or no videos."""

import pickle
import random
import struct
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from torch.utils.data import DataLoader

from vode.datasets.folder import FolderSequence
from vode.errors import InputError
from vode.io.video import Video
from vode.training.clip_dataset import ClipDataset, ClipShape

COUNT = 400
SIZE = (32, 144)
CODECS = {"a.avi": "MJPG", "b.mp4": "mp4v", "c.mpg": "PIM1", "d.webm": "VP80", "e.avi": "PIM1"}


def visualization(number):
    """An image that shows a number in black and white bars, a bit each, which any codec keeps."""
    bits = [255 * (number >> bit & 1) for bit in range(SIZE[1] // 16)]
    return np.broadcast_to(np.repeat(bits, 16)[None, :, None], (*SIZE, 3)).astype(np.uint8)


def number(pixels):
    middle = pixels[SIZE[0] // 2, 8::16].mean(-1) > 128
    return int(middle @ 2 ** np.arange(len(middle)))


def write(path, codec, count=COUNT):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 25.0, SIZE[::-1])
    assert writer.isOpened()
    for k in range(count):
        writer.write(visualization(k))
    writer.release()
    return path


def slow_down(video, path):
    """The same frames, but from the 100th on only every second or third time step has one, as phones film."""
    packets = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    fourcc, raw = cv2.VideoWriter_fourcc(*"MJPG"), [cv2.VIDEOWRITER_PROP_RAW_VIDEO, 1]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, 25.0, SIZE[::-1], raw)
    times = np.cumsum([0] + [1 if k < 100 else 2 + k % 2 for k in range(COUNT - 1)])
    for time in times:
        writer.set(cv2.VIDEOWRITER_PROP_KEY_FLAG, 1)
        writer.set(cv2.VIDEOWRITER_PROP_PTS, float(time))
        writer.write(packets.read()[1])
    writer.release()
    return path, times / 25


def encode(path, codec, **options):
    """The same by PyAV, whose options the encoder takes: interlaced, with B frames, with few keyframes."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        (stream.height, stream.width), stream.pix_fmt = SIZE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        frames = (av.VideoFrame.from_ndarray(visualization(k), format="rgb24") for k in range(COUNT))
        for k, frame in enumerate(frames):
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for name, codec in CODECS.items():
        write(folder / name, codec)
    return folder


def check_any_order(video):
    assert video.count == COUNT
    assert [number(video.frame(k)) for k in range(COUNT)] == list(range(COUNT))
    order = random.Random(0).choices(range(COUNT), k=60)
    order += [COUNT - 1, 0, 251, 250, 249, 1, COUNT - 1, COUNT - 2]
    assert [number(video.frame(k)) for k in order] == order


@pytest.mark.parametrize("name", CODECS)
def test_frames_in_any_order_are_those_in_order(folder, name):
    video = Video(folder / name)
    check_any_order(video)
    assert video.size == SIZE
    np.testing.assert_allclose(video.timestamps, np.arange(COUNT) / 25, atol=1e-6)


@pytest.mark.skipif(not hasattr(cv2, "VIDEOWRITER_PROP_PTS"), reason="this OpenCV cannot write such a video")
@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_frames_at_uneven_times_are_found_too(folder, tmp_path, suffix):
    path, seconds = slow_down(folder / "a.avi", tmp_path / f"phone.{suffix}")
    check_any_order(Video(path))
    np.testing.assert_allclose(Video(path).timestamps, seconds, atol=1e-3)


INTERLACED = {"flags": "+ildct+ilme", "bf": "2"}


@pytest.mark.parametrize("name", ["dvd.mpg", "broadcast.ts", "camera.mp4", "camera.mkv"])
def test_interlaced_frames_with_others_between_are_found_too(tmp_path, name):
    video = Video(encode(tmp_path / name, "mpeg2video", **INTERLACED))
    check_any_order(video)
    np.testing.assert_allclose(video.timestamps, np.arange(COUNT) / 25, atol=1e-3)


def test_a_stream_that_tells_no_times_is_counted(tmp_path):
    video = Video(encode(tmp_path / "raw.m2v", "mpeg2video", bf="2"))
    assert video.count == COUNT
    assert [number(video.frame(k)) for k in (0, 1, 300, 20, 21, COUNT - 1)] == [0, 1, 300, 20, 21, COUNT - 1]


def test_a_broadcast_that_begins_and_ends_anywhere_gives_the_frames_that_can_be_decoded(tmp_path):
    data = encode(tmp_path / "whole.ts", "mpeg2video", **INTERLACED).read_bytes()
    packets = len(data) // 188
    (tmp_path / "part.ts").write_bytes(data[packets // 3 * 188 : packets * 2 // 3 * 188])
    video = Video(tmp_path / "part.ts")
    told = [number(video.frame(k)) for k in range(video.count)]
    assert COUNT // 4 < video.count < COUNT // 2
    # the last one is cut
    assert told[:-1] == list(range(told[0], told[0] + video.count - 1))
    order = random.Random(0).choices(range(video.count), k=30)
    assert [number(video.frame(k)) for k in order] == [told[k] for k in order]


def test_colours_are_red_green_blue(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "red.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (64, 48))
    writer.write(np.full((48, 64, 3), (20, 60, 220), np.uint8))
    writer.release()
    np.testing.assert_allclose(Video(tmp_path / "red.avi").frame(0).mean((0, 1)), (220, 60, 20), atol=8)


def test_a_frame_beyond_the_ends_is_no_frame(folder):
    video = Video(folder / "a.avi")
    for k in (-1, COUNT):
        with pytest.raises(IndexError):
            video.frame(k)


def test_two_threads_at_once_get_the_right_frames(folder):
    video = Video(folder / "b.mp4")
    order = random.Random(1).choices(range(COUNT), k=120)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda k: number(video.frame(k)), order)) == order


def read_in_workers(sequence, wanted):
    """Frames by two forked processes, while this one has a decoder open as well; a timeout, lest it hang."""
    sequence.frame(1)
    snippets = ClipDataset([sequence], ClipShape(2))
    loader = DataLoader(
        snippets, 4, sampler=wanted, num_workers=2, multiprocessing_context="fork", timeout=60, collate_fn=list
    )
    return [sample["images"] for batch in loader for sample in batch]


@pytest.mark.parametrize("name", ["a.avi", "b.mp4"])
def test_forked_workers_get_the_right_frames(folder, name):
    wanted = [5, 0, 270, 33, 2, 100, 7, COUNT - 2, 8, 9, 10, 11]
    images = read_in_workers(FolderSequence(folder, name, fov=90), wanted)
    found = [[number(255 * image.permute(1, 2, 0).numpy()) for image in pair] for pair in images]
    assert found == [[k, k + 1] for k in wanted]


def test_a_pickled_video_goes_on(folder):
    video = Video(folder / "b.mp4")
    video.frame(3)
    again = pickle.loads(pickle.dumps(video))
    assert [number(x.frame(k)) for x in (again, video) for k in (4, 0, COUNT - 1)] == 2 * [4, 0, COUNT - 1]


def test_a_phone_held_upright_gives_upright_frames(tmp_path):
    path = write(tmp_path / "phone.mp4", "mp4v", 3)
    data = bytearray(path.read_bytes())
    # The track's header holds a matrix that players turn the pictures by: here a quarter, clockwise.
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, 0, 2**16, 0, -(2**16), 0, 0, 0, 0, 2**30)
    path.write_bytes(data)
    video = Video(path)
    assert video.size == SIZE[::-1]
    assert number(np.rot90(video.frame(2))) == 2


@pytest.mark.parametrize("content", [b"", b"no video at all", b"RIFF" + bytes(3000), bytes(5000)])
def test_a_file_that_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "walk.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"walk\.mp4: not a video"):
        Video(path)


def test_a_video_without_its_end_is_counted_or_refused(folder, tmp_path):
    for name in ("a.avi", "b.mp4"):
        data = (folder / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
    video = Video(tmp_path / "a.avi")
    assert COUNT // 3 < video.count < COUNT * 2 // 3
    assert f"read up to frame {video.count} of the {COUNT}" in video.notes[0]
    assert number(video.frame(video.count - 2)) == video.count - 2
    with pytest.raises(InputError, match=r"b\.mp4: not a video"):
        Video(tmp_path / "b.mp4")


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "MJPG"), ("b.mkv", "PIM1")])
def test_a_damaged_frame_is_named_and_moves_no_other(tmp_path, name, codec):
    path = write(tmp_path / name, codec)
    packets, data = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1]), path.read_bytes()
    at = 0
    for _ in range(21):
        packet = packets.read()[1].tobytes()
        at = data.index(packet, at) + len(packet)
    path.write_bytes(data[: at - len(packet)] + bytes(len(packet)) + data[at:])
    video = Video(path)
    assert video.count == COUNT
    with pytest.raises(InputError, match=f"{path}: frame 20 cannot be decoded"):
        [video.frame(k) for k in range(30)]
    assert [number(video.frame(k)) for k in (19, COUNT - 1, 280)] == [19, COUNT - 1, 280]


def test_any_frame_of_a_real_video_is_the_one_in_order(real_data):
    path = real_data / "video" / "highway.mp4"
    capture = cv2.VideoCapture(str(path))
    inorder = [cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)[::8, ::8].copy() for _ in range(221)]
    assert not capture.read()[0]
    video = Video(path)
    assert video.count == 221
    for k in (150, 37, 220, 0, 38, 1):
        assert np.array_equal(video.frame(k)[::8, ::8], inorder[k])
    wanted = [0, 37, 1, 150]
    images = read_in_workers(FolderSequence(path, "highway", fov=60), wanted)
    for k, pair in zip(wanted, images, strict=True):
        assert np.array_equal((255 * pair[0, :, ::8, ::8]).round().byte().permute(1, 2, 0), inorder[k])


def test_sound_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "talk.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        sound.sample_rate, sound.pts = 44100, 0
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match=r"talk\.mp4: not a video"):
        Video(tmp_path / "talk.mp4")


@pytest.mark.parametrize("text", ["ffconcat version 1.0\nfile a.avi\n", "#EXTM3U\na.avi\n", "\n#EXTM3U\na.avi\n"])
def test_lists_of_other_files_are_not_followed(tmp_path, text):
    (tmp_path / "list.mp4").write_text(text)
    with pytest.raises(InputError, match="a list of other files"):
        Video(tmp_path / "list.mp4")


def test_a_video_that_is_cut_short_says_how_far_it_was_read(tmp_path):
    whole, short = tmp_path / "whole.mp4", tmp_path / "short.mp4"
    with av.open(str(whole), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        for k in range(40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(visualization(k), format="rgb24")))
        container.mux(stream.encode())
    data = whole.read_bytes()
    short.write_bytes(data[: len(data) * 3 // 4])
    video = Video(short)
    assert 10 < video.count < 40
    # the last one may be half a frame
    assert number(video.frame(video.count - 2)) == video.count - 2
    assert f"read up to frame {video.count} of the 40" in video.notes[0]
    assert "holds until there" in video.notes[0]
