"""The node as ROS runs it: messages in from a bag or a camera, messages out, and what it says of bad ones."""

import threading
from array import array

import cv2
import numpy as np
import pytest
import rclpy
import rosidl
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import TransformStamped
from rclpy.parameter import InvalidParameterTypeException, Parameter
from robot import WAIT, Robot, bag_of, header, image_message, info_message, played, pose_of
from sensor_msgs.msg import CompressedImage, Image
from tf2_msgs.msg import TFMessage
from vode_ros import node as node_module
from vode_ros.node import OdometryNode, main

import vode
from vode.errors import InputError


@pytest.fixture
def robot(drive, monkeypatch):
    """What begins the node, with the exact depth of the rendered drive."""
    monkeypatch.setattr(vode, "load", lambda model, device: drive)
    # nothing is said in between that depends on how fast this computer is
    monkeypatch.setattr(node_module, "QUIET", 1000.0)
    robots = []

    def begin(kind=Image, **parameters):
        robots.append(Robot(kind, **parameters))
        return robots[-1]

    yield begin
    for each in robots:
        each.close()
    rclpy.try_shutdown()


def test_a_bag_becomes_odometry_tf_depth_and_diagnostics(robot, drive, tmp_path):
    sent = []
    for image, seconds in zip(drive.images[:4], drive.seconds[:4], strict=True):
        sent += [("/camera_info", info_message(drive.camera)), ("/image", image_message(image, seconds))]
    running = robot()
    for topic, message in played(bag_of(tmp_path / "bag", sent)):
        if topic == "/camera_info":
            running.info.publish(message)
        else:
            status, _ = running.show(message)
            assert status.level == DiagnosticStatus.OK
    heard = running.heard
    assert [len(heard[t]) for t in ("/odometry", "/depth/image", "/depth/camera_info", "/tf")] == [4] * 4
    outputs = zip(heard["/odometry"], heard["/depth/image"], heard["/depth/camera_info"], heard["/tf"], strict=True)
    for k, (odometry, depth, info, tf) in enumerate(outputs):
        stamps = [x.header.stamp.nanosec for x in (odometry, depth, info, tf.transforms[0])]
        assert stamps == [sent[2 * k + 1][1].header.stamp.nanosec] * 4
        assert (odometry.header.frame_id, odometry.child_frame_id) == ("odom", "camera_optical")
        assert (depth.header.frame_id, depth.encoding, depth.step) == ("camera_optical", "32FC1", 4 * depth.width)
        values = np.frombuffer(depth.data, np.float32).reshape(depth.height, depth.width)
        np.testing.assert_array_equal(np.nan_to_num(values), drive.depth(drive.images[k]))
        np.testing.assert_allclose(info.k, drive.camera.matrix.ravel(), rtol=1e-6)
    truth = np.linalg.norm(drive.poses[3, :3, 3] - drive.poses[0, :3, 3])
    last = pose_of(heard["/odometry"][-1])
    assert last[0, 3] == pytest.approx(truth, rel=0.05)
    moved = heard["/tf"][-1].transforms[0].transform.translation
    assert (moved.x, moved.y, moved.z) == pytest.approx(tuple(last[:3, 3]))
    covariance = np.reshape(heard["/odometry"][-1].pose.covariance, (6, 6))
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert heard["/odometry"][0].twist.covariance[0] == 1e6
    values = {x.key: x.value for x in heard["/diagnostics"][-1].status[0].values}
    assert (values["method"], values["frame"], values["tracked"], values["dropped"]) == ("essential", "3", "4", "0")
    assert float(values["scale_deviation"]) > 0


def test_compressed_images_are_tracked_on_their_own_topic(robot, drive):
    running = robot(CompressedImage, image_transport="compressed", publish_depth=False)
    data = cv2.imencode(".png", drive.images[0][..., ::-1])[1]
    message = CompressedImage(header=header(1.0), format="png", data=array("B", data.tobytes()))
    assert running.show(message, info_message(drive.camera))[0].message == "start"
    assert [len(running.heard[t]) for t in ("/odometry", "/depth/image")] == [1, 0]


