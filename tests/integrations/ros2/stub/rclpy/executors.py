"""The executor of one thread."""

import time

import rclpy


class ExternalShutdownException(Exception):
    """Somebody called shutdown while a node was spinning."""


class SingleThreadedExecutor:
    """Runs callbacks of nodes, one after the other."""

    def __init__(self):
        self._nodes = []

    def add_node(self, node):
        """Have its callbacks run too."""
        self._nodes.append(node)

    def spin(self):
        """Run callbacks until shutdown, which is an exception."""
        while rclpy.ok():
            self.spin_once(timeout_sec=0.05)
        raise ExternalShutdownException

    def spin_once(self, timeout_sec=None):
        """Run one callback, the first that is ready within the time."""
        until = time.monotonic() + (float("inf") if timeout_sec is None else timeout_sec)
        while rclpy.ok():
            with rclpy.arrived:
                call = self._ready()
                if call is None:
                    left = min(until - time.monotonic(), 0.005)
                    if left <= 0:
                        return
                    rclpy.arrived.wait(left)
                    continue
            call()
            return

    def _ready(self):
        import rosidl

        for node in self._nodes:
            for subscription in node._subscriptions:
                if subscription.waiting:
                    data = subscription.waiting.popleft()
                    return lambda s=subscription, d=data: s.callback(rosidl.deserialize(d, s.kind))
            for timer in node._timers:
                if time.monotonic() >= timer.next:
                    timer.next = time.monotonic() + timer.period
                    return timer.callback
        return None
