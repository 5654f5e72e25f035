"""Encoders by name: an image in, features at strides 2, 4, 8, 16 and 32 out.

``resnet18`` is the method's own, torchvision's; any other name is that of one of timm's feature extractors.
"""

from __future__ import annotations

import difflib
import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights, resnet18
from torchvision.models.resnet import BasicBlock, ResNet

from vode.errors import InputError, one_line
from vode.networks.backbone import COUNTER, fetch_state, fit_state, load_backbone, read_state

OWN = "resnet18"
"""name of the encoder that is not timm's"""
STRIDES = (2, 4, 8, 16, 32)
"""of the features, finest first"""
PACKAGE = "package:"
"""prefix of an installed package that holds weights"""
WEIGHTS_FILES = (".safetensors", ".pth", ".pt", ".bin")
"""how the names of weights files end"""
PROBE = (64, 96)
"""height and width of the image that an encoder of timm is tried on"""
AUTHORS_COLOURS = {"efficientnet_lite0": (0.498, 0.502)}
"""mean and deviation of the colours that weights in the authors' layout were trained with; timm's own have others"""


class Encoder(nn.Module):
    """Features of normalised images."""

    channels: tuple[int, ...]
    """of the features at each of ``STRIDES``; 0 at the finest where the encoder has none"""

    def normalise(self, image: Tensor) -> Tensor:
        """Images (B, 3, H, W) in 0..1 as the encoder takes them."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> list[Tensor]:
        """Normalised images (B, 3, H, W), H and W multiples of 32 -> features that have channels, finest first."""
        raise NotImplementedError


class ResNet18(ResNet, Encoder):
    """torchvision's ResNet18 without its classifier."""

    channels = (64, 64, 128, 256, 512)

    def __init__(self) -> None:
        super().__init__(BasicBlock, [2, 2, 2, 2])
        del self.fc, self.avgpool

    def normalise(self, image: Tensor) -> Tensor:
        return (image - 0.45) / 0.225

    def forward(self, x: Tensor) -> list[Tensor]:
        # torchvision ships no types
        parts: Any = self
        features = [parts.relu(parts.bn1(parts.conv1(x)))]
        x = parts.maxpool(features[-1])
        for layer in (parts.layer1, parts.layer2, parts.layer3, parts.layer4):
            x = layer(x)
            features.append(x)
        return features


class TimmEncoder(Encoder):
    """One of timm's feature extractors; mean and deviation of its colours are kept with the weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, extractor: Any, mean: tuple[float, ...], deviation: tuple[float, ...]) -> None:
        super().__init__()
        self.extractor = extractor
        strides = extractor.feature_info.reduction()
        self._taken = [i for i, stride in enumerate(strides) if stride in STRIDES]
        found = {strides[i]: extractor.feature_info.channels()[i] for i in self._taken}
        if tuple(found) not in (STRIDES, STRIDES[1:]) or len(found) < len(self._taken):
            raise InputError(f"its features have strides {_listed(strides)}, not {_listed(STRIDES)}")
        self.channels = tuple(found.get(stride, 0) for stride in STRIDES)
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(-1, 1, 1))

    def normalise(self, image: Tensor) -> Tensor:
        return (image - self.mean) / self.deviation

    def forward(self, x: Tensor) -> list[Tensor]:
        features = self.extractor(x)
        return [features[i] for i in self._taken]


def build_encoder(name: str, weights: str = "none") -> Encoder:
    """The encoder of that name, initialised by ``weights``: none, imagenet, a file, or package:NAME.

    InputError for a name that is not known, an encoder that gives no such features, and weights that are missing,
    damaged or of another network.
    """
    if name != OWN:
        return _timm_encoder(name, weights)
    encoder = ResNet18()
    if weights == "imagenet":
        published = ResNet18_Weights.IMAGENET1K_V1
        load_backbone(encoder, fetch_state(published, "depth.encoder_weights"), published.url)
    elif weights != "none":
        file = weights_file(weights)
        state, _ = fit_state(resnet18(), read_state(file), str(file), optional=("fc.",))
        load_backbone(encoder, state, str(file))
    return encoder


def weights_file(weights: str) -> Path:
    """The file that ``package:NAME`` or a path names; a package is looked into, never imported."""
    if not weights.startswith(PACKAGE):
        return Path(weights)
    package = weights.removeprefix(PACKAGE)
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None:
        raise InputError(f"{weights}: no package called {package!r} is installed; install it, or give a file")
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.suffix in WEIGHTS_FILES]
    if len(files) != 1:
        found = ", ".join(file.name for file in files[:3]) or "none"
        raise InputError(f"{weights}: one weights file is wanted in the package, found {found}; give the file itself")
    return files[0]


def _timm_encoder(name: str, weights: str) -> TimmEncoder:
    # imported here: it takes a second, and the method's own encoder needs none of it
    import timm

    if not timm.is_model(name):
        near = difflib.get_close_matches(name, [OWN, *timm.list_models()], n=5, cutoff=0.5)
        like = f"near it are {', '.join(near)}" if near else f"there are {OWN} and those of timm.list_models()"
        raise InputError(f"no encoder is called {name!r}; {like}", "depth.encoder")
    state, authors = _timm_state(name, weights)
    try:
        extractor: Any = timm.create_model(name, features_only=True)
    except Exception as error:
        # whatever the networks of timm raise that have no features to give
        raise _unfit(name, one_line(error)) from error
    _fill(extractor, state, weights)
    _separate_activations(extractor)
    _widen_depthwise(extractor)
    mean, deviation = extractor.pretrained_cfg["mean"], extractor.pretrained_cfg["std"]
    if authors and name in AUTHORS_COLOURS:
        mean, deviation = ((value,) * 3 for value in AUTHORS_COLOURS[name])
    try:
        encoder = TimmEncoder(extractor, mean, deviation)
        _probe(encoder)
    except Exception as error:
        raise _unfit(name, one_line(error)) from error
    return encoder


def _timm_state(name: str, weights: str) -> tuple[dict[str, Tensor], bool]:
    """Weights by the names of timm's whole classifier, none for "none"; and whether a file had others, in its order."""
    import timm

    if weights == "none":
        return {}, False
    try:
        whole: Any = timm.create_model(name, pretrained=weights == "imagenet")
    except Exception as error:
        # whatever timm, its hub and the connection raise
        raise InputError(
            f"{name}: timm's weights cannot be fetched ({one_line(error)}); give a file as depth.encoder_weights"
        ) from error
    if weights == "imagenet":
        return whole.state_dict(), False
    file, classifier = weights_file(weights), whole.pretrained_cfg.get("classifier") or ()
    layers = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    return fit_state(whole, read_state(file), str(file), optional=tuple(f"{layer}." for layer in layers))


