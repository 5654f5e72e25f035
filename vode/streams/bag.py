"""Recordings of ROS 1 (.bag) and ROS 2 (a folder with metadata.yaml, .db3, .mcap), by rosbags, without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vode.cameras.fit import Calibration
from vode.errors import InputError, one_line
from vode.streams.bag_camera import INFO, bag_calibration, info_topic
from vode.streams.bag_images import COMPRESSED, IMAGE, to_rgb
from vode.streams.options import StreamOptions
from vode.streams.stream import Stream, StreamKind, check_same_size

SUFFIXES = (".bag", ".db3", ".mcap")
"""files of recordings"""
METADATA = "metadata.yaml"
"""in the folder of a recording of ROS 2"""


def is_bag(path: Path) -> bool:
    """Whether a path is named, or filled, as a recording is."""
    return path.suffix.lower() in SUFFIXES or (path / METADATA).is_file()


class BagStream(Stream):
    """The images of one topic of a bag, with the times of their headers, Unix seconds.

    Of several topics whose images are read, ``options.topic`` names one. The camera is that of the camera_info in the
    topic's namespace. Images that are not later than the one before are left out, and ``notes`` count them after an
    iteration. InputError names the bag, and what is wrong with it.
    """

    kind = StreamKind.BAG

    def __init__(self, path: Path, options: StreamOptions = StreamOptions()) -> None:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; check the path")
        self._path, self.notes = path, []
        with self._opened() as reader:
            self.topic, first = self._chosen(reader, options.topic)
            self.length = reader.topics[self.topic].msgcount
            self.size, calibration = first.shape[:2], self._calibration(reader)
        self.name, self._where = f"{path.stem}{self.topic.replace('/', '_')}", f"{path} {self.topic}"
        if calibration is not None:
            self.camera, self.camera_origin = calibration.camera(self.size), str(calibration.where)
            self.notes += calibration.notes(self.size)

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        before, back = -np.inf, 0
        with self._opened() as reader:
            for time, message in _messages(reader, self.topic):
                if time <= before:
                    back += 1
                    continue
                image = to_rgb(message, self._where)
                check_same_size(self._where, image, self.size, "split the bag")
                before = time
                yield time, image
        note = f"{self._where}: {back} images are not later than the one before, and left out"
        if back and note not in self.notes:
            self.notes.append(note)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """rosbags' reader. What it raises becomes one line, as do errors of its database, compression and text."""
        try:
            from rosbags.highlevel import AnyReader
            from rosbags.typesys import Stores, get_typestore
        except ImportError:
            raise InputError(f"{self._path}: bags are read by rosbags; pip install 'vode[ros]'") from None
        try:
            with AnyReader([self._path], default_typestore=get_typestore(Stores.LATEST)) as reader:
                yield reader
        except (InputError, GeneratorExit):
            raise
        except Exception as error:
            raise InputError(f"{self._path}: damaged, or no bag ({one_line(error)}); record or copy it again") from None

    def _chosen(self, reader: Any, asked: str | None) -> tuple[str, np.ndarray]:
        """The topic that is read, and its first image."""
        with_images = {n: t.msgcount for n, t in sorted(reader.topics.items()) if t.msgtype in (IMAGE, COMPRESSED)}
        if asked is not None and asked not in with_images:
            there = f"those with images are {', '.join(with_images)}" if with_images else "none has images"
            raise InputError(f"{self._path}: no images in a topic {asked}; {there}", "topic")
        topics = [n for n, count in with_images.items() if count] if asked is None else [asked]
        if not topics:
            others = ", ".join(sorted({str(t.msgtype) for t in reader.topics.values()})[:3])
            raise InputError(f"{self._path}: no images, but {others or 'nothing'}, in it; record a topic of images")
        # of images that are there both ways the raw ones are read
        doubled = {f"{topic}/compressed" for topic in topics}
        topics = [topic for topic in topics if topic not in doubled]
        found, errors = {}, []
        for topic in topics:
            try:
                found[topic] = self._first_image(reader, topic)
            except InputError as error:
                errors.append(error)
        if not found:
            raise errors[0]
        if len(found) > 1:
            raise InputError(f"{self._path}: images in {len(found)} topics, {', '.join(found)}; choose one", "topic")
        self.notes += [f"not read: {error}" for error in errors]
        return next(iter(found.items()))

    def _first_image(self, reader: Any, topic: str) -> np.ndarray:
        for _, message in _messages(reader, topic):
            return to_rgb(message, f"{self._path} {topic}")
        raise InputError(f"{self._path}: no images in the topic {topic}; choose another", "topic")

    def _calibration(self, reader: Any) -> Calibration | None:
        """That of the first camera_info in the namespace of the images; None, and a note, if there is none."""
        topic = info_topic(self.topic)
        info = reader.topics.get(topic)
        if info is None or info.msgtype != INFO or not info.msgcount:
            self.notes.append(f"{self._path}: no {topic}, so nothing in it tells the camera")
            return None
        _, message = next(_messages(reader, topic))
        calibration = bag_calibration(message, f"{self._path} {topic}", rectified="rect" in self.topic)
        if calibration is None:
            self.notes.append(f"{self._path}: the camera of {topic} is not calibrated")
        return calibration


def _messages(reader: Any, topic: str) -> Iterator[tuple[float, Any]]:
    """Seconds and messages of a topic, by the clock of their headers, or of the recorder where these have none."""
    connections = [connection for connection in reader.connections if connection.topic == topic]
    for connection, recorded, data in reader.messages(connections=connections):
        message = reader.deserialize(data, connection.msgtype)
        stamp = message.header.stamp
        nanoseconds = int(stamp.sec) * 10**9 + int(stamp.nanosec)
        yield (nanoseconds or recorded) * 1e-9, message
