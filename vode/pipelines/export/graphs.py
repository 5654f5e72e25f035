"""The networks as graphs: plain tensors in and out, preprocessing inside."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from vode.errors import InputError, one_line
from vode.networks.depth import DepthNet
from vode.networks.dispnet import DispNet
from vode.networks.eigen import EigenNet
from vode.networks.flow import FlowNet
from vode.networks.inference import folded
from vode.networks.padding import MOST
from vode.networks.weights import Network
from vode.pipelines.export.options import SMALLEST, ExportOptions

EXAMPLE = (200, 330)
"""height and width that a graph of any size is traced with: no multiples of what images are padded to"""


class Graph(nn.Module):
    """A network with named inputs and outputs."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    network: DepthNet | FlowNet

    def __init__(self, *, bytes_in: bool) -> None:
        super().__init__()
        self._bytes_in = bytes_in

    def _planes(self, image: Tensor) -> Tensor:
        """Images as the network takes them: (N, 3, H, W) in 0..1."""
        return image.permute(0, 3, 1, 2).float() / 255 if self._bytes_in else image

    def arguments(self, image_a: Tensor, image_b: Tensor, focal: float) -> tuple[Tensor, ...]:
        """The inputs for two images (N, 3, H, W) in 0..1 of a camera of that focal length."""
        raise NotImplementedError

    def _given(self, image: Tensor) -> Tensor:
        """Images (N, 3, H, W) in 0..1 as the graph takes them."""
        return (image * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous() if self._bytes_in else image


class DepthGraph(Graph):
    """image, and focal (N,) in pixels of it where depth is metric -> depth (N, 1, H, W)."""

    outputs = ("depth",)
    network: DepthNet

    def __init__(self, network: DepthNet, *, bytes_in: bool) -> None:
        super().__init__(bytes_in=bytes_in)
        self.network = network
        self.inputs = ("image", "focal") if network.is_metric else ("image",)

    def forward(self, image: Tensor, focal: Tensor | None = None) -> Tensor:
        """See the class."""
        return self.network.depth(self._planes(image), focal)

    def arguments(self, image_a: Tensor, image_b: Tensor, focal: float) -> tuple[Tensor, ...]:
        image = self._given(image_a)
        return (image, torch.full((len(image),), focal)) if self.network.is_metric else (image,)


class FlowGraph(Graph):
    """image_a, image_b -> flow_ab, flow_ba (N, 2, H, W), pixels."""

    inputs, outputs = ("image_a", "image_b"), ("flow_ab", "flow_ba")
    network: FlowNet

    def __init__(self, network: FlowNet, *, bytes_in: bool) -> None:
        super().__init__(bytes_in=bytes_in)
        self.network = network

    def forward(self, image_a: Tensor, image_b: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        flows_ab, flows_ba = self.network(self._planes(image_a), self._planes(image_b))
        return flows_ab[0], flows_ba[0]

    def arguments(self, image_a: Tensor, image_b: Tensor, focal: float) -> tuple[Tensor, ...]:
        return self._given(image_a), self._given(image_b)


def graph_of(network: DepthNet | FlowNet, options: ExportOptions = ExportOptions()) -> Graph:
    """The graph of a network on the CPU, in evaluation mode; the network itself stays as it is."""
    network = copy.deepcopy(network).cpu().eval().requires_grad_(False)
    if options.precision == "float16":
        network = _halved(network)
    bytes_in = options.image == "uint8"
    if isinstance(network, DepthNet):
        return DepthGraph(network, bytes_in=bytes_in)
    return FlowGraph(network, bytes_in=bytes_in)


@torch.no_grad()
def traced(graph: Graph, size: tuple[int, int], *, dynamic: bool = False) -> torch.export.ExportedProgram:
    """The program of a graph for one image, or pair, of ``size`` (height, width), or for any number of any size.

    InputError for a network that cannot be traced for any size.
    """
    if not hasattr(torch.compiler, "is_exporting"):
        raise InputError(f"torch {torch.__version__} exports no such networks; install 2.7 or newer")
    if dynamic and isinstance(graph.network, DispNet | EigenNet):
        name = graph.network.options.encoder
        raise InputError(f"{name} is exported for a fixed size alone; leave dynamic sizes out", "dynamic")
    count, (height, width) = (2, EXAMPLE) if dynamic else (1, size)
    image = torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))
    arguments = graph.arguments(image, image.flip(-1), 200.0)
    dimensions: Any = None
    if dynamic:
        batch = torch.export.Dim("batch", min=1, max=1024)
        sides = [torch.export.Dim(name, min=SMALLEST, max=MOST) for name in ("height", "width")]
        first = 1 if graph._bytes_in else 2
        of_image = {0: batch, first: sides[0], first + 1: sides[1]}
        dimensions = tuple(of_image if x.dim() == 4 else {0: batch} for x in arguments)
    try:
        return torch.export.export(
            graph, arguments, dynamic_shapes=dimensions, prefer_deferred_runtime_asserts_over_guards=dynamic
        )
    except RuntimeError as error:
        raise InputError(
            f"{type(graph.network).__name__}: torch cannot export it ({one_line(error)[:200]}); try a fixed size",
            "dynamic",
        ) from error


def _halved(network: Any) -> Any:
    """A network whose convolutions compute in 16 bits, but for those that are to be exact."""
    network = folded(network)
    exact = Network.exact + type(network).exact
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and not name.startswith(exact):
            module.half()
            module.register_forward_pre_hook(lambda conv, x: (x[0].half(),))
    return network