def _fill(extractor: nn.Module, state: dict[str, Tensor], where: str) -> None:
    """Load weights of the whole classifier, if there are any, into the part of it that gives features."""
    if not state:
        return
    # timm joins the names of what was nested by underscores
    joined = {name.replace(".", "_"): value for name, value in state.items()}
    wanted = [name for name in extractor.state_dict() if not name.endswith(COUNTER)]
    lacking = [name for name in wanted if name.replace(".", "_") not in joined]
    if lacking:
        raise InputError(f"{where}: no {lacking[0]} in it, nor {len(lacking) - 1} more; start from other weights")
    extractor.load_state_dict({name: joined[name.replace(".", "_")] for name in wanted}, strict=False)


def _separate_activations(extractor: nn.Module) -> None:
    """Put plain batch normalisation and its activation in the place of timm's layers that are both.

    Several processes share the statistics of plain ones alone, and torch's own conversion would drop the activation.
    """
    for parent in list(extractor.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d) and type(child) is not nn.BatchNorm2d:
                plain = nn.BatchNorm2d(child.num_features, child.eps, child.momentum, child.affine)
                plain.load_state_dict(child.state_dict())
                after = [part for part in child.children() if not isinstance(part, nn.Identity)]
                setattr(parent, name, nn.Sequential(plain, *after))


class DepthwiseConv(nn.Conv2d):
    """A depthwise convolution that a CPU computes in 32 bits: in 16 its backward pass takes several times as long."""

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.to(self.weight.dtype))


def _widen_depthwise(extractor: nn.Module) -> None:
    """Put ``DepthwiseConv`` in the place of depthwise convolutions."""
    for module in extractor.modules():
        if type(module) is nn.Conv2d and module.groups == module.in_channels > 1:
            module.__class__ = DepthwiseConv


@torch.no_grad()
def _probe(encoder: TimmEncoder) -> None:
    """Try an encoder on an image: some take one size only, or give features in another layout."""
    height, width = PROBE
    found = [tuple(x.shape) for x in encoder.eval()(torch.zeros(1, 3, height, width))]
    pairs = zip(encoder.channels, STRIDES, strict=True)
    wanted = [(1, channels, height // stride, width // stride) for channels, stride in pairs if channels]
    encoder.train()
    if found != wanted:
        raise InputError(f"its features have shapes {found}, not {wanted}")


def _unfit(name: str, why: str) -> InputError:
    return InputError(
        f"{name}: no encoder for images of any size ({why}); take a convolutional one, such as efficientnet_lite0",
        "depth.encoder",
    )


def _listed(numbers: Any) -> str:
    return ", ".join(map(str, numbers))
