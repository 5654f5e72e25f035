"""A stand-in for rclpy, without middleware: what a node may do, and what it gets, as the real one has it.

Messages are serialized and deserialized on their way, subscriptions keep as many as their QoS says, and callbacks run
in the thread that spins. Names are those of rclpy; what is not here is not used by the node.
"""

from __future__ import annotations

import threading
from collections import deque

arrived = threading.Condition()
"""notified when a message arrives, or at shutdown"""
subscriptions: list = []
arguments: list[str] = []
_state = {"ok": False}


def init(*, args=None):
    """Begin; arguments are for all nodes."""
    if _state["ok"]:
        raise RuntimeError("Context.init() must only be called once")
    _state["ok"], arguments[:] = True, list(args or [])
    subscriptions.clear()


def ok():
    """Whether it has begun and not ended."""
    return _state["ok"]


def shutdown():
    """End, once."""
    if not _state["ok"]:
        raise RuntimeError("Context must be initialized before it can be shutdown")
    try_shutdown()


def try_shutdown():
    """End, if it has begun."""
    with arrived:
        _state["ok"] = False
        arrived.notify_all()


def spin(node):
    """Run a node's callbacks until shutdown."""
    from rclpy.executors import SingleThreadedExecutor

    executor = SingleThreadedExecutor()
    executor.add_node(node)
    executor.spin()


class Subscription:
    """Messages of a topic that wait for their callback."""

    def __init__(self, kind, topic_name, callback, qos):
        self.kind, self.topic_name, self.callback, self.qos = kind, topic_name, callback, qos
        self.waiting = deque(maxlen=qos.depth)


class Publisher:
    """Brings messages to the subscriptions of its topic whose QoS fits."""

    def __init__(self, kind, topic_name, qos):
        self.kind, self.topic_name, self.qos = kind, topic_name, qos

    def publish(self, message):
        """Serialize a message, and leave a copy with each subscription."""
        import rosidl

        if not ok():
            raise RuntimeError("failed to publish: context is invalid")
        if not isinstance(message, self.kind):
            raise TypeError(f"Expected {self.kind}, got {type(message)}")
        data = rosidl.serialize(message)
        with arrived:
            for subscription in subscriptions:
                if subscription.topic_name == self.topic_name and self.qos.offers(subscription.qos):
                    assert subscription.kind is self.kind, f"{self.topic_name}: two types of messages"
                    subscription.waiting.append(data)
            arrived.notify_all()