def test_bad_messages_are_one_line_each_and_the_node_goes_on(robot, drive):
    running, good = robot(), info_message(drive.camera)
    seconds = iter(np.arange(1000.0, 1100.0, 0.1))

    def image(k=0, **fields):
        return image_message(drive.images[k], next(seconds), **fields)

    bad = [
        (image(), None, "no message on /camera_info yet"),
        (image(), info_message(drive.camera, k=np.zeros(9)), "not calibrated"),
        (image(encoding="16UC1"), good, "encoding '16UC1'"),
        (image(encoding="h265"), None, "encoding 'h265'"),
        (image(data=array("B", bytes(7))), None, "in 7 bytes; it is damaged"),
        (image(), info_message(drive.camera, distortion_model="magic", d=[0.1]), "'magic' is not read"),
    ]
    for message, info, expected in bad:
        status, line = running.show(message, info)
        assert status.level == DiagnosticStatus.ERROR
        assert expected in status.message
        assert expected in line
        assert "\n" not in line
    count = len(running.heard["/rosout"])
    assert running.show(image(), None)[0].level == DiagnosticStatus.ERROR
    assert len(running.heard["/rosout"]) == count
    for k in range(2):
        assert running.show(image(k), good)[0].level == DiagnosticStatus.OK
    values = {x.key: x.value for x in running.heard["/diagnostics"][-1].status[0].values}
    assert (values["tracked"], values["refused"]) == ("2", str(len(bad) + 1))


def test_another_camera_in_the_middle_is_said_and_tracked(robot, drive):
    running = robot()
    running.show(image_message(drive.images[0], drive.seconds[0]), info_message(drive.camera))
    running.show(image_message(drive.images[1], drive.seconds[1]))
    other = info_message(drive.camera, d=[0.01, 0.0, 0.0, 0.0, 0.0])
    status, line = running.show(image_message(drive.images[2], drive.seconds[2]), other)
    assert "the camera has changed: a new tracker begins" in line
    assert (status.level, status.message) == (DiagnosticStatus.OK, "start")
    before, after = (pose_of(x) for x in running.heard["/odometry"][-2:])
    np.testing.assert_allclose(after, before, atol=1e-9)


def test_a_base_waits_for_tf_and_corrections_go_to_the_map(robot, drive):
    running = robot(base_frame="base_link", map_frame="map")
    status, line = running.show(image_message(drive.images[0], drive.seconds[0]), info_message(drive.camera))
    assert status.level == DiagnosticStatus.ERROR
    assert "no transform from camera_optical to base_link" in line
    mounting = TransformStamped(header=header(0.0, "base_link"), child_frame_id="camera_optical")
    mounting.transform.translation.z = 1.5
    # x right, y down, z forward in x forward, y left, z up
    mounting.transform.rotation = rosidl.CLASSES["geometry_msgs/msg/Quaternion"](x=-0.5, y=0.5, z=-0.5, w=0.5)
    running.static.publish(TFMessage(transforms=[mounting]))
    for _ in range(5):
        running.executor.spin_once(timeout_sec=0.0)
    for k in range(2):
        status, _ = running.show(image_message(drive.images[k], drive.seconds[k] + 1))
        assert status.level == DiagnosticStatus.OK
    first, second = running.heard["/odometry"]
    assert first.child_frame_id == "base_link"
    np.testing.assert_allclose(pose_of(first), np.eye(4), atol=1e-9)
    step = np.linalg.inv(drive.poses[0]) @ drive.poses[1]
    assert second.pose.pose.position.x == pytest.approx(step[2, 3], rel=0.1)
    odom, correction = running.heard["/tf"][-1].transforms
    assert (odom.header.frame_id, odom.child_frame_id) == ("odom", "base_link")
    assert (correction.header.frame_id, correction.child_frame_id) == ("map", "odom")
    rear = image_message(drive.images[2], 2000.0)
    rear.header.frame_id = "rear"
    _, line = running.show(rear)
    assert "images of rear, and before of camera_optical" in line


