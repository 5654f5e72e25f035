"""DepthNet: an encoder and a DispNet-style decoder (Godard et al., ICCV 2019; Zhao et al., CVPR 2020)."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vode.geometry.resize import size_of_same_area
from vode.networks.edges import steepen_edges
from vode.networks.elu import elu
from vode.networks.encoders import build_encoder
from vode.networks.options import EIGEN, DepthOptions
from vode.networks.padding import is_exporting, pad_to_multiple
from vode.networks.weights import Network

DISPNET = "dispnet"
"""name of the encoder that is a whole network, DispNet"""


class DepthNet(Network):
    """Monocular depth of images of any size.

    With ``DepthOptions.canonical_focal`` depth is predicted for that focal length and multiplied by the ratio of the
    image's own to it (Yin et al., Metric3D, ICCV 2023): metres for any camera. Without, it is up to scale.
    """

    kind = "depth"
    options_class = DepthOptions
    obsolete_options = frozenset({"imagenet"})
    exact = ("heads.",)

    heads: nn.ModuleList
    """the convolutions whose sigmoid is the disparity, finest first"""

    def __init__(self, options: DepthOptions = DepthOptions()) -> None:
        super().__init__()
        self.options = options
        self._assemble(options)

    @classmethod
    def build(cls, options: DepthOptions) -> DepthNet:
        """The network that the options describe: a DepthNet, or a DispNet or EigenNet if the encoder is called so."""
        if options.encoder == DISPNET:
            from vode.networks.dispnet import DispNet

            return DispNet(options)
        if options.encoder == EIGEN:
            from vode.networks.eigen import EigenNet

            return EigenNet(options)
        return cls(options)

    def _assemble(self, options: DepthOptions) -> None:
        """Create the layers."""
        self.encoder = build_encoder(options.encoder, options.encoder_weights)
        encoded, decoded = self.encoder.channels, options.decoder
        reduce, merge = [], []
        for level in range(4, -1, -1):
            inputs = encoded[-1] if level == 4 else decoded[level + 1]
            skip = encoded[level - 1] if level else 0
            reduce.append(_conv(inputs, decoded[level], options.padding))
            merge.append(_conv(decoded[level] + skip, decoded[level], options.padding))
        self.reduce, self.merge = nn.ModuleList(reduce), nn.ModuleList(merge)
        views = 2 if options.both_views else 1
        heads = [_conv(decoded[level], views, options.padding) for level in range(options.scales)]
        for head in heads:
            assert head.bias is not None
            # an initial depth near 0.8 leaves room for much nearer and much farther points
            nn.init.constant_(head.bias, -2.0)
        self.heads = nn.ModuleList(heads)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Images (B, 3, H, W) in 0..1 -> sigmoid disparity (B, 1, h, w) at full size, then 1/2, 1/4, 1/8."""
        outputs = self.disparities(image)
        return [output[:, :1] for output in outputs] if self.options.both_views else outputs

    def disparities(self, image: Tensor) -> list[Tensor]:
        """The same; with ``DepthOptions.both_views`` (B, 2, h, w), that of the image and of the camera on its right."""
        size = image.shape[-2:]
        x = pad_to_multiple(image, 32, 64)
        skips = self.encoder(self.encoder.normalise(x))
        x = skips.pop()
        outputs = {}
        for level in range(4, -1, -1):
            x = elu(self.reduce[4 - level](x))
            x = self._upsample(x)
            if skips:
                x = torch.cat([x, skips.pop()], 1)
            x = elu(self.merge[4 - level](x))
            if level < self.options.scales:
                # 16 bits would tell no more than every third per cent of depth apart
                with torch.autocast(x.device.type, enabled=False):
                    outputs[level] = exact_sigmoid(self.heads[level](x.float()))
        return [outputs[k][..., : -(-size[0] // 2**k), : -(-size[1] // 2**k)] for k in range(self.options.scales)]

    def depth(self, image: Tensor, focal: Tensor | float | None = None) -> Tensor:
        """Images (B, 3, H, W) in 0..1 -> depth (B, 1, H, W), in metres if it ``is_metric``, else up to scale.

        ``focal``: see ``metric``. ``DepthOptions.edge_ratio`` makes steps of its edges, which training does without.
        """
        depth = self.depth_of(self(image)[0].float())
        if self.options.edge_ratio:
            depth = steepen_edges(depth, self.options.edge_ratio)
        return self.metric(depth, focal)

    def depth_of(self, sigma: Tensor) -> Tensor:
        """depth = 1 / (a + b sigma) with ``DepthOptions.disparity`` (a, b): by default 100 to 0.1 for sigma 0 to 1."""
        lowest, increase = self.options.disparity
        return 1 / (lowest + increase * sigma)

    @property
    def is_metric(self) -> bool:
        """Whether depth is in metres, once the focal length of the images is known."""
        return self.options.canonical_focal > 0

    def metric(self, depth: Tensor, focal: Tensor | float | None) -> Tensor:
        """Depth (B, 1, H, W) for the canonical focal length -> for ``focal``, a number or (B,), vertical, pixels.

        The pixels are those of the network's input. None: the canonical one is assumed. Depth up to scale is returned
        as it is.
        """
        if not self.is_metric or focal is None:
            return depth
        factor = torch.as_tensor(focal, dtype=depth.dtype, device=depth.device) / self.options.canonical_focal
        return depth * factor.view(-1, 1, 1, 1)

    def input_size(self, size: tuple[int, int], image_size: tuple[int, int]) -> tuple[int, int]:
        """The (height, width) that images of ``image_size`` are resized to, where ``size`` is asked for.

        ``size`` itself, but for metric depth one of about its area in the aspect of the images: an image that is
        squeezed has two focal lengths.
        """
        return size_of_same_area(size, image_size) if self.is_metric else size

    def _upsample(self, x: Tensor) -> Tensor:
        if self.options.upsampling == "nearest":
            return F.interpolate(x, scale_factor=2, mode="nearest")
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def exact_sigmoid(x: Tensor) -> Tensor:
    """Sigmoid to within a rounding, in exported graphs too: onnxruntime's is wrong by 1e-7, 1e-4 of a far depth."""
    return 1 / (1 + torch.exp(-x)) if is_exporting() else x.sigmoid()


def _conv(inputs: int, outputs: int, padding: Literal["reflect", "zeros"]) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode=padding)
