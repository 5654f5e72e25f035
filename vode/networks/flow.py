"""PWC-style optical flow network (Sun et al., CVPR 2018), in the widths of TrianFlow (Zhao et al., CVPR 2020).

Both feature maps are normalised before they are correlated (Jonschkowski et al., ECCV 2020); otherwise
unsupervised training from random weights hardly starts.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vode.geometry import warp
from vode.geometry.resize import image_size
from vode.networks.cost_volume import cost_volume
from vode.networks.options import EARLIER_FLOW, FlowOptions
from vode.networks.padding import pad_to_multiple
from vode.networks.weights import Network

PYRAMID = (16, 32, 64, 96, 128, 196)
"""channels of the feature pyramid's levels 1 to 6"""
DECODER = (128, 128, 96, 64, 32)
"""channels of a decoder's convolutions"""
CONTEXT = ((128, 1), (128, 2), (128, 4), (96, 8), (64, 16), (32, 1))
"""channels and dilation of the context network's convolutions"""
SLOPE = 0.1
"""negative slope of the leaky ReLUs"""
FINEST = 2
"""level that flow is decoded to, a quarter of the size of the images"""
MULTIPLE = 64
"""pixels: what the height and width of images are padded to, so that every level is twice as large as the next"""


def conv(inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """A 3x3 convolution followed by a leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation),
        nn.LeakyReLU(SLOPE, inplace=True),
    )


def normalise_features(features: Tensor) -> Tensor:
    """Zero mean over space, unit length over channels: (B, C, H, W)."""
    centred = features - features.mean((2, 3), keepdim=True)
    return F.normalize(centred, dim=1, eps=1e-6)


def _doubled(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """Flow (B, 2, h, w) at twice its size and values, without the rows and columns beyond ``size`` (height, width)."""
    return _magnified(flow, 2)[..., : size[0], : size[1]]


def _magnified(flow: Tensor, factor: int) -> Tensor:
    """Flow (B, 2, h, w) at a whole multiple of its size and values, interpolated bilinearly (align_corners=False)."""
    if factor == 1:
        return flow
    return factor * F.interpolate(flow, scale_factor=factor, mode="bilinear", align_corners=False)


def _like(flow: Tensor, features: Tensor) -> Tensor:
    """Flow in the type and the layout of features, without which joining the two takes several times as long."""
    return flow.to(features.dtype).contiguous(memory_format=torch.channels_last)


class Decoder(nn.Module):
    """Five convolutions, each of which sees the outputs of the two before it, and the flow of one pyramid level."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        widths = (inputs, *DECODER)
        seen = [widths[0], widths[1], *(widths[i - 1] + widths[i] for i in range(2, 5))]
        self.convs = nn.ModuleList(conv(i, o) for i, o in zip(seen, DECODER, strict=True))
        self.predict = nn.Conv2d(DECODER[-2] + DECODER[-1], 2, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (B, C, h, w) -> the last features (B, 32, h, w) and a flow (B, 2, h, w) in pixels of the level."""
        before, last = x, x
        for i, layer in enumerate(self.convs):
            seen = last if i < 2 else torch.cat([before, last], 1)
            before, last = last, layer(seen)
        return last, self.predict(torch.cat([before, last], 1)).float()


class FlowNet(Network):
    """Optical flow of image pairs of any size."""

    kind = "flow"
    options_class = FlowOptions
    earlier_options = EARLIER_FLOW

    def __init__(self, options: FlowOptions = FlowOptions()) -> None:
        super().__init__()
        self.options = options
        self.multiple = MULTIPLE
        widths = (3, *PYRAMID)
        self.pyramid = nn.ModuleList(
            nn.Sequential(conv(i, o, stride=2), conv(o, o)) for i, o in zip(widths, PYRAMID, strict=False)
        )
        costs = (2 * options.search + 1) ** 2
        self.decoders = nn.ModuleDict(
            {str(level): Decoder(costs + (PYRAMID[level - 1] + 2 if level < 6 else 0)) for level in range(2, 7)}
        )
        layers, inputs = [], DECODER[-1] + 2
        for outputs, dilation in CONTEXT:
            layers.append(conv(inputs, outputs, dilation=dilation))
            inputs = outputs
        self.context = nn.Sequential(*layers, nn.Conv2d(inputs, 2, 3, padding=1))
        if options.start == "kaiming":
            self._draw_weights()

    def _draw_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                assert module.bias is not None
                nn.init.kaiming_normal_(module.weight, a=SLOPE)
                nn.init.zeros_(module.bias)
                if module.out_channels == 2:
                    # flow starts near zero: large random flows are slow to long
                    module.weight.data.mul_(0.1)

    def forward(self, image_a: Tensor, image_b: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Forward and backward flow of images (B, 3, H, W) in 0..1: (a to b, b to a), each at 4 scales.

        Each is a list of (B, 2, h, w) at full, 1/2, 1/4 and 1/8 size, in pixels of that size. The
        features of each image are computed once and both directions run as one batch.
        """
        batch, size = image_a.shape[0], image_a.shape[-2:]
        images = pad_to_multiple(torch.cat([image_a, image_b]), MULTIPLE, MULTIPLE)
        pyramid = self._features(images)
        flows = self._decode(pyramid, [torch.cat([x[batch:], x[:batch]]) for x in pyramid])
        scales = []
        for k, level in enumerate(self._levels):
            whole = _magnified(flows[level], 2 ** (level - k))
            scales.append(whole[..., : -(-size[0] // 2**k), : -(-size[1] // 2**k)])
        return [s[:batch] for s in scales], [s[batch:] for s in scales]

    def features(self, image: Tensor) -> list[Tensor]:
        """Features of images (B, 3, H, W) in 0..1 at levels 1 to 6, which ``between`` takes in any pairs."""
        return self._features(pad_to_multiple(image, self.multiple, MULTIPLE))

    def towards(
        self, features_a: list[Tensor], features_b: list[Tensor], size: tuple[int, int], *, finest: int = FINEST
    ) -> Tensor:
        """Flow a to b (B, 2, H, W) of images of ``size`` (height, width), from the ``features`` of each.

        ``finest`` is the level that it is decoded to: one more than ``FINEST`` takes a quarter of the time.
        """
        flow = self._decode(features_a, features_b, finest)[finest].contiguous()
        return _magnified(flow, 2**finest)[..., : size[0], : size[1]]

    @property
    def _levels(self) -> tuple[int, ...]:
        """The levels whose flow becomes that of full, 1/2, 1/4 and 1/8 size."""
        return (2, 3, 4, 5) if self.options.outputs == "levels" else (2, 2, 2, 3)

    def _features(self, images: Tensor) -> list[Tensor]:
        """Features at levels 1 to 6 of padded images."""
        features, x = [], images if self.options.image == "raw" else (images - 0.45) / 0.225
        for level in self.pyramid:
            x = level(x)
            features.append(x)
        return features

    def _decode(self, features_a: list[Tensor], features_b: list[Tensor], finest: int = FINEST) -> dict[int, Tensor]:
        """Flow a to b at each level down to the ``finest``."""
        flow, found = None, {}
        for level in range(6, finest - 1, -1):
            a, b = features_a[level - 1], features_b[level - 1]
            if flow is not None:
                flow = _doubled(flow, image_size(a))
            matched_a, matched_b = (normalise_features(a), normalise_features(b)) if self.options.normalise else (a, b)
            if flow is not None:
                matched_b = warp.backward_warp(matched_b, flow, outside=self.options.outside)
            cost = self._cost(matched_a, matched_b)
            seen = cost if flow is None else torch.cat([cost, a, _like(flow, a)], 1)
            features, residual = self.decoders[str(level)](seen)
            flow = residual if flow is None else flow + residual
            if level == FINEST:
                flow = flow + self.context(torch.cat([features, _like(flow, features)], 1)).float()
            found[level] = flow
        return found

    def _cost(self, a: Tensor, b: Tensor) -> Tensor:
        cost = cost_volume(a, b, self.options.search)
        return cost / a.shape[1] if self.options.cost == "mean" else F.leaky_relu(cost, SLOPE)
