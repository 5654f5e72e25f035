"""Small valid recordings of ROS 1 and 2."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_typestore


def bags(root: Path) -> None:
    """Recordings of ROS 1 and 2."""
    kinds = {
        "one": (Writer1, Stores.ROS1_NOETIC),
        "two": (Writer2, Stores.ROS2_HUMBLE),
        "mcap": (Writer2, Stores.ROS2_HUMBLE),
    }
    for name, (kind, store) in kinds.items():
        types, old = get_typestore(store), kind is Writer1
        (root / name).mkdir()
        options = (
            {}
            if old
            else {"version": 9, "storage_plugin": StoragePlugin.MCAP if name == "mcap" else StoragePlugin.SQLITE3}
        )
        with kind(root / name / ("walk.bag" if old else "walk"), **options) as writer:  # type: ignore[arg-type]
            messages, connections = list(_messages(types.types, old)), {}
            for topic, message in messages[:2]:
                connections[topic] = writer.add_connection(topic, message.__msgtype__, typestore=types)
            for topic, message in messages:
                serialize = types.serialize_ros1 if old else types.serialize_cdr
                data, nanoseconds = bytes(serialize(message, message.__msgtype__)), message.header.stamp.sec * 10**9
                writer.write(connections[topic], nanoseconds, data)


def _messages(types, old):  # type: ignore[no-untyped-def]
    """Two images and their camera, with their topics."""
    for k in range(2):
        stamp = types["builtin_interfaces/msg/Time"](sec=1 + k, nanosec=0)
        header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="camera", **({"seq": 0} if old else {}))
        matrices = {"D": np.zeros(5), "K": np.array([30, 0, 15.5, 0, 30, 11.5, 0, 0, 1]), "R": np.eye(3).ravel()}
        matrices["P"] = np.eye(4)[:3].ravel() * 30
        yield (
            "/camera/camera_info",
            types["sensor_msgs/msg/CameraInfo"](
                header=header,
                height=24,
                width=32,
                distortion_model="plumb_bob",
                binning_x=0,
                binning_y=0,
                roi=types["sensor_msgs/msg/RegionOfInterest"](
                    x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
                ),
                **{name if old else name.lower(): value for name, value in matrices.items()},
            ),
        )
        pixels = np.full(24 * 96, 40 * k, np.uint8)
        kind = types["sensor_msgs/msg/Image"]
        yield (
            "/camera/image_raw",
            kind(header=header, height=24, width=32, encoding="rgb8", is_bigendian=0, step=96, data=pixels),
        )
