"""Ctrl-C asks once, and insists the second time."""

import os
import signal
import threading

import pytest

from vode.signals import stop_signal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_asks_and_a_second_ctrl_c_stops(number):
    before = signal.getsignal(number)
    with stop_signal() as stopped:
        assert not stopped
        os.kill(os.getpid(), number)
        assert stopped == [number]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(number) is before


def test_a_scheduler_may_ask_twice():
    with stop_signal() as stopped:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
    assert set(stopped) == {signal.SIGTERM}


def test_other_threads_are_left_alone():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work():
        with stop_signal() as stopped:
            seen.append((list(stopped), signal.getsignal(signal.SIGINT) is before))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [([], True)]
