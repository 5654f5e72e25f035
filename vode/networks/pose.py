"""PoseNet: camera motions from the frames of a snippet, or from the flow between them.

SfMLearner's PoseCNN (Zhou et al., CVPR 2017, as its code was released) and Monodepth2's separate encoder of pairs
(Godard et al., ICCV 2019).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vode.geometry.pose import (
    euler_to_matrix,
    from_rotation_translation,
    inverse,
    quaternion_to_matrix,
    rotation_6d_to_matrix,
    so3_exp,
)
from vode.geometry.resize import image_size
from vode.networks.encoders import OWN, ResNet18, build_encoder
from vode.networks.options import PoseOptions
from vode.networks.weights import Network

POSECNN = ((16, 7), (32, 5), (64, 3), (128, 3), (256, 3), (256, 3), (256, 3))
"""channels and kernel size of the convolutions, each of stride 2"""
SHARED = 5
"""of these that the explainability is predicted from"""
MASKS = (16, 32, 64, 128, 256)
"""channels of its decoder's levels, finest first"""
MASK_SCALES = 4
"""levels at which it is predicted: full size, 1/2, 1/4 and 1/8"""
SQUEEZED = 256
"""channels between the ResNet and the motion"""
SMALL = 0.01
"""what the numbers of a motion are multiplied by, so that training starts near standing still"""
COLOURS = {"posecnn": (0.5, 0.5), "resnet18": (0.45, 0.225)}
"""mean and deviation by which images are normalised"""
TYPICAL_FLOW = 0.05
"""widths of the image that flow is divided by"""
IDENTITY = {
    "euler": (0.0,) * 3,
    "axis-angle": (0.0,) * 3,
    "quaternion": (1.0, 0.0, 0.0, 0.0),
    "6d": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
}
"""the identity by each representation of rotations"""


class Motions(NamedTuple):
    """What a pose network tells of snippets of L frames, the target in the middle."""

    T_s_t: Tensor
    """(B, L-1, 4, 4), from the target to each other frame, in the order of time, in the unit of the depth"""
    explained: list[Tensor]
    """(B, L-1, h, w): the logits of each pixel of the target being explained by each other frame, at full size, then
    1/2, 1/4 and 1/8; none without an explainability decoder"""


