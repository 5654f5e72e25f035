"""Flow and depth by onnxruntime, in the place of torch's."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vode.geometry import warp
from vode.geometry.resize import image_size, resize_images
from vode.model import Model
from vode.networks.edges import magnify_depth
from vode.odometry.frames import Frame
from vode.odometry.perception import Perception, as_tracked
from vode.pipelines.export.graphs import graph_of, traced
from vode.pipelines.export.onnx_file import Session, onnx_bytes


class OnnxNetworks(Perception):
    """Flow and depth of a model's networks, exported for images of one ``size`` (height, width), on the CPU."""

    def __init__(self, model: Model, size: tuple[int, int]) -> None:
        self.device = torch.device("cpu")
        self._size, self._options = size, model.depth.options
        graphs = graph_of(model.flow), graph_of(model.depth)
        sessions = [
            Session(onnx_bytes(traced(graph, size), graph), threads=torch.get_num_threads()) for graph in graphs
        ]
        self._flow: Callable[..., tuple[Tensor, ...]] = sessions[0]
        self._depth: Callable[..., tuple[Tensor, ...]] = sessions[1]

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        full = image_size(a.image)
        flow_ab, flow_ba = self._flow(self._seen(a), self._seen(b))
        return warp.resize_flow(flow_ab, full), warp.resize_flow(flow_ba, full)

    def depth(self, frame: Frame) -> Tensor:
        image, full, canonical = self._seen(frame), image_size(frame.image), self._options.canonical_focal
        focal = torch.tensor([canonical])
        if frame.intrinsics is not None:
            focal = frame.intrinsics[:, 1, 1] * image.shape[-2] / full[0]
        (depth,) = self._depth(image, focal) if canonical else self._depth(image)
        return magnify_depth(depth, full, self._options.edge_ratio)

    def _seen(self, frame: Frame) -> Tensor:
        return resize_images(frame.image, self._size)


def onnx_perception(model: Model, size: tuple[int, int]) -> Perception:
    """What a model sees by onnxruntime in images of ``size`` (height, width), as its tracker's options say."""
    return as_tracked(OnnxNetworks(model, model.size_for(size)), model.tracker)
