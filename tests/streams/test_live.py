"""Live inputs: the newest image is taken, what went by is counted, and sources that fail are told in one line."""

import queue
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import av
import numpy as np
import pytest

from vode.errors import InputError
from vode.streams import webcam
from vode.streams.live import LiveStream, Newest
from vode.streams.open import open_stream
from vode.streams.options import StreamOptions
from vode.streams.stream import StreamKind

PATIENCE = 30.0
"""seconds after which a test that waits fails; none of them waits for a time"""
SIZE = (48, 64)
COUNT = 12


def numbered(k):
    return np.full((*SIZE, 3), 15 * k, np.uint8)


def number(image):
    return round(float(image.mean()) / 15)


class Fed:
    """A source that gives what a test puts in, and tells when it comes back for more."""

    def __init__(self):
        self.items, self.asked, self.closed = queue.Queue(), threading.Semaphore(0), threading.Event()

    def source(self):
        try:
            while True:
                self.asked.release()
                item = self.items.get()
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.closed.set()

    def put(self, *items):
        """Gives items, and waits until all are taken in."""
        for item in items:
            assert self.asked.acquire(timeout=PATIENCE)
            self.items.put(item)
        assert self.asked.acquire(timeout=PATIENCE)
        self.asked.release()


def test_the_newest_is_taken_and_those_before_it_are_counted():
    fed = Fed()
    newest = Newest(fed.source(), PATIENCE)
    fed.put(1)
    assert (next(newest), newest.dropped) == (1, 0)
    fed.put(2, 3, 4, 5)
    assert (next(newest), newest.dropped) == (5, 3)
    fed.put(6)
    fed.items.put(None)
    assert list(newest) == [6]
    assert newest.dropped == 3
    assert fed.closed.wait(PATIENCE)


def test_an_error_of_the_source_comes_after_what_it_gave():
    fed = Fed()
    newest = Newest(fed.source(), PATIENCE)
    fed.put(1)
    fed.items.put(OSError("unplugged"))
    assert next(newest) == 1
    with pytest.raises(OSError, match="unplugged"):
        next(newest)


def test_closing_ends_an_iteration_and_the_source():
    fed = Fed()
    newest = Newest(fed.source(), PATIENCE)
    fed.put(1)
    ended = threading.Thread(target=lambda: list(newest))
    ended.start()
    fed.items.put(2)
    newest.close()
    ended.join(PATIENCE)
    fed.items.put(3)
    assert fed.closed.wait(PATIENCE)
    assert not ended.is_alive()


def test_images_before_the_iteration_are_not_counted():
    fed = Fed()
    fed.items.put((0.0, numbered(0)))
    stream = LiveStream("camera", StreamKind.WEBCAM, fed.source(), np.asarray, PATIENCE)
    assert (stream.size, stream.live, stream.length) == (SIZE, True, None)
    assert fed.asked.acquire(timeout=PATIENCE)
    fed.put((0.1, numbered(1)), (0.2, numbered(2)))
    images = iter(stream)
    assert number(next(images)[1]) == 0
    assert number(next(images)[1]) == 2
    fed.put((0.3, numbered(3)), (0.4, numbered(4)))
    time, image = next(images)
    assert (time, number(image), stream.dropped) == (0.4, 4, 1)
    fed.items.put(None)
    assert list(images) == []
    stream.close()


def test_a_source_that_goes_silent_is_told():
    fed = Fed()
    with pytest.raises(InputError, match=r"camera: no image within 0\.05 seconds"):
        LiveStream("camera", StreamKind.WEBCAM, fed.source(), np.asarray, 0.05)


class Device:
    """What OpenCV opens, with a few images."""

    def __init__(self, count):
        self.images = [numbered(k)[..., ::-1] for k in range(count)]
        self.released = threading.Event()

    def isOpened(self):
        return self.images is not None

    def read(self):
        return (True, self.images.pop(0)) if self.images else (False, None)

    def release(self):
        self.released.set()


