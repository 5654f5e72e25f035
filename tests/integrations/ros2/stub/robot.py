"""The node beside another one that is its camera and hears all that it says; and messages and bags for it."""

from __future__ import annotations

import time
from array import array

import numpy as np
import rclpy
import rosidl
from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
from rcl_interfaces.msg import Log
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage
from vode_ros.node import OdometryNode

WAIT = 20.0
"""most seconds that a test waits for a message"""
OUTPUTS = {
    "/odometry": Odometry,
    "/depth/image": Image,
    "/depth/camera_info": CameraInfo,
    "/diagnostics": DiagnosticArray,
    "/tf": TFMessage,
    "/rosout": Log,
}


class Robot:
    """The node beside one that is its camera and hears all that it says."""

    def __init__(self, kind=Image, **parameters):
        rclpy.init()
        self.node = OdometryNode(parameter_overrides=[Parameter(n, value=v) for n, v in parameters.items()])
        self.heard = {topic: [] for topic in OUTPUTS}
        self.other = Node("camera")
        for topic, message in OUTPUTS.items():
            self.other.create_subscription(message, topic, self.heard[topic].append, qos_profile_sensor_data)
        name = "/image" if kind is Image else "/image/compressed"
        self.images = self.other.create_publisher(kind, name, qos_profile_sensor_data)
        self.info = self.other.create_publisher(CameraInfo, "/camera_info", qos_profile_sensor_data)
        self.static = self.other.create_publisher(TFMessage, "/tf_static", 1)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.executor.add_node(self.other)

    def show(self, image, info=None):
        """Publish an image, and spin until its diagnosis is there: (status, the last line of the log)."""
        count = len(self.heard["/diagnostics"])
        if info is not None:
            self.info.publish(info)
        self.images.publish(image)
        self.spin(lambda: len(self.heard["/diagnostics"]) > count)
        logged = self.heard["/rosout"]
        return self.heard["/diagnostics"][-1].status[0], logged[-1].msg if logged else ""

    def spin(self, done):
        """Run callbacks until something is so, and then those that wait."""
        until = time.monotonic() + WAIT
        while not done():
            assert time.monotonic() < until, [x.msg for x in self.heard["/rosout"]]
            self.executor.spin_once(timeout_sec=0.01)
        for _ in range(10):
            self.executor.spin_once(timeout_sec=0.0)

    def close(self):
        self.node.destroy_node()
        self.other.destroy_node()
        rclpy.try_shutdown()


def header(seconds, frame="camera_optical"):
    nanoseconds = round(seconds * 1e9)
    stamp = rosidl.CLASSES["builtin_interfaces/msg/Time"](sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)
    return Header(stamp=stamp, frame_id=frame)


def image_message(image, seconds, **fields):
    height, width, channels = image.shape
    values = {"encoding": "rgb8", "step": width * channels, "data": array("B", image.tobytes())} | fields
    return Image(header=header(seconds), height=height, width=width, **values)


def info_message(camera, **fields):
    height, width = camera.size
    values = {"k": camera.matrix.ravel(), "distortion_model": "plumb_bob", "d": [0.0] * 5} | fields
    return CameraInfo(header=header(0.0), height=height, width=width, **values)


def pose_of(message):
    pose, matrix = message.pose.pose, np.eye(4)
    q = pose.orientation
    matrix[:3, :3] = Rotation.from_quat([q.x, q.y, q.z, q.w]).as_matrix()
    matrix[:3, 3] = pose.position.x, pose.position.y, pose.position.z
    return matrix


def bag_of(path, messages):
    """A bag of (topic, message) in order, by rosbags."""
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = {}
        for k, (topic, message) in enumerate(messages):
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, message.typename, typestore=rosidl.STORE)
            writer.write(connections[topic], k, rosidl.serialize(message))
    return path


def played(path):
    """Messages of a bag, with their topics."""
    with Reader(path) as reader:
        for connection, _, data in reader.messages():
            yield connection.topic, rosidl.deserialize(data, rosidl.CLASSES[connection.msgtype])
