"""A thread that works on the newest item only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Newest(Generic[Item]):
    """Calls ``work`` in a thread of its own with the newest item; whoever puts items never waits.

    An item that nobody has begun with is replaced by the next; ``dropped`` counts these, ``taken`` the others.
    """

    def __init__(self, work: Callable[[Item], None]) -> None:
        self.dropped = self.taken = 0
        self._work, self._changed, self._closed = work, threading.Condition(), False
        self._slot: list[Item] = []
        self._thread = threading.Thread(target=self._run, name="vode-odometry", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Leave an item in the place of the one that waits, if there is one."""
        with self._changed:
            self.dropped += len(self._slot)
            self._slot[:] = [item]
            self._changed.notify()

    def close(self) -> None:
        """End the thread after the item that it works on."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._slot or self._closed)
                if self._closed:
                    return
                item = self._slot.pop()
                self.taken += 1
            self._work(item)
