"""Messages and bags of ROS 1 and 2."""

import numpy as np
import pytest
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_typestore

SIZE = (48, 64)
ROS1, ROS2 = get_typestore(Stores.ROS1_NOETIC), get_typestore(Stores.ROS2_HUMBLE)


class Messages:
    """Messages of images (48, 64) and their camera, and bags of them."""

    def __init__(self, store):
        self.store, self.types = store, store.types

    def header(self, seconds):
        whole = int(seconds)
        stamp = self.types["builtin_interfaces/msg/Time"](sec=whole, nanosec=round((seconds - whole) * 1e9))
        seq = {"seq": 0} if self.store is ROS1 else {}
        return self.types["std_msgs/msg/Header"](stamp=stamp, frame_id="camera", **seq)

    def image(self, data, encoding="rgb8", seconds=1.0, padding=0):
        height, width = data.shape[:2]
        rows = np.pad(data.reshape(height, -1), ((0, 0), (0, padding))).view(np.uint8)
        return self.types["sensor_msgs/msg/Image"](
            header=self.header(seconds),
            height=height,
            width=width,
            encoding=encoding,
            is_bigendian=0,
            step=rows.shape[1],
            data=rows.ravel(),
        )

    def compressed(self, data, form="jpeg", seconds=1.0):
        kind = self.types["sensor_msgs/msg/CompressedImage"]
        return kind(header=self.header(seconds), format=form, data=np.frombuffer(data, np.uint8))

    def camera_info(self, model, coefficients, focal=80.0, projection=70.0, size=SIZE, seconds=1.0):
        K = np.array([focal, 0, 31.0, 0, focal, 24.0, 0, 0, 1])
        P = np.array([projection, 0, 32.0, 0, 0, projection, 23.0, 0, 0, 0, 1, 0])
        named = {"D": np.array(coefficients, float), "K": K * bool(focal), "R": np.eye(3).ravel(), "P": P}
        if self.store is not ROS1:
            named = {name.lower(): value for name, value in named.items()}
        region = self.types["sensor_msgs/msg/RegionOfInterest"]
        return self.types["sensor_msgs/msg/CameraInfo"](
            header=self.header(seconds),
            height=size[0],
            width=size[1],
            distortion_model=model,
            binning_x=0,
            binning_y=0,
            roi=region(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
            **named,
        )

    def write(self, path, topics, storage=StoragePlugin.SQLITE3):
        """A bag of lists of messages by topic, each received at its header's time."""
        old = self.store is ROS1
        with Writer1(path) if old else Writer2(path, version=9, storage_plugin=storage) as writer:
            for topic, messages in topics.items():
                kind = messages[0].__msgtype__
                connection = writer.add_connection(topic, kind, typestore=self.store)
                for message in messages:
                    stamp = message.header.stamp
                    serialize = self.store.serialize_ros1 if old else self.store.serialize_cdr
                    writer.write(connection, stamp.sec * 10**9 + stamp.nanosec, bytes(serialize(message, kind)))
        return path


@pytest.fixture(scope="session")
def ros1():
    return Messages(ROS1)


@pytest.fixture(scope="session")
def ros2():
    return Messages(ROS2)
