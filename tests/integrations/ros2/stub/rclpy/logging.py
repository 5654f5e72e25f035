"""Loggers, which publish on /rosout, and which as rclpy's forbid a line of code another severity or other filters."""

import sys
import time

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "fatal": 50}


class Logger:
    """Lines with a severity."""

    def __init__(self, name, publisher=None):
        self.name, self._publisher = name, publisher
        self._callers = {}

    def _log(self, severity, message, once=False, throttle_duration_sec=None):
        assert isinstance(message, str)
        frame = sys._getframe(2)
        caller = (frame.f_code.co_filename, frame.f_lineno, frame.f_lasti)
        asked = (severity, once, throttle_duration_sec)
        before, last = self._callers.setdefault(caller, (asked, None))
        if before != asked:
            raise ValueError("Logger severity and filters cannot be changed between calls.")
        now = time.monotonic()
        if last is not None and (once or (throttle_duration_sec is not None and now < last + throttle_duration_sec)):
            return False
        self._callers[caller] = (asked, now)
        if self._publisher is None:
            print(f"[{severity.upper()}] [{self.name}]: {message}", file=sys.stderr)
        else:
            from rcl_interfaces.msg import Log

            self._publisher.publish(Log(level=LEVELS[severity], name=self.name, msg=message))
        return True


def _severity(name):
    return lambda self, message, **filters: self._log(name, message, **filters)


for _name in LEVELS:
    setattr(Logger, _name, _severity(_name))


def get_logger(name):
    """One that is no node's, and prints."""
    return Logger(name)
