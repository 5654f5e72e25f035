"""The node: subscriptions leave the newest image, and a thread tracks it and publishes, so that no callback waits."""

from __future__ import annotations

import time
import traceback
from dataclasses import fields

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.executors import ExternalShutdownException
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from tf2_ros import Buffer, TransformBroadcaster, TransformException, TransformListener

import vode
from vode.errors import InputError
from vode.streams.bag_images import to_rgb
from vode_ros.cameras import Cameras
from vode_ros.diagnosis import Counts, Diagnosis, Once, diagnosis, refusal, silence
from vode_ros.frames import CAMERA_ALONE, mounted
from vode_ros.messages import (
    depth_message,
    diagnostics_message,
    info_message,
    matrix_of,
    odometry_message,
    seconds_of,
    transform_message,
)
from vode_ros.newest import Newest
from vode_ros.odometer import Estimate, Odometer
from vode_ros.options import Options

NAME = "vode_odometry"
QUIET = 2.0
"""seconds without an image after which it is said"""
SUMMARY = 30.0
"""seconds between lines about how many images were tracked"""

Picture = Image | CompressedImage


class OdometryNode(Node):
    """Images and camera_info in; odometry, tf, depth and diagnostics out."""

    def __init__(self, **node_options: object) -> None:
        super().__init__(NAME, **node_options)
        self.options = Options(**{field.name: self._parameter(field.name, field.default) for field in fields(Options)})
        self._model = vode.load(self.options.model, device=self.options.device)
        self._odometer: Odometer | None = None
        self._camera_frame = ""
        self._info: CameraInfo | None = None
        self._counts, self._once, self._last_image = Counts(), Once(), time.monotonic()
        self._publish()
        self._worker: Newest[Picture] = Newest(self._work)
        self._subscribe()
        self.create_timer(QUIET, self._watch)
        self.create_timer(SUMMARY, self._sum_up)

    def destroy_node(self) -> None:
        """End the thread, then the node."""
        self._worker.close()
        super().destroy_node()

    def _parameter(self, name: str, default: object) -> object:
        return self.declare_parameter(name, default, ParameterDescriptor(read_only=True)).value

    def _publish(self) -> None:
        self._odometry = self.create_publisher(Odometry, "odometry", 10)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._depth = self.create_publisher(Image, "depth/image", qos_profile_sensor_data)
        self._depth_info = self.create_publisher(CameraInfo, "depth/camera_info", qos_profile_sensor_data)
        self._broadcaster, self._buffer = TransformBroadcaster(self), Buffer()
        self._listener = TransformListener(self._buffer, self)

    def _subscribe(self) -> None:
        compressed = self.options.image_transport == "compressed"
        # as image_transport does: the name of the images decides, whatever it is remapped to
        topic = self.resolve_topic_name("image") + "/compressed" * compressed
        kind, quality = CompressedImage if compressed else Image, qos_profile_sensor_data
        info = self.create_subscription(CameraInfo, "camera_info", self._on_info, quality)
        images = self.create_subscription(kind, topic, self._on_image, quality)
        self._topic = images.topic_name
        self._cameras = Cameras(info.topic_name, rectified=self.options.rectified)

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message

    def _on_image(self, message: Picture) -> None:
        self._last_image = time.monotonic()
        self._worker.put(message)

    def _work(self, message: Picture) -> None:
        """Track an image and publish what it tells; whatever happens, the next one has its turn."""
        self._counts = self._counts._replace(dropped=self._worker.dropped)
        try:
            self._answer(message)
        except Exception:
            # ROS may have been shut down meanwhile, and then there is nobody to tell
            if rclpy.ok():
                # a fault of the program: the whole trace is of use, and the tracker may be left half done
                self.get_logger().error(f"a new tracker begins after an error: {traceback.format_exc()}")
                if self._odometer is not None:
                    self._odometer.restart()
                self._refuse("an error, see the log", message.header)

    def _answer(self, message: Picture) -> None:
        started = time.monotonic()
        try:
            estimate = self._track(message)
        except InputError as error:
            self._refuse(str(error), message.header)
            return
        self._counts = self._counts._replace(tracked=self._counts.tracked + 1)
        self._once.new("")
        self._send(estimate, message.header)
        self._diagnose(diagnosis(estimate.result, time.monotonic() - started, self._counts), message.header)

    def _track(self, message: Picture) -> Estimate:
        image = to_rgb(message, self._topic)
        camera, seconds = self._cameras.of(self._info, image.shape[:2]), seconds_of(message.header)
        odometer = self._odometer_of(message.header.frame_id)
        reason = odometer.restarts(camera, seconds)
        if reason:
            self.get_logger().warning(f"{reason}: a new tracker begins, and the pose goes on from where it was")
        return odometer.track(image, seconds, camera)

    def _odometer_of(self, camera_frame: str) -> Odometer:
        if self._odometer is None:
            if not camera_frame:
                raise InputError(f"{self._topic}: images without a frame_id; set that of the camera's driver")
            mounting, base = CAMERA_ALONE, self.options.base_frame
            if base:
                mounting = mounted(self._looked_up(base, camera_frame))
            self._odometer = Odometer(self._model, mounting, loops=bool(self.options.map_frame))
            self._camera_frame = camera_frame
        elif camera_frame != self._camera_frame:
            raise InputError(f"{self._topic}: images of {camera_frame}, and before of {self._camera_frame}; remap one")
        return self._odometer

    def _looked_up(self, base: str, camera_frame: str) -> np.ndarray:
        try:
            return matrix_of(self._buffer.lookup_transform(base, camera_frame, Time()))
        except TransformException as error:
            remedy = "publish it, as robot_state_publisher or static_transform_publisher do, or leave base_frame empty"
            raise InputError(f"no transform from {camera_frame} to {base} ({error}); {remedy}") from None

    def _send(self, estimate: Estimate, header: Header) -> None:
        options = self.options
        child = options.base_frame or self._camera_frame
        odom = Header(stamp=header.stamp, frame_id=options.odom_frame)
        self._odometry.publish(odometry_message(estimate, odom, child))
        transforms = []
        if options.publish_tf:
            transforms.append(transform_message(estimate.T_odom_child, odom, child))
        if options.map_frame:
            in_map = Header(stamp=header.stamp, frame_id=options.map_frame)
            transforms.append(transform_message(estimate.T_map_odom, in_map, options.odom_frame))
        if transforms:
            self._broadcaster.sendTransform(transforms)
        if options.publish_depth and estimate.depth is not None:
            self._depth.publish(depth_message(estimate.depth, header))
            self._depth_info.publish(info_message(estimate.depth, header))

    def _refuse(self, reason: str, header: Header) -> None:
        self._counts = self._counts._replace(refused=self._counts.refused + 1)
        if self._once.new(reason):
            self.get_logger().warning(f"image not used: {reason}")
        self._diagnose(refusal(reason, self._counts), header)

    def _diagnose(self, found: Diagnosis, header: Header) -> None:
        self._diagnostics.publish(diagnostics_message(found, Header(stamp=header.stamp)))

    def _watch(self) -> None:
        if time.monotonic() - self._last_image > QUIET:
            found = silence(self._topic, self._counts)
            self.get_logger().warning(found.message, throttle_duration_sec=SUMMARY)
            self._diagnose(found, Header(stamp=self.get_clock().now().to_msg()))

    def _sum_up(self) -> None:
        tracked, refused, dropped = self._counts._replace(dropped=self._worker.dropped)
        self.get_logger().info(f"{tracked} images tracked, {dropped} replaced by newer ones, {refused} not used")


def main(args: list[str] | None = None) -> int:
    """Run the node until it is stopped; 2 if it cannot begin."""
    rclpy.init(args=args)
    try:
        node = OdometryNode()
    except InputError as error:
        get_logger(NAME).fatal(str(error))
        rclpy.try_shutdown()
        return 2
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0
