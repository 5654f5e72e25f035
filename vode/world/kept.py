"""Results that are kept for a while: the ones used last, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import nullcontext
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


class Kept:
    """Keeps what was made, and forgets what was not used for longest once there is too much.

    Threads may share it; with ``one_at_a_time`` they wait for each other's work instead of doing it twice.
    """

    def __init__(self, most: int, *, one_at_a_time: bool = False) -> None:
        self.most = most
        """bytes, or whatever else ``size`` counts"""
        self._making = Lock() if one_at_a_time else nullcontext()
        self._found: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._total, self._lock = 0, Lock()

    def __len__(self) -> int:
        return len(self._found)

    @property
    def total(self) -> int:
        """Sum of the sizes of all that is kept."""
        return self._total

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int] = lambda made: 1) -> T:
        """What is kept under ``key``, else what ``make`` makes; it stays though it alone is more than ``most``."""
        if (found := self._find(key)) is not None:
            return found[0]  # type: ignore[return-value]
        with self._making:
            # another thread may have made it meanwhile
            if (found := self._find(key)) is not None:
                return found[0]  # type: ignore[return-value]
            made = make()
            with self._lock:
                if key not in self._found:
                    self._found[key] = made, size(made)
                    self._total += self._found[key][1]
                while self._total > self.most and len(self._found) > 1:
                    _, (_, freed) = self._found.popitem(last=False)
                    self._total -= freed
        return made

    def _find(self, key: Hashable) -> tuple[object, int] | None:
        """What is kept under ``key`` and its size, which are now those used last."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)
