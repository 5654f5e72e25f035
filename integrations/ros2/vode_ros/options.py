"""The node's parameters."""

from __future__ import annotations

from dataclasses import dataclass

from vode.errors import InputError

TRANSPORTS = ("raw", "compressed")


@dataclass(frozen=True)
class Options:
    """Parameters of the node, under the same names."""

    model: str = "vode-small"
    """name of shipped weights, or the folder of a training run; its depth has to be metric"""
    device: str = "auto"
    """cpu, cuda, ...; auto takes the GPU if there is one"""
    image_transport: str = "raw"
    """raw: sensor_msgs/Image on the topic image; compressed: sensor_msgs/CompressedImage on image/compressed"""
    rectified: bool = False
    """whether images are rectified already, so that camera_info's projection matrix describes them"""
    odom_frame: str = "odom"
    """frame of the poses: where the child frame was at the first image, moving on without jumps"""
    base_frame: str = ""
    """child frame of the poses, such as base_link, where tf tells it from the camera; empty: the frame of the images"""
    map_frame: str = ""
    """if given, loops are closed, and what corrects the past is published as the transform map_frame -> odom_frame"""
    publish_tf: bool = True
    """whether odom_frame -> child frame goes to tf; false where a filter publishes it"""
    publish_depth: bool = True
    """whether the depth image and its camera_info are published"""

    def __post_init__(self) -> None:
        if self.image_transport not in TRANSPORTS:
            raise InputError(f"image_transport {self.image_transport!r}; it is one of {', '.join(TRANSPORTS)}")
        frames = [frame for frame in (self.odom_frame, self.base_frame, self.map_frame) if frame]
        if not self.odom_frame or len(set(frames)) < len(frames):
            raise InputError(f"frames {', '.join(frames)}; odom_frame needs a name, and all names differ")
