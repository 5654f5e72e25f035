"""Streams from an address (RTSP, HTTP, UDP and others), by PyAV (FFmpeg)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress

import av
import numpy as np
from av.container import InputContainer

from vode.errors import InputError, one_line
from vode.streams.live import LiveStream
from vode.streams.options import StreamOptions
from vode.streams.stream import StreamKind

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp", "rtp", "srt")
"""protocols of addresses that are opened"""
RECONNECTS = 1
"""times that a connection is made again where it was lost"""
DECODER_OPTIONS = {"rtsp_transport": "tcp", "flags": "low_delay"}
"""what FFmpeg is told, so that images arrive whole, and as soon as they can"""


def is_address(address: str) -> bool:
    """Whether it begins with a protocol, as rtsp:// does."""
    return re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+://", address) is not None


def open_address(address: str, options: StreamOptions = StreamOptions()) -> LiveStream:
    """The newest images of an address, with the seconds since the first.

    A connection that is lost is made again once, then the stream ends and ``notes`` tell it. InputError, without the
    password in the address, if it cannot be reached or gives no images.
    """
    shown, scheme = without_password(address), address.partition("://")[0].lower()
    if scheme not in SCHEMES:
        raise InputError(f"{shown}: addresses begin with {', '.join(f'{s}://' for s in SCHEMES)}; correct it")
    connection = _Connection(address, shown, options.timeout)
    stream = LiveStream(shown, StreamKind.NETWORK, connection.frames(), _to_rgb, 2 * options.timeout)
    stream.notes = connection.notes
    return stream


def without_password(address: str) -> str:
    """An address as it may be shown."""
    return re.sub(r"//[^/]*@", "//", address)


class _Connection:
    """What is known of a connection that may be made again."""

    def __init__(self, address: str, shown: str, timeout: float) -> None:
        self.notes: list[str] = []
        self._address, self._shown, self._timeout = address, shown, timeout
        self._container = self._connect()

    def frames(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """Seconds since the first frame, and the frames."""
        begun = time.monotonic()
        for attempt in range(RECONNECTS + 1):
            # a stream's own times are more regular than those of arrival, but begin anew with a connection
            offset, first = time.monotonic() - begun if attempt else 0.0, None
            with self._container as container:
                # of a whole video the length is known, and its end is none of the connection
                finite = container.duration is not None
                try:
                    for frame in _decoded(container):
                        first = frame.time if first is None else first
                        known = frame.time is not None and first is not None
                        yield offset + (frame.time - first) if known else time.monotonic() - begun, frame
                    if finite:
                        return
                except av.FFmpegError as error:
                    reason = _reason(error)
                else:
                    reason = "it ended"
            if attempt == RECONNECTS:
                self.notes.append(f"{self._shown}: the connection was lost again ({reason}); the stream ends there")
                return
            try:
                self._container = self._connect()
            except InputError:
                self.notes.append(f"{self._shown}: the connection was lost ({reason}); the stream ends there")
                return
            self.notes.append(f"{self._shown}: the connection was lost ({reason}), and made again")

    def _connect(self) -> InputContainer:
        try:
            container = av.open(self._address, timeout=self._timeout, options=dict(DECODER_OPTIONS))
        except (av.FFmpegError, OSError, ValueError) as error:
            remedy = "check the address and the network"
            raise InputError(f"{self._shown}: cannot be opened ({_reason(error)}); {remedy}") from None
        if not container.streams.video:
            container.close()
            raise InputError(f"{self._shown}: no video in it; check the address")
        container.streams.video[0].thread_type = "AUTO"
        return container


def _decoded(container: InputContainer) -> Iterator[av.VideoFrame]:
    """Frames as they arrive, without those that are damaged; what is in the decoder comes before an error."""
    stream = container.streams.video[0]
    try:
        for packet in container.demux(stream):
            # only reading the next packet tells that the connection is lost
            with suppress(av.InvalidDataError):
                yield from packet.decode()
    except av.FFmpegError:
        yield from stream.decode(None)
        raise


def _reason(error: Exception) -> str:
    """What FFmpeg says, without the address."""
    if isinstance(error, av.ExitError | av.TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or one_line(error)


def _to_rgb(frame: av.VideoFrame) -> np.ndarray:
    return frame.to_ndarray(format="rgb24")