@pytest.fixture
def device(tmp_path, monkeypatch):
    """A camera with the number 0, whose files are in a folder of the test's own."""
    (tmp_path / "video0").touch()
    monkeypatch.setattr(webcam, "DEVICES", tmp_path)
    monkeypatch.chdir(tmp_path)

    def give(opened):
        monkeypatch.setattr(webcam, "open_device", {0: opened}.get)
        return opened

    return give


@pytest.mark.parametrize("address", ["0", "/dev/video0"])
def test_a_webcam_gives_its_images_until_its_end(device, address):
    opened = device(Device(COUNT))
    with open_stream(address) as stream:
        found = list(stream)
        numbers = [number(image) for _, image in found]
        assert (stream.kind, stream.name, stream.size) == (StreamKind.WEBCAM, "webcam 0", SIZE)
    assert numbers[0] <= numbers[-1] == COUNT - 1
    assert numbers == sorted(set(numbers))
    assert numbers[0] + len(numbers) + stream.dropped <= COUNT
    times = [time for time, _ in found]
    assert times == sorted(times)
    assert opened.released.wait(PATIENCE)


def test_a_webcam_that_is_not_there_or_taken_or_dark_is_told(device):
    with pytest.raises(InputError, match=r"webcam 3: no such device; .*: video0"):
        open_stream("3")
    taken = device(Device(0))
    taken.images = None
    with pytest.raises(InputError, match="webcam 0: cannot be opened"):
        open_stream("0")
    device(Device(0))
    with pytest.raises(InputError, match="webcam 0: it gives no image"):
        open_stream("0")


def test_a_folder_called_as_a_webcam_is_a_folder(device, tmp_path):
    (tmp_path / "0").mkdir()
    with pytest.raises(InputError, match="0: no images"):
        open_stream("0")


@pytest.fixture(scope="module")
def broadcast(tmp_path_factory):
    """A transport stream, whose length nothing tells before its end."""
    path = tmp_path_factory.mktemp("streams") / "live.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"bf": "0", "g": "4"})
        (stream.height, stream.width), stream.pix_fmt = SIZE, "yuv420p"
        for k in range(COUNT):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(k), format="rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.fixture
def serve():
    """A server on this machine that gives each connection the next of these contents, and then none."""
    servers = []

    def start(*contents, end=None):
        waiting = list(contents)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if not waiting:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "video/mp2t")
                self.end_headers()
                self.wfile.write(waiting.pop(0))
                if end is not None:
                    end.wait(PATIENCE)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://user:secret@127.0.0.1:{server.server_port}/live"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_connection_that_ends_is_made_again_once(serve, broadcast):
    with open_stream(serve(broadcast, broadcast), options=StreamOptions(timeout=PATIENCE)) as stream:
        found = list(stream)
        numbers, times = [number(image) for _, image in found], [time for time, _ in found]
        notes = " ".join(stream.notes)
    assert stream.kind == StreamKind.NETWORK
    assert stream.size == SIZE
    assert numbers[-1] == COUNT - 1
    assert times == sorted(times)
    assert "and made again" in notes
    assert "the stream ends there" in notes
    assert "secret" not in notes + stream.name


def test_a_connection_that_cannot_be_made_again_ends_the_stream(serve, broadcast):
    with open_stream(serve(broadcast), options=StreamOptions(timeout=PATIENCE)) as stream:
        assert number(list(stream)[-1][1]) == COUNT - 1
        assert len(stream.notes) == 1
    assert "the connection was lost (Input/output error); the stream ends there" in stream.notes[0]


def test_addresses_that_give_no_images_are_told_without_their_password(serve):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    cases = {
        f"rtsp://user:secret@127.0.0.1:{port}/live": "cannot be opened",
        f"http://user:secret@127.0.0.1:{port}/live": "cannot be opened",
        serve(): "cannot be opened",
        serve(b"no video at all" * 100): "cannot be opened",
        "ftp://user:secret@127.0.0.1/live": "addresses begin with rtsp://",
    }
    for address, match in cases.items():
        with pytest.raises(InputError, match=match) as caught:
            open_stream(address, options=StreamOptions(timeout=PATIENCE))
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_an_address_that_does_not_answer_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/live"
        with pytest.raises(InputError, match="no answer in time"):
            open_stream(address, options=StreamOptions(timeout=0.2))
