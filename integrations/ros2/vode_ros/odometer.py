"""Images of a robot's camera to poses, velocities and depth in ROS's axes, with their covariances. It needs no ROS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.geometry.camera import resize_intrinsics
from vode.geometry.pose import se3_log
from vode.model import Model
from vode.odometry.loop_closure.keyframes import median_depth
from vode.odometry.perception import with_depth
from vode.odometry.result import FrameResult, Method
from vode.odometry.sources.kept_depth import KeptDepth
from vode.odometry.visual_odometry import VisualOdometry
from vode_ros.frames import Mounting, adjoint, inverse, rigid
from vode_ros.uncertainty import UNKNOWN, MotionNoise, PoseCovariance, independent

RESTARTED = 1.0
"""seconds by which time steps back where a recording begins again; images less late are in the wrong order"""
UNTOLD = (Method.START, Method.EXTRAPOLATED)
"""methods of images whose motion nothing tells"""


class Depth(NamedTuple):
    """Depth of an undistorted image."""

    values: np.ndarray
    """(h, w) float32 metres, NaN where it is unknown"""
    intrinsics: np.ndarray
    """(3, 3) of these pixels"""


@dataclass(frozen=True, eq=False)
class Estimate:
    """What one image tells."""

    result: FrameResult
    T_odom_child: np.ndarray
    """(4, 4) pose of the child frame"""
    covariance: np.ndarray
    """(6, 6) of the pose, in the axes of odom"""
    twist: np.ndarray
    """(6,) m/s, then rad/s, in the axes of the child frame, since the image that this one was compared with"""
    twist_covariance: np.ndarray
    """(6, 6), ``UNKNOWN`` on its diagonal where nothing tells the motion"""
    T_map_odom: np.ndarray
    """(4, 4) that takes the pose to where the past, as corrected by now, puts it"""
    depth: Depth | None
    """None if the image shows nothing"""


class _Reached(NamedTuple):
    """Where the camera was at one image."""

    frame: int
    seconds: float
    T_odom_camera: np.ndarray
    covariance: PoseCovariance


class Odometer:
    """Tracks images and carries the pose on, whatever happens to the tracker.

    REP-105 wants odom without jumps. So the pose is the product of motions, each from the last image that showed
    something, as it is known when its own image comes; what corrects earlier motions is in ``T_map_odom``. With another
    camera, or when time steps back, a new tracker begins and the pose goes on from where it was.
    """

    def __init__(self, model: Model, mounting: Mounting, *, loops: bool = False) -> None:
        if not model.metric:
            raise InputError(f"{model.source}: depth up to scale, and ROS's is in metres; give a model of metric depth")
        self._model, self._mounting, self._perception = model, mounting, model.perception()
        self._options = replace(model.tracker, loops=loops)
        self._camera: Camera | None = None
        self._tracker: VisualOdometry | None = None
        self._kept = KeptDepth(self._perception)
        self._T_map_camera = self._T_map_first = mounting.T_odom_start
        self._noise, self._distance = MotionNoise(), 1.0
        self._reference = self._newest = _Reached(0, -np.inf, mounting.T_odom_start, PoseCovariance())

    def restarts(self, camera: Camera, seconds: float) -> str:
        """Why a new tracker begins with an image of this camera and time; empty if none does."""
        if self._camera is not None and camera != self._camera:
            return "the camera has changed"
        back = self._newest.seconds - seconds
        return f"time has stepped back by {back:.1f} s" if back > RESTARTED else ""

    def restart(self) -> None:
        """Let a new tracker begin with the next image."""
        self._tracker = None

    def track(self, image: np.ndarray, seconds: float, camera: Camera) -> Estimate:
        """An image, RGB (H, W, 3) uint8. InputError if it is not later than the one before, or none of the camera's."""
        if self._tracker is None or self.restarts(camera, seconds):
            self._tracker = self._begin(camera)
        elif seconds <= self._newest.seconds:
            raise InputError("an image that is not later than the one before; check the stamps of the camera's driver")
        result = self._tracker.register_frame(image, seconds)
        depth = self._kept.of(result)
        self._distance = self._distance if depth is None else median_depth(depth)
        twist, twist_covariance = self._go_on(self._tracker, result, seconds)
        _, _, T_odom_camera, covariance = self._newest
        T_odom_child = T_odom_camera @ inverse(self._mounting.T_child_camera)
        return Estimate(
            result,
            T_odom_child,
            covariance.at(T_odom_child[:3, 3] - T_odom_camera[:3, 3]),
            twist,
            twist_covariance,
            self._T_map_camera @ inverse(T_odom_camera),
            None if depth is None else _depth(depth, camera),
        )

    def _begin(self, camera: Camera) -> VisualOdometry:
        """A new tracker, whose first image is where the last one of the old one was, as far as anyone knows."""
        covariance = self._newest.covariance
        if self._camera is not None:
            covariance = covariance.after(np.zeros(3), self._noise.untold(self._distance), 0.0)
        self._camera, self._T_map_first, self._kept = camera, self._T_map_camera, KeptDepth(self._perception)
        self._newest = self._reference = _Reached(0, -np.inf, self._newest.T_odom_camera, covariance)
        source, size = with_depth(self._perception, self._kept), self._model.tracking_size(camera.size)
        return VisualOdometry(source, camera, self._options, size=size, name="odometry")

    def _go_on(self, tracker: VisualOdometry, result: FrameResult, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """Take the motion of an image; the twist (6,) of the child frame, and its covariance (6, 6)."""
        if result.details.reference == self._newest.frame:
            self._reference = self._newest
        before, after = self._reference, rigid(np.asarray(tracker.pose(-1)))
        self._T_map_camera = self._T_map_first @ after
        if result.method is Method.START:
            self._newest = before._replace(frame=result.index, seconds=seconds)
            return np.zeros(6), UNKNOWN * np.eye(6)
        motion = inverse(rigid(np.asarray(tracker.pose(before.frame)))) @ after
        deviations = self._noise.add(motion, self._distance, result.method, result.scale_deviation)
        moved, length = before.T_odom_camera[:3, :3] @ motion[:3, 3], self._noise.length
        covariance = before.covariance.after(moved, deviations, length)
        self._newest = _Reached(result.index, seconds, rigid(before.T_odom_camera @ motion), covariance)
        carried, elapsed = adjoint(self._mounting.T_child_camera), seconds - before.seconds
        twist = se3_log(torch.from_numpy(motion)).numpy() / elapsed
        if result.method in UNTOLD:
            return carried @ twist, UNKNOWN * np.eye(6)
        along = np.concatenate([length * twist[:3], np.zeros(3)])
        noise = independent(deviations) / elapsed**2 + np.outer(along, along)
        return carried @ twist, carried @ noise @ carried.T


def _depth(depth: torch.Tensor, camera: Camera) -> Depth:
    values = depth[0, 0].float().cpu().numpy()
    intrinsics = resize_intrinsics(camera.intrinsics.double(), camera.size, values.shape).numpy()
    return Depth(np.where(values > 0, values, np.float32(np.nan)), intrinsics)