class PoseNet(Network):
    """Motions from the middle frame of a snippet to each other one.

    A posecnn of images takes snippets of ``options.frames`` frames; the others any number, as they see two at a time.
    """

    kind = "motion"
    options_class = PoseOptions

    def __init__(self, options: PoseOptions = PoseOptions()) -> None:
        super().__init__()
        self.options = options
        self.together = options.frames - 1 if (options.network, options.input) == ("posecnn", "images") else 1
        """motions that are predicted at once"""
        channels = 2 if options.input == "flow" else 3 * (self.together + 1)
        self.numbers = 3 + len(IDENTITY[options.rotation])
        if options.network == "posecnn":
            self.encoder: PoseCNN | PairEncoder = PoseCNN(channels, self.numbers * self.together, options.normalise)
            self.explainability = Explainability(self.together) if options.explainability else None
        else:
            self.encoder = PairEncoder(channels, self.numbers, options.encoder_weights)
            self.explainability = None

    @property
    def frames(self) -> int:
        """The frames that it takes at once: of longer snippets, it sees the target with one other frame at a time."""
        return self.together + 1

    def forward(self, seen: Tensor, *, masks: bool = True) -> Motions:
        """Snippets, images (B, L, 3, H, W) in 0..1, L = 2 or more -> their motions.

        With the ``input`` "flow": flow (B, L-1, 2, H, W) in pixels from the target to each other frame. Explainability
        is left out without ``masks``.
        """
        if self.options.input == "flow":
            flows = seen.flatten(0, 1) / (seen.shape[-1] * TYPICAL_FLOW)
            return Motions(self._motions(self.encoder(flows)[0], len(seen)), [])
        mean, deviation = COLOURS[self.options.network]
        images = (seen - mean) / deviation
        if self.together > 1:
            return self._of_snippets(images, masks=masks)
        earlier, later, backwards = in_order_of_time(images.shape[1])
        pairs = torch.cat([images[:, earlier], images[:, later]], 2)
        return Motions(self._motions(self.encoder(pairs.flatten(0, 1))[0], len(images), backwards), [])

    def trajectory(self, images: Tensor) -> Tensor:
        """Motions (B, L, 4, 4) from the target of snippets (B, L, 3, H, W) to all of their frames, itself too."""
        others, target = self(images, masks=False).T_s_t, images.shape[1] // 2
        own = torch.eye(4).to(others).expand(len(others), 1, 4, 4)
        return torch.cat([others[:, :target], own, others[:, target:]], 1)

    def _of_snippets(self, images: Tensor, *, masks: bool) -> Motions:
        """The motions of whole snippets, of which the network sees the target first."""
        if images.shape[1] != self.frames:
            raise ValueError(f"snippets of {images.shape[1]} frames for a network of {self.frames}")
        order = [self.frames // 2, *others(self.frames)]
        numbers, features = self.encoder(images[:, order].flatten(1, 2))
        explained = []
        if self.explainability is not None and masks:
            explained = self.explainability(features, image_size(images))
        return Motions(self._motions(numbers, len(images)), explained)

    def _motions(self, numbers: Tensor, batch: int, backwards: list[bool] | None = None) -> Tensor:
        """Numbers (B S, M) -> motions (B, S, 4, 4), of which those that are told ``backwards`` (S,) are inverted."""
        # 16 bits would tell rotations no closer than a quarter of a degree apart
        with torch.autocast(numbers.device.type, enabled=False):
            numbers = SMALL * numbers.float().view(batch, -1, self.numbers)
            translation, rotation = numbers.split([3, self.numbers - 3], -1)
            T = from_rotation_translation(rotation_matrix(rotation, self.options.rotation), translation)
            if backwards is None:
                return T
            return torch.where(torch.tensor(backwards, device=T.device)[:, None, None], inverse(T), T)


def others(length: int) -> list[int]:
    """The frames of a snippet besides its target, in the order of time."""
    return [i for i in range(length) if i != length // 2]


def in_order_of_time(length: int) -> tuple[list[int], list[int], list[bool]]:
    """The earlier and the later frame of each pair of the target and another, and whether the target is the later."""
    target = length // 2
    pairs = [(min(i, target), max(i, target)) for i in others(length)]
    return [a for a, _ in pairs], [b for _, b in pairs], [i < target for i in others(length)]


def rotation_matrix(
    numbers: Tensor, representation: Literal["euler", "axis-angle", "quaternion", "6d"] = "euler"
) -> Tensor:
    """Rotations (..., 3, 3) from numbers (..., 3, 4 or 6) that differ from those of the identity.

    Euler angles are about x, y and z, R = Rx Ry Rz, as in SfMLearner.
    """
    numbers = numbers + numbers.new_tensor(IDENTITY[representation])
    if representation == "euler":
        return euler_to_matrix(numbers, "XYZ")
    if representation == "axis-angle":
        return so3_exp(numbers)
    return quaternion_to_matrix(numbers) if representation == "quaternion" else rotation_6d_to_matrix(numbers)


class PoseCNN(nn.Module):
    """Seven convolutions of stride 2 and a mean over the image."""

    def __init__(self, channels: int, numbers: int, normalise: bool) -> None:
        super().__init__()
        widths = [channels, *(width for width, _ in POSECNN)]
        self.convs = nn.ModuleList(
            nn.Conv2d(inputs, width, kernel, 2, padding=kernel // 2)
            for inputs, (width, kernel) in zip(widths, POSECNN, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) if normalise else nn.Identity() for width in widths[1:])
        self.pose = nn.Conv2d(widths[-1], numbers, 1)
        _start_by_xavier(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised inputs (N, C, H, W) -> numbers (N, M), and the features at 1/32."""
        features = [x]
        for conv, norm in zip(self.convs, self.norms, strict=True):
            features.append(F.relu(norm(conv(features[-1]))))
        return exact_mean(self.pose, features[-1]), features[SHARED]


class Explainability(nn.Module):
    """The decoder of SfMLearner's explainability masks, at four scales."""

    def __init__(self, sources: int) -> None:
        super().__init__()
        inputs = [*MASKS[1:], POSECNN[SHARED - 1][0]]
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(wide, width, 4, 2, padding=1) for wide, width in zip(inputs, MASKS, strict=True)
        )
        self.heads = nn.ModuleList(nn.Conv2d(width, sources, 3, padding=1) for width in MASKS[:MASK_SCALES])
        _start_by_xavier(self)

    def forward(self, features: Tensor, size: tuple[int, int]) -> list[Tensor]:
        """Features at 1/32 of images of ``size`` -> logits (B, S, h, w), finest first."""
        logits: dict[int, Tensor] = {}
        x = features
        for level in range(len(MASKS) - 1, -1, -1):
            height, width = (-(-side // 2**level) for side in size)
            x = F.relu(self.up[level](x))[..., :height, :width]
            if level < MASK_SCALES:
                logits[level] = self.heads[level](x).float()
        return [logits[level] for level in range(MASK_SCALES)]


class PairEncoder(nn.Module):
    """A ResNet18 that sees two images at once, or a flow, with a small decoder of their motion."""

    def __init__(self, channels: int, numbers: int, weights: str) -> None:
        super().__init__()
        self.resnet = cast(ResNet18, build_encoder(OWN, weights))
        first = cast(nn.Conv2d, self.resnet.conv1)
        widened = nn.Conv2d(channels, first.out_channels, 7, 2, padding=3, bias=False)
        if weights != "none":
            # two images of the same content give what one gave
            widened.weight.data = first.weight.data.repeat(1, 2, 1, 1) / 2
        else:
            nn.init.kaiming_normal_(widened.weight, mode="fan_out", nonlinearity="relu")
        self.resnet.conv1 = widened
        self.squeeze = nn.Conv2d(self.resnet.channels[-1], SQUEEZED, 1)
        self.convs = nn.ModuleList(nn.Conv2d(SQUEEZED, SQUEEZED, 3, padding=1) for _ in range(2))
        self.pose = nn.Conv2d(SQUEEZED, numbers, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised inputs (N, C, H, W) -> numbers (N, M), and the features at 1/32."""
        features = self.resnet(x)[-1]
        x = F.relu(self.squeeze(features))
        for conv in self.convs:
            x = F.relu(conv(x))
        return exact_mean(self.pose, x), features


def exact_mean(head: nn.Conv2d, features: Tensor) -> Tensor:
    """The mean (N, M) over the image of what a head makes of features (N, C, h, w), in 32 bits."""
    with torch.autocast(features.device.type, enabled=False):
        return head(features.float()).mean((2, 3))


def _start_by_xavier(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(cast(Tensor, module.bias))
