"""DispNet: the depth network of SfMLearner (Zhou et al., CVPR 2017; layers of Mayer et al., CVPR 2016)."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vode.errors import InputError
from vode.geometry.resize import image_size
from vode.networks.depth import DepthNet, exact_sigmoid
from vode.networks.options import DepthOptions

ENCODER = ((32, 7), (64, 5), (128, 3), (256, 3), (512, 3), (512, 3), (512, 3))
"""channels and kernel size of the encoder's levels, each of half the size of the one before"""
DECODER = (16, 32, 64, 128, 256, 512, 512)
"""channels of the decoder's levels, finest first"""
HEADS = 4
"""levels with a disparity, which the next finer one sees"""


class DispNet(DepthNet):
    """Monocular depth by an encoder and decoder without normalisation, for images of any size.

    Its disparity at 1/8, 1/4 and 1/2 size is an input of the next finer level: ``DepthOptions.disparity`` is part of
    the network.
    """

    def _assemble(self, options: DepthOptions) -> None:
        if options.encoder_weights != "none":
            raise InputError("dispnet has no pretrained encoder; leave its weights out", "depth.encoder_weights")
        if options.both_views:
            raise InputError("dispnet has one disparity; choose another encoder", "depth.encoder", "depth.both_views")
        widths = [3, *(width for width, _ in ENCODER)]
        self.down = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, width, kernel, 2, padding=kernel // 2),
                nn.ReLU(inplace=True),
                nn.Conv2d(width, width, kernel, padding=kernel // 2),
                nn.ReLU(inplace=True),
            )
            for inputs, (width, kernel) in zip(widths, ENCODER, strict=False)
        )
        self.up, self.merge = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(DECODER):
            inputs = DECODER[level + 1] if level + 1 < len(DECODER) else widths[-1]
            skip = widths[level] if level else 0
            self.up.append(nn.ConvTranspose2d(inputs, width, 3, 2, padding=1, output_padding=1))
            self.merge.append(nn.Conv2d(width + skip + (level + 1 < HEADS), width, 3, padding=1))
        self.heads = nn.ModuleList(nn.Conv2d(width, 1, 3, padding=1) for width in DECODER[:HEADS])
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(cast(Tensor, module.bias))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Images (B, 3, H, W) in 0..1 -> sigmoid disparity (B, 1, h, w) at full size, then 1/2, 1/4, 1/8."""
        skips = [(image - 0.5) / 0.5]
        for layer in self.down:
            skips.append(layer(skips[-1]))
        x = skips.pop()
        sigma: dict[int, Tensor] = {}
        for level in range(len(DECODER) - 1, -1, -1):
            skip = skips.pop()
            seen = [_fitted(F.relu(self.up[level](x)), skip)]
            if level:
                seen.append(skip)
            if level + 1 in sigma:
                seen.append(_fitted(self._upsampled(sigma[level + 1]), skip).to(seen[0].dtype))
            x = F.relu(self.merge[level](torch.cat(seen, 1)))
            if level < HEADS:
                with torch.autocast(x.device.type, enabled=False):
                    sigma[level] = exact_sigmoid(self.heads[level](x.float()))
        return [sigma[level] for level in range(self.options.scales)]

    def _upsampled(self, sigma: Tensor) -> Tensor:
        lowest, increase = self.options.disparity
        return F.interpolate(lowest + increase * sigma, scale_factor=2, mode="bilinear", align_corners=False)


def _fitted(x: Tensor, like: Tensor) -> Tensor:
    """x without its last row and column where ``like`` has an odd size."""
    height, width = image_size(like)
    return x[..., :height, :width]
