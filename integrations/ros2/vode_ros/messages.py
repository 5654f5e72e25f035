"""What the node publishes, as messages."""

from __future__ import annotations

from array import array

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import Point, Quaternion, Transform, TransformStamped, Vector3
from nav_msgs.msg import Odometry
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from vode_ros.diagnosis import Diagnosis
from vode_ros.odometer import Depth, Estimate

NAME = "vode_odometry: tracking"
"""of the status in diagnostics"""


def seconds_of(header: Header) -> float:
    """The time of a message."""
    return header.stamp.sec + 1e-9 * header.stamp.nanosec


def odometry_message(estimate: Estimate, header: Header, child_frame: str) -> Odometry:
    """Pose in ``header``'s frame, twist in the child's."""
    message = Odometry(header=header, child_frame_id=child_frame)
    message.pose.pose.position = Point(**_xyz(estimate.T_odom_child[:3, 3]))
    message.pose.pose.orientation = _quaternion(estimate.T_odom_child)
    message.pose.covariance = estimate.covariance.ravel()
    message.twist.twist.linear = Vector3(**_xyz(estimate.twist[:3]))
    message.twist.twist.angular = Vector3(**_xyz(estimate.twist[3:]))
    message.twist.covariance = estimate.twist_covariance.ravel()
    return message


def transform_message(T_frame_child: np.ndarray, header: Header, child_frame: str) -> TransformStamped:
    """A pose (4, 4) of the child frame in ``header``'s, for tf."""
    transform = Transform(translation=Vector3(**_xyz(T_frame_child[:3, 3])), rotation=_quaternion(T_frame_child))
    return TransformStamped(header=header, child_frame_id=child_frame, transform=transform)


def matrix_of(message: TransformStamped) -> np.ndarray:
    """(4, 4) of a transform: from the axes of its child frame to those of its header's."""
    rotation, translation = message.transform.rotation, message.transform.translation
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_quat([rotation.x, rotation.y, rotation.z, rotation.w]).as_matrix()
    matrix[:3, 3] = translation.x, translation.y, translation.z
    return matrix


def depth_message(depth: Depth, header: Header) -> Image:
    """32FC1 in metres, NaN where unknown (REP-118)."""
    height, width = depth.values.shape
    # assigned as array("B"): other sequences are checked value by value
    data = array("B", depth.values.astype("<f4").tobytes())
    return Image(header=header, height=height, width=width, encoding="32FC1", step=4 * width, data=data)


def info_message(depth: Depth, header: Header) -> CameraInfo:
    """The pinhole camera of a depth image."""
    height, width = depth.values.shape
    projection = np.concatenate([depth.intrinsics, np.zeros((3, 1))], 1)
    return CameraInfo(
        header=header,
        height=height,
        width=width,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=depth.intrinsics.ravel(),
        r=np.eye(3).ravel(),
        p=projection.ravel(),
    )


def diagnostics_message(diagnosis: Diagnosis, header: Header) -> DiagnosticArray:
    """A diagnosis as a status."""
    values = [KeyValue(key=key, value=value) for key, value in diagnosis.values.items()]
    level = bytes([diagnosis.level])
    status = DiagnosticStatus(level=level, name=NAME, message=diagnosis.message, hardware_id="", values=values)
    return DiagnosticArray(header=header, status=[status])


def _xyz(vector: np.ndarray) -> dict[str, float]:
    return dict(zip("xyz", map(float, vector), strict=True))


def _quaternion(matrix: np.ndarray) -> Quaternion:
    x, y, z, w = map(float, Rotation.from_matrix(matrix[:3, :3]).as_quat(canonical=True))
    return Quaternion(x=x, y=y, z=z, w=w)
