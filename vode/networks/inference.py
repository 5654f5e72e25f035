"""Networks as predictions run them: the same weights, arranged for a processor that computes in 16 bits."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.weights import Network, prepare

N = TypeVar("N", bound=Network)

TRIMMED = 16
"""pixels: what images for flow are padded to a multiple of, where 64 costs a third more and gives no smaller errors"""
PROBE = (64, 64)
"""height and width of the image on which a network must give the same with its normalisations folded"""
TOLERANCE = 1e-3
"""largest difference there, relative to the largest value"""


class ActivatedConv(nn.Module):
    """A convolution in 16 bits and the activation after it in one pass of oneDNN, as ``torch.compile`` has them."""

    def __init__(self, conv: nn.Conv2d, activation: str, numbers: list[float]) -> None:
        super().__init__()
        self.conv, self.activation, self.numbers = conv, activation, numbers

    def forward(self, x: Tensor) -> Tensor:
        conv = self.conv
        layout = conv.padding, conv.stride, conv.dilation, conv.groups
        join = torch.ops.mkldnn._convolution_pointwise
        return join(x.to(conv.weight.dtype), conv.weight, conv.bias, *layout, self.activation, self.numbers, "")


@torch.no_grad()
def in_16_bits(network: N, kind: torch.dtype = torch.bfloat16) -> N:
    """A frozen copy of a network that computes in ``kind``, within ``torch.autocast`` to it and without gradients.

    Batch normalisation becomes part of the convolution before it, and weights are converted once instead of in every
    call. Images for flow are padded less: what its coarsest levels lack are zeros, as beyond the first row.
    """
    device = next(network.parameters()).device
    quick = folded(copy.deepcopy(network).eval().requires_grad_(False))
    if isinstance(quick, FlowNet):
        quick.multiple = TRIMMED
    for name, module in quick.named_modules():
        if isinstance(module, nn.Conv2d) and not name.startswith(network.exact):
            module.to(kind)
    if device.type == "cpu" and hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        _join_activations(quick)
    return prepare(quick, device)


def folded(network: N) -> N:
    """The network with its normalisations folded; as it was where they follow in another order than they are listed."""
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return network
    folded = copy.deepcopy(network)
    for parent in list(folded.modules()):
        parts = list(parent.named_children())
        for (name, conv), (after, norm) in pairwise(parts):
            holder, key = (norm, "0") if isinstance(norm, nn.Sequential) and len(norm) else (parent, after)
            norm = holder.get_submodule(key)
            if isinstance(conv, nn.Conv2d) and type(norm) is nn.BatchNorm2d and norm.num_features == conv.out_channels:
                setattr(parent, name, fuse_conv_bn_eval(conv, norm))
                setattr(holder, key, nn.Identity())
    wanted, found = _response(network), _response(folded)
    return folded if (found - wanted).abs().max() <= TOLERANCE * wanted.abs().max() else network


def _response(network: Network) -> Tensor:
    """What a network makes of an image of noise."""
    noise = torch.rand(1, 3, *PROBE, generator=torch.Generator().manual_seed(0))
    image = noise.to(next(network.parameters()).device)
    if isinstance(network, DepthNet):
        return network(image)[0]
    return network(image, image.flip(-1))[0][0]


def _join_activations(network: nn.Module) -> None:
    """Put ``ActivatedConv`` in the place of convolutions and of the activations that follow them."""
    for parent in list(network.modules()):
        for (name, conv), (after, module) in pairwise(list(parent.named_children())):
            activation = _activation(module)
            if not isinstance(conv, nn.Conv2d) or conv.padding_mode != "zeros" or activation is None:
                continue
            setattr(parent, name, ActivatedConv(conv, *activation))
            setattr(parent, after, nn.Identity())


def _activation(module: nn.Module) -> tuple[str, list[float]] | None:
    """What oneDNN calls an activation, alone or behind a folded normalisation, and its numbers; None for another."""
    parts = [part for part in module.modules() if not isinstance(part, nn.Sequential | nn.Identity)]
    if len(parts) != 1:
        return None
    if isinstance(parts[0], nn.LeakyReLU):
        return "leaky_relu", [parts[0].negative_slope]
    if isinstance(parts[0], nn.ReLU6):
        return "hardtanh", [0.0, 6.0]
    return None
