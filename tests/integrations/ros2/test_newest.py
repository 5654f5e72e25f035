"""The thread that works on the newest item."""

import threading

from vode_ros.newest import Newest


def test_items_that_nobody_has_time_for_are_replaced_and_counted_and_nobody_waits():
    begun, go_on, seen = threading.Event(), threading.Event(), []

    def work(item):
        seen.append(item)
        begun.set()
        assert go_on.wait(5)

    newest = Newest(work)
    newest.put(0)
    assert begun.wait(5)
    for item in range(1, 10):
        newest.put(item)
    begun.clear()
    go_on.set()
    assert begun.wait(5)
    newest.close()
    assert seen == [0, 9]
    assert (newest.taken, newest.dropped) == (2, 8)


def test_closing_ends_the_thread_and_leaves_what_waits():
    seen = []
    newest = Newest(seen.append)
    newest.close()
    newest.put(1)
    assert not newest._thread.is_alive()
    assert seen == []
