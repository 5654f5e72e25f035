"""Moments, and the clock that tells them."""

import time as _time


class Time:
    """Nanoseconds since 1970."""

    def __init__(self, *, seconds=0, nanoseconds=0):
        self.nanoseconds = int(seconds * 10**9) + nanoseconds

    def to_msg(self):
        """As builtin_interfaces/Time."""
        from builtin_interfaces.msg import Time as Message

        return Message(sec=self.nanoseconds // 10**9, nanosec=self.nanoseconds % 10**9)


class Clock:
    """The system's."""

    def now(self):
        """This moment."""
        return Time(nanoseconds=_time.time_ns())
