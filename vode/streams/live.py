"""Live inputs, of which the newest image is taken and those that went by in the meantime are counted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import numpy as np

from vode.errors import InputError
from vode.streams.stream import Stream, StreamKind, check_same_size

Item = TypeVar("Item")
LINGER = 1.0
"""seconds that closing waits for a reader that is in the middle of an image"""


class Newest(Generic[Item]):
    """A slot for the newest item of a source, which a thread of its own reads on; iterating takes from it.

    ``dropped`` counts the items that were replaced before anyone took them, since the first one was asked for. An
    error of the source is raised once the items before it are taken; so is TimeoutError, after ``timeout`` seconds
    without any.
    """

    def __init__(self, source: Iterator[Item], timeout: float) -> None:
        self.dropped = 0
        self._source, self._timeout = source, timeout
        self._changed = threading.Condition()
        self._slot: list[Item] = []
        self._counted = self._ended = self._closed = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._read, daemon=True, name="vode-live")
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        with self._changed:
            self._counted = True
            if not self._changed.wait_for(lambda: self._slot or self._ended or self._closed, self._timeout):
                raise TimeoutError
            if self._slot and not self._closed:
                return self._slot.pop()
            if self._error is not None and not self._closed:
                raise self._error
        raise StopIteration

    def close(self) -> None:
        """End the thread, which closes its source."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(LINGER)

    def _read(self) -> None:
        try:
            for item in self._source:
                with self._changed:
                    if self._closed:
                        break
                    self.dropped += len(self._slot) * self._counted
                    self._slot[:] = [item]
                    self._changed.notify_all()
        except Exception as error:
            self._error = error
        finally:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()


class LiveStream(Stream, Generic[Item]):
    """The newest images of a source of (seconds, item), which ``to_image`` turns into RGB; iterated once.

    The first item is waited for at once, so that a source that gives none is told when it is opened.
    """

    live = True

    def __init__(
        self,
        name: str,
        kind: StreamKind,
        source: Iterator[tuple[float, Item]],
        to_image: Callable[[Item], np.ndarray],
        timeout: float,
    ) -> None:
        self.name, self.kind, self.notes = name, kind, []
        self._to_image, self._timeout = to_image, timeout
        self._newest = Newest(source, timeout)
        try:
            self._first: tuple[float, Item] | None = self._next()
        except BaseException:
            self.close()
            raise
        if self._first is None:
            raise InputError(f"{name}: it gives no image; check that it is on and free")
        self.size = to_image(self._first[1]).shape[:2]
        self._newest._counted = False

    @property
    def dropped(self) -> int:  # type: ignore[override]
        """Images that went by since the iteration began."""
        return self._newest.dropped

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        item, self._first = self._first, None
        while item is not None:
            time, image = item[0], self._to_image(item[1])
            check_same_size(self.name, image, self.size, "open it again")
            yield time, image
            item = self._next()

    def close(self) -> None:
        """End the reading; what is iterated ends too."""
        self._newest.close()

    def _next(self) -> tuple[float, Item] | None:
        try:
            return next(self._newest, None)
        except TimeoutError:
            raise InputError(f"{self.name}: no image within {self._timeout:g} seconds; check it", "timeout") from None