def test_the_executor_does_not_wait_and_what_it_replaces_is_counted(robot, drive, monkeypatch):
    running = robot()
    begun, go_on = threading.Event(), threading.Event()
    track = running.node._track

    def slow(message):
        begun.set()
        assert go_on.wait(WAIT)
        return track(message)

    monkeypatch.setattr(running.node, "_track", slow)
    running.info.publish(info_message(drive.camera))
    for k in range(6):
        running.images.publish(image_message(drive.images[k], drive.seconds[k]))
        # the callbacks run while an image is being tracked
        running.spin(begun.is_set)
    go_on.set()
    running.spin(lambda: len(running.heard["/diagnostics"]) == 2)
    stamps = [x.header.stamp.nanosec for x in running.heard["/odometry"]]
    assert stamps == [header(drive.seconds[k]).stamp.nanosec for k in (0, 5)]
    values = {x.key: x.value for x in running.heard["/diagnostics"][-1].status[0].values}
    assert values["dropped"] == "4"
    running.node._sum_up()
    running.spin(lambda: running.heard["/rosout"])
    assert running.heard["/rosout"][-1].msg == "2 images tracked, 4 replaced by newer ones, 0 not used"


def test_a_fault_of_the_program_is_logged_and_a_new_tracker_begins(robot, drive, monkeypatch):
    running = robot()
    running.show(image_message(drive.images[0], drive.seconds[0]), info_message(drive.camera))
    monkeypatch.setattr(running.node._odometer._tracker, "register_frame", lambda *_: 1 / 0)
    status, _ = running.show(image_message(drive.images[1], drive.seconds[1]))
    assert status.level == DiagnosticStatus.ERROR
    assert "ZeroDivisionError" in " ".join(x.msg for x in running.heard["/rosout"])
    assert running.show(image_message(drive.images[2], drive.seconds[2]))[0].message == "start"


def test_ros_may_end_while_an_image_is_tracked(robot, drive, monkeypatch):
    running, begun, go_on, faults = robot(), threading.Event(), threading.Event(), []
    monkeypatch.setattr(threading, "excepthook", faults.append)
    track = running.node._track
    monkeypatch.setattr(running.node, "_track", lambda message: begun.set() or (go_on.wait(WAIT) and track(message)))
    running.info.publish(info_message(drive.camera))
    running.images.publish(image_message(drive.images[0], drive.seconds[0]))
    running.spin(begun.is_set)
    rclpy.try_shutdown()
    go_on.set()
    running.node.destroy_node()
    assert faults == []
    assert not running.node._worker._thread.is_alive()


def test_silence_is_said(robot, monkeypatch):
    monkeypatch.setattr(node_module, "QUIET", 0.02)
    running = robot()
    running.spin(lambda: running.heard["/diagnostics"])
    status = running.heard["/diagnostics"][-1].status[0]
    assert (status.level, status.message) == (
        DiagnosticStatus.STALE,
        "no image on /image; check its publisher and remapping",
    )


def test_topics_are_remapped_and_those_of_compressed_images_with_them(drive, monkeypatch):
    monkeypatch.setattr(vode, "load", lambda model, device: drive)
    rclpy.init(args=["--ros-args", "-r", "image:=/front/image_raw", "-r", "camera_info:=/front/camera_info"])
    for transport, topic in (("raw", "/front/image_raw"), ("compressed", "/front/image_raw/compressed")):
        node = OdometryNode(parameter_overrides=[Parameter("image_transport", value=transport)])
        assert (node._topic, node._cameras._topic) == (topic, "/front/camera_info")
        node.destroy_node()
    rclpy.try_shutdown()


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("model:=nothing", "nothing: no run; give one"),
        ("image_transport:=h264", "one of raw, compressed"),
        ("map_frame:=odom", "all names differ"),
    ],
)
def test_parameters_that_cannot_be_end_the_node_with_one_line(capsys, monkeypatch, argument, expected):
    def load(model, device):
        raise InputError(f"{model}: no run; give one")

    monkeypatch.setattr(vode, "load", load)
    assert main(["--ros-args", "-p", argument]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


def test_a_parameter_of_another_type_is_refused_by_ros(robot):
    with pytest.raises(InvalidParameterTypeException):
        robot(publish_tf="yes")


def test_the_node_runs_until_it_is_stopped(drive, monkeypatch):
    monkeypatch.setattr(vode, "load", lambda model, device: drive)
    threading.Timer(0.1, rclpy.try_shutdown).start()
    assert main([]) == 0
    assert not [t for t in threading.enumerate() if t.name == "vode-odometry"]
