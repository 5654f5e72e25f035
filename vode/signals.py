"""Ctrl-C and SIGTERM as a request that long work looks at, so that it stops where its results are whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_signal() -> Iterator[list[int]]:
    """A list that is empty until Ctrl-C or SIGTERM asks to stop; a second Ctrl-C raises KeyboardInterrupt.

    A second SIGTERM changes nothing: schedulers send it to a process and to its launcher, which passes it on.

    Signals reach the main thread alone: elsewhere the list stays empty.
    """
    stopped: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if stopped and number == signal.SIGINT:
            raise KeyboardInterrupt
        stopped.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
