"""Nodes: parameters, publishers, subscriptions, timers."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import yaml

import rclpy
from rclpy.logging import Logger
from rclpy.parameter import (
    InvalidParameterTypeException,
    Parameter,
    ParameterAlreadyDeclaredException,
    ParameterNotDeclaredException,
)
from rclpy.qos import QoSProfile
from rclpy.time import Clock


class Timer:
    """A callback that is due again and again."""

    def __init__(self, period, callback):
        self.period, self.callback = period, callback
        self.next = time.monotonic() + period


class Node:
    """A node. Its arguments are ``--ros-args`` with -r NAME:=NAME, -p NAME:=VALUE and --params-file FILE."""

    def __init__(self, node_name, *, cli_args=None, parameter_overrides=()):
        if not rclpy.ok():
            raise RuntimeError("rclpy.init() has not been called")
        self._name, self._parameters, self._remaps, self._overrides = node_name, {}, {}, {}
        self._subscriptions, self._timers, self._destroyed = [], [], False
        self._read([*rclpy.arguments, *(cli_args or ())])
        self._overrides |= {parameter.name: parameter.value for parameter in parameter_overrides}
        from rcl_interfaces.msg import Log

        self._logger = Logger(node_name, self.create_publisher(Log, "/rosout", 10))

    def _read(self, arguments):
        for flag, value in pairwise(arguments):
            if flag == "-r":
                name, _, target = value.partition(":=")
                self._remaps[self._expanded(name)] = self._expanded(target)
            elif flag == "-p":
                name, _, text = value.partition(":=")
                self._overrides[name] = yaml.safe_load(text)
            elif flag == "--params-file":
                self._overrides |= yaml.safe_load(Path(value).read_text())[self._name]["ros__parameters"]

    def _expanded(self, topic):
        return topic if topic.startswith("/") else f"/{topic}"

    def resolve_topic_name(self, topic, *, only_expand=False):
        name = self._expanded(topic)
        return name if only_expand else self._remaps.get(name, name)

    def declare_parameter(self, name, value=None, descriptor=None, ignore_override=False):
        if name in self._parameters:
            raise ParameterAlreadyDeclaredException(name)
        given = value if ignore_override else self._overrides.get(name, value)
        if type(given) is not type(value):
            raise InvalidParameterTypeException(f"{name}: {given!r}, expected {type(value).__name__}")
        self._parameters[name] = Parameter(name, type(value), given)
        return self._parameters[name]

    def get_parameter(self, name):
        if name not in self._parameters:
            raise ParameterNotDeclaredException(name)
        return self._parameters[name]

    def create_publisher(self, msg_type, topic, qos_profile):
        return rclpy.Publisher(msg_type, self.resolve_topic_name(topic), _profile(qos_profile))

    def create_subscription(self, msg_type, topic, callback, qos_profile, *, callback_group=None):
        subscription = rclpy.Subscription(msg_type, self.resolve_topic_name(topic), callback, _profile(qos_profile))
        self._subscriptions.append(subscription)
        with rclpy.arrived:
            rclpy.subscriptions.append(subscription)
        return subscription

    def create_timer(self, timer_period_sec, callback):
        self._timers.append(Timer(timer_period_sec, callback))
        return self._timers[-1]

    def get_clock(self):
        return Clock()

    def get_logger(self):
        return self._logger

    def destroy_node(self):
        self._destroyed = True
        with rclpy.arrived:
            rclpy.subscriptions[:] = [x for x in rclpy.subscriptions if x not in self._subscriptions]
        self._subscriptions.clear()
        self._timers.clear()


def _profile(qos):
    return QoSProfile(depth=qos) if isinstance(qos, int) else qos
