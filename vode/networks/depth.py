"""DepthNet: a ResNet18 encoder and a DispNet-style decoder (Godard et al., ICCV 2019; Zhao et al., CVPR 2020)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from vode.networks.options import DepthOptions
from vode.networks.padding import pad_to_multiple
from vode.networks.weights import Network

ENCODER = (64, 64, 128, 256, 512)
"""channels of the encoder's features, finest first"""
DECODER = (16, 32, 64, 128, 256)
"""channels of the decoder's levels, finest first"""
MIN_DISPARITY, DISPARITY_RANGE = 0.01, 9.99
"""disparity of sigma = 0, and its increase up to sigma = 1"""


def disparity_to_depth(sigma: Tensor) -> Tensor:
    """depth = 1 / (0.01 + 9.99 sigma): 100 for sigma = 0, 0.1 for sigma = 1."""
    return 1 / (MIN_DISPARITY + DISPARITY_RANGE * sigma)


class DepthNet(Network):
    """Monocular depth of images of any size."""

    kind = "depth"
    options_class = DepthOptions

    def __init__(self, options: DepthOptions = DepthOptions()) -> None:
        super().__init__()
        self.options = options
        weights = torchvision.models.ResNet18_Weights.IMAGENET1K_V1 if options.imagenet else None
        self.encoder = torchvision.models.resnet18(weights=weights)
        del self.encoder.fc, self.encoder.avgpool
        reduce, merge = [], []
        for level in range(4, -1, -1):
            inputs = ENCODER[-1] if level == 4 else DECODER[level + 1]
            skip = ENCODER[level - 1] if level else 0
            reduce.append(_conv(inputs, DECODER[level]))
            merge.append(_conv(DECODER[level] + skip, DECODER[level]))
        self.reduce, self.merge = nn.ModuleList(reduce), nn.ModuleList(merge)
        heads = [_conv(DECODER[level], 1) for level in range(options.scales)]
        for head in heads:
            assert head.bias is not None
            # an initial depth near 0.8 leaves room for much nearer and much farther points
            nn.init.constant_(head.bias, -2.0)
        self.heads = nn.ModuleList(heads)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Images (B, 3, H, W) in 0..1 -> sigmoid disparity (B, 1, h, w) at full size, then 1/2, 1/4, 1/8."""
        size = image.shape[-2:]
        x = pad_to_multiple(image, 32, 64)
        skips = self._encode((x - 0.45) / 0.225)
        x = skips.pop()
        outputs = {}
        for level in range(4, -1, -1):
            x = F.elu(self.reduce[4 - level](x))
            x = self._upsample(x)
            if level:
                x = torch.cat([x, skips.pop()], 1)
            x = F.elu(self.merge[4 - level](x))
            if level < self.options.scales:
                outputs[level] = self.heads[level](x).sigmoid()
        return [outputs[k][..., : -(-size[0] // 2**k), : -(-size[1] // 2**k)] for k in range(self.options.scales)]

    def depth(self, image: Tensor) -> Tensor:
        """Images (B, 3, H, W) in 0..1 -> depth (B, 1, H, W), up to a scale shared by the whole video."""
        return disparity_to_depth(self(image)[0])

    def _encode(self, x: Tensor) -> list[Tensor]:
        encoder = self.encoder
        features = [encoder.relu(encoder.bn1(encoder.conv1(x)))]
        x = encoder.maxpool(features[-1])
        for layer in (encoder.layer1, encoder.layer2, encoder.layer3, encoder.layer4):
            x = layer(x)
            features.append(x)
        return features

    def _upsample(self, x: Tensor) -> Tensor:
        if self.options.upsampling == "nearest":
            return F.interpolate(x, scale_factor=2, mode="nearest")
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")
