"""The protocols under which the published figures of data sets were made."""

from __future__ import annotations

from vode.evaluation.depth import DepthProtocol

DEPTH = {
    "kitti-eigen": DepthProtocol(crop="garg"),
    "kitti-eigen-benchmark": DepthProtocol(cap=None, clip=(1e-3, 80.0)),
    "nyu": DepthProtocol(crop="nyu", cap=10.0),
}
"""of depth by the name of the data set, where it is not the usual one"""


def depth_protocol(dataset: str) -> DepthProtocol:
    """What counts of a data set's depth: all of the image, up to 80 m, unless its figures were published otherwise."""
    return DEPTH.get(dataset, DepthProtocol())
