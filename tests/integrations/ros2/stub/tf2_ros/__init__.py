"""A stand-in for tf2_ros: transforms on /tf and /tf_static, and direct look-ups among them."""

from geometry_msgs.msg import TransformStamped
from rclpy.qos import QoSProfile
from tf2_msgs.msg import TFMessage


class TransformException(Exception):
    """A transform is not to be had."""


class LookupException(TransformException):
    """A frame is not known."""


class Buffer:
    """The transforms that were heard."""

    def __init__(self):
        self._transforms = {}

    def set_transform(self, transform, authority):
        self._transforms[transform.header.frame_id, transform.child_frame_id] = transform

    def lookup_transform(self, target_frame, source_frame, time):
        if (target_frame, source_frame) not in self._transforms:
            raise LookupException(f'"{target_frame}" passed to lookupTransform argument target_frame does not exist.')
        return self._transforms[target_frame, source_frame]


class TransformListener:
    """Fills a buffer."""

    def __init__(self, buffer, node):
        def callback(message):
            for transform in message.transforms:
                buffer.set_transform(transform, "default_authority")

        node.create_subscription(TFMessage, "/tf", callback, QoSProfile(depth=100))
        node.create_subscription(TFMessage, "/tf_static", callback, QoSProfile(depth=100))


class TransformBroadcaster:
    """Publishes on /tf."""

    def __init__(self, node):
        self._publisher = node.create_publisher(TFMessage, "/tf", QoSProfile(depth=100))

    def sendTransform(self, transform):
        transforms = transform if isinstance(transform, list) else [transform]
        assert all(isinstance(x, TransformStamped) for x in transforms)
        self._publisher.publish(TFMessage(transforms=transforms))
