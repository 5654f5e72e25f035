"""The coarse and fine networks of Eigen, Puhrsch, Fergus, "Depth map prediction from a single image using a multi-scale
deep network", NIPS 2014, section 3.1 and figure 1."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vode.errors import InputError
from vode.geometry.resize import image_size
from vode.networks.depth import DepthNet, exact_sigmoid
from vode.networks.options import DepthOptions

HIDDEN, DROPOUT = 4096, 0.5
"""units of the first fully connected layer, and the fraction of them that is left out in training"""
FEATURES = 63
"""of the fine network, which sees the coarse prediction beside them"""


class EigenNet(DepthNet):
    """Monocular depth from the whole image by fully connected layers, refined by a local network.

    The layers are made for images of ``DepthOptions.full_size``, to which all others are resized. The map has a quarter
    of that size, and is upsampled. Convolutions are padded, so that it shows the whole image; the paper's shows less.
    Its values are logits of the disparity, as of every DepthNet: minus the log depth that the paper predicts, but for a
    constant and the ends of ``DepthOptions.disparity``.

    In training there are two outputs, fine and coarse. The fine network takes the coarse prediction as it is: no
    gradient goes back, so that each learns from its own loss, as in the paper, which trains one after the other.
    """

    def _assemble(self, options: DepthOptions) -> None:
        if options.encoder_weights != "none":
            raise InputError("eigen has no pretrained encoder; leave its weights out", "depth.encoder_weights")
        if options.full_size == (0, 0):
            raise InputError("eigen has layers for one size of images; give it", "depth.full_size")
        self.coarse = nn.Sequential(
            *(nn.Conv2d(3, 96, 11, 4, padding=5), nn.ReLU(inplace=True), nn.MaxPool2d(2, ceil_mode=True)),
            *(nn.Conv2d(96, 256, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2, ceil_mode=True)),
            *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(384, 384, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(384, 256, 3, 2, padding=1), nn.ReLU(inplace=True)),
        )
        seen, self._map = (_divided(options.full_size, factor) for factor in (32, 4))
        self.hidden = nn.Linear(256 * seen[0] * seen[1], HIDDEN)
        self.dropout = nn.Dropout(DROPOUT)
        self.local = nn.Sequential(
            nn.Conv2d(3, FEATURES, 9, 2, padding=4), nn.ReLU(inplace=True), nn.MaxPool2d(2, ceil_mode=True)
        )
        self.refine = nn.Sequential(nn.Conv2d(FEATURES + 1, 64, 5, padding=2), nn.ReLU(inplace=True))
        self.heads = nn.ModuleList([nn.Conv2d(64, 1, 5, padding=2), nn.Linear(HIDDEN, self._map[0] * self._map[1])])
        for head in self.heads:
            nn.init.constant_(cast(Tensor, head.bias), -2.0)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Images (B, 3, H, W) in 0..1 -> sigmoid disparity (B, 1, H, W), in training also the coarse network's."""
        size, own = image_size(image), self.options.full_size
        x = image if size == own else F.interpolate(image, own, mode="bilinear", align_corners=False)
        x = (x - 0.45) / 0.225
        hidden = self.dropout(F.relu(self.hidden(self.coarse(x).flatten(1))))
        fine, coarse = self.heads
        with torch.autocast(x.device.type, enabled=False):
            first = coarse(hidden.float()).view(-1, 1, *self._map)
        local = self.local(x)
        refined = self.refine(torch.cat([local, first.detach().to(local.dtype)], 1))
        with torch.autocast(x.device.type, enabled=False):
            logits = [fine(refined.float()), first] if self.training else [fine(refined.float())]
            return [exact_sigmoid(F.interpolate(each, size, mode="bilinear", align_corners=False)) for each in logits]


def _divided(size: tuple[int, int], factor: int) -> tuple[int, int]:
    """Height and width divided, rounded up."""
    return -(-size[0] // factor), -(-size[1] // factor)
