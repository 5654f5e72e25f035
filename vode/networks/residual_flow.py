"""ResidualFlowNet: what moving objects and errors of depth add to rigid flow (GeoNet: Yin and Shi, CVPR 2018)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vode.errors import InputError
from vode.geometry.resize import image_size
from vode.networks.encoders import Encoder, build_encoder
from vode.networks.options import ResidualFlowOptions
from vode.networks.padding import pad_to_multiple
from vode.networks.weights import Network

INPUTS = 12
"""channels: target, source and the source seen by rigid flow (3 each), rigid flow (2), its photometric error (1)"""
SCALES = 4


class ResidualFlowNet(Network):
    """Residual flow of image pairs of any size, whose rigid flow is known.

    An encoder and a decoder with skips, batch normalisation and ReLUs; each of the four finest levels predicts a flow,
    which the next finer one sees.
    """

    kind = "residual_flow"
    options_class = ResidualFlowOptions

    def __init__(self, options: ResidualFlowOptions = ResidualFlowOptions()) -> None:
        super().__init__()
        self.options = options
        self.encoder = build_encoder(options.encoder)
        _widen_input(self.encoder, options.encoder)
        encoded, decoded = self.encoder.channels, options.decoder
        self.reduce, self.merge, self.heads = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        for level in range(len(decoded)):
            inputs = decoded[level + 1] if level + 1 < len(decoded) else encoded[-1]
            skip, coarser = encoded[level - 1] if level else 0, 2 if level + 1 < SCALES else 0
            self.reduce[str(level)] = _conv(inputs, decoded[level])
            self.merge[str(level)] = _conv(decoded[level] + skip + coarser, decoded[level])
            if level < SCALES:
                self.heads[str(level)] = _head(decoded[level])

    def forward(self, target: Tensor, source: Tensor, warped: Tensor, rigid: Tensor, error: Tensor) -> list[Tensor]:
        """Residual flow from target to source (B, 2, h, w) at full, 1/2, 1/4 and 1/8 size, in pixels of that size.

        Images target, source and ``warped`` (B, 3, H, W) in 0..1, the last being the source sampled along the ``rigid``
        flow (B, 2, H, W) in pixels; ``error`` (B, 1, H, W) is the photometric one between it and the target.
        """
        size = image_size(target)
        unit = self.options.unit * target.new_tensor(size[::-1]).view(1, 2, 1, 1)
        # rigid flow beyond the image, of points beside the other camera, would drown the rest
        flow = (rigid / unit).clamp(-1 / self.options.unit, 1 / self.options.unit)
        images = (torch.cat([target, source, warped], 1) - 0.45) / 0.225
        skips = self.encoder(pad_to_multiple(torch.cat([images, flow, error], 1), 32, 64))
        x, coarser, outputs = skips.pop(), None, {}
        for level in range(len(self.options.decoder) - 1, -1, -1):
            seen = [F.interpolate(self.reduce[str(level)](x), scale_factor=2, mode="nearest")]
            if skips:
                seen.append(skips.pop())
            if coarser is not None:
                seen.append(F.interpolate(coarser, scale_factor=2, mode="nearest").to(seen[0].dtype))
            x = self.merge[str(level)](torch.cat(seen, 1))
            if level < SCALES:
                coarser = outputs[level] = self.heads[str(level)](x).float()
        cropped = (outputs[k][..., : -(-size[0] // 2**k), : -(-size[1] // 2**k)] for k in range(SCALES))
        return [flow * unit / 2**k for k, flow in enumerate(cropped)]


def _widen_input(encoder: Encoder, name: str) -> None:
    """Let the first convolution of an encoder take ``INPUTS`` channels instead of the three of an image."""
    for layer in encoder.modules():
        if isinstance(layer, nn.Conv2d) and layer.in_channels == 3 and layer.groups == 1:
            layer.in_channels = INPUTS
            layer.weight = nn.Parameter(layer.weight.new_empty(layer.out_channels, INPUTS, *layer.kernel_size))
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            return
    raise InputError(f"{name}: no encoder of more than an image; choose another, such as resnet18", "residual.encoder")


def _conv(inputs: int, outputs: int) -> nn.Sequential:
    """A 3x3 convolution, batch normalisation and a ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def _head(inputs: int) -> nn.Conv2d:
    """A 3x3 convolution to a flow near zero: training starts from the rigid flow, where both directions agree."""
    head = nn.Conv2d(inputs, 2, 3, padding=1)
    assert head.bias is not None
    nn.init.xavier_uniform_(head.weight, gain=0.01)
    nn.init.zeros_(head.bias)
    return head
