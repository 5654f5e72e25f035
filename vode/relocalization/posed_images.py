"""Posed images of a mapped scene, from which views are cropped or synthesised for training and testing."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from vode.augmentation.geometric import draw_variation
from vode.augmentation.options import Augment
from vode.datasets.base import Sequence
from vode.datasets.sample import Sample
from vode.errors import InputError
from vode.geometry.camera import crop_intrinsics, rays, resize_intrinsics, transform
from vode.geometry.pose import se3_exp
from vode.geometry.resize import resize_depth
from vode.geometry.synthesis import fill
from vode.relocalization.options import ViewOptions
from vode.relocalization.views import Viewpoint, choose_sources
from vode.training.clip_dataset import ClipDataset, ClipShape

POINTS = 1024
"""number of scene points in a sample"""
KEPT_BYTES = 2**31
"""memory limit of the cache of resized images, which are read hundreds of times"""


class PosedImages(ClipDataset):
    """Images with poses, of sequences that share a scene's axes, or of a single sequence.

    A sample has ``images`` (1, 3, H, W), the whole image resized by ``options.resize``, 8-bit where possible,
    ``intrinsics`` (3, 3), ``poses`` (1, 4, 4) T_scene_cam, and parameters for ``cut_view``: ``corner`` (2,), row and
    column of the window of ``size``, central or, if ``vary`` and views are not rotated, random. For rotated views,
    ``T_scene_view`` (4, 4), drawn around the image's pose; if they are moved too, images and poses are the S that
    best show the view, with ``depth`` (S, 1, H, W). With ``points``: ``points`` (P, 3), scene points visible in the
    image, and ``seen`` (P,), 1 for points and 0 for padding. Raises InputError where the scene lacks what is needed.
    """

    size: tuple[int, int]

    def __init__(
        self,
        sequences: Iterable[Sequence],
        options: ViewOptions,
        size: tuple[int, int],
        *,
        augment: Augment | None = None,
        seed: int = 0,
        vary: bool = False,
        points: bool = False,
    ) -> None:
        sequences = list(sequences)
        self.options, self.window, self.vary = options, size, vary
        sizes = [whole_size(s.size, options.resize) for s in sequences]
        common = (min(height for height, _ in sizes), min(width for _, width in sizes))
        if common[0] < size[0] or common[1] < size[1]:
            raise InputError(
                f"{sequences[0].name}: images of {common[1]}x{common[0]} do not hold a view of {size[1]}x{size[0]}; "
                "lower size or raise views.resize"
            )
        super().__init__(sequences, ClipShape(length=1), size=common, augment=augment, seed=seed, raw=True)
        if augment is not None and (augment.flip or augment.crop):
            raise InputError(
                "a mirrored scene is another scene, and views are cropped already; set augment.flip and .crop to 0"
            )
        if options.sources < 1:
            raise InputError(f"views.sources is {options.sources}; a view is composed of at least 1 image")
        self.with_points = points
        self._T_scene_cam = self.poses()
        cameras = zip(sequences, self._starts, strict=True)
        self._intrinsics = torch.cat([self._camera(s).expand(len(starts), 3, 3) for s, starts in cameras])
        firsts = [(sequence, starts[0]) for sequence, starts in zip(sequences, self._starts, strict=True) if starts]
        has_depth = [sequence.has_depth(first) for sequence, first in firsts]
        self.with_depth = vary and options.shift > 0 and all(has_depth)
        for (sequence, first), known in zip(firsts, has_depth, strict=True):
            if points and not known and sequence.points(first) is None:
                raise InputError(f"{sequence.name}: neither depth nor a map's points to project; change pose_loss.kind")
        self._kept: dict[int, Sample] = {}
        self._room = KEPT_BYTES

    def __getitem__(self, index: int | tuple[int, int]) -> Sample:
        number, draw = index if isinstance(index, tuple) else (index, index)
        sample = dict(self._whole(number))
        random = np.random.default_rng([self.seed, draw, 1])
        spare = np.subtract(self.size, self.window)
        turned = self.vary and (self.options.turn > 0 or self.with_depth)
        # an off-centre window would look like a rotated camera; rotated views are synthesised instead
        sample["corner"] = torch.as_tensor(random.integers(spare + 1) if self.vary and not turned else spare // 2)
        if turned:
            shift = self.options.shift if self.with_depth else 0.0
            reach = np.repeat([shift, np.radians(self.options.turn)], 3)
            twist = torch.as_tensor(random.uniform(-reach, reach), dtype=torch.float32)
            sample["T_scene_view"] = sample["poses"][0] @ se3_exp(twist)
        if self.with_points:
            sample["points"], sample["seen"] = self._points(number, sample, random)
        sample.pop("measured", None)
        if not self.with_depth:
            sample.pop("depth", None)
        elif turned:
            sources = [self._whole(source) for source in self._sources(sample)]
            sample |= {key: torch.cat([source[key] for source in sources]) for key in ("images", "depth", "poses")}
        if self.augment is not None:
            colour = draw_variation(self.augment, self.window, seed=(self.seed, draw)).colour
            # applied to the view only, which is smaller than its source images
            sample |= {} if colour is None else {"view_colour": torch.tensor(colour)}
        return sample

    def poses(self) -> Tensor:
        """T_scene_cam (N, 4, 4) float32 of all images; InputError if a sequence has no poses in shared axes."""
        return torch.cat(
            [self._places(s)[list(starts)] for s, starts in zip(self.sequences, self._starts, strict=True)]
        )

    def names(self) -> list[str]:
        """Names of all images by sequence and frame number, as in seq-01/000000."""
        frames = zip(self.sequences, self._starts, strict=True)
        return [f"{sequence.name}/{frame:06d}" for sequence, starts in frames for frame in starts]

    def _margin(self, whole: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns cropped at the top and left, so that all images have the same size."""
        return (whole[0] - self.size[0]) // 2, (whole[1] - self.size[1]) // 2

    def _camera(self, sequence: Sequence) -> Tensor:
        whole = whole_size(sequence.size, self.options.resize)
        intrinsics = resize_intrinsics(sequence.intrinsics.to(torch.float32), sequence.size, whole)
        return crop_intrinsics(intrinsics, *self._margin(whole))

    def _places(self, sequence: Sequence) -> Tensor:
        return poses_of(sequence, alone=len(self.sequences) == 1).to(torch.float32)

    def _whole(self, number: int) -> Sample:
        """The sample without its random part, cached while there is room."""
        if number in self._kept:
            return self._kept[number]
        sequence, frame = self.locate(number)
        whole = whole_size(sequence.size, self.options.resize)
        top, left = self._margin(whole)
        rows, columns = slice(top, top + self.size[0]), slice(left, left + self.size[1])
        sample: Sample = {
            "images": sequence.raw(frame, whole)[None, :, rows, columns],
            "intrinsics": self._intrinsics[number],
            "poses": self._T_scene_cam[number][None],
        }
        if self.with_depth or self.with_points:
            # a single image without depth contributes nothing to moved views, and no points
            depth = sequence.depth(frame)
            depth = torch.zeros(1, 1, *whole) if depth is None else resize_depth(depth[None], whole)
            depth = depth[..., rows, columns]
            sample |= {"depth": fill(depth, depth > 0), "measured": depth > 0}
        taken = sum(value.nbytes for value in sample.values())
        if get_worker_info() is None and taken <= self._room:
            self._kept[number], self._room = sample, self._room - taken
        return sample

    def _sources(self, sample: Sample) -> list[int]:
        """The images from which a moved view is composed, all of the same camera."""
        alike = (self._intrinsics == sample["intrinsics"]).flatten(1).all(1).nonzero().flatten()
        window = crop_intrinsics(sample["intrinsics"], *sample["corner"])
        chosen = choose_sources(
            Viewpoint(self._T_scene_cam[alike], sample["intrinsics"], self.size),
            Viewpoint(sample["T_scene_view"], window, self.window),
            depth=sample["depth"][..., ::4, ::4].median().item() or 1.0,
            count=self.options.sources,
        )
        return alike[chosen].tolist()

    def _points(self, number: int, sample: Sample, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        sequence, frame = self.locate(number)
        points = sequence.points(frame)
        if points is None:
            depth = sample["depth"][0, 0]
            known = sample["measured"][0, 0].nonzero()
            row, column = known[_draw(len(known), random)].unbind(-1)
            directions = rays(torch.stack([column, row], -1).to(depth.dtype), sample["intrinsics"])
            drawn = transform(sample["poses"][0], directions * depth[row, column, None])
        else:
            drawn = points[_draw(len(points), random)].to(torch.float32)
        seen = (torch.arange(POINTS) < len(drawn)).float()
        return torch.cat([drawn, drawn.new_zeros(POINTS - len(drawn), 3)]), seen


def _draw(count: int, random: np.random.Generator) -> np.ndarray:
    """Distinct numbers below ``count``, at most as many as a sample has points."""
    return random.choice(count, min(count, POINTS), replace=False, shuffle=False)


def poses_of(sequence: Sequence, *, alone: bool) -> Tensor:
    """T_scene_cam (N, 4, 4) of a sequence, in its own axes if it is the only one. InputError if there are none."""
    poses = sequence.poses_in_scene
    if poses is None and alone:
        poses = sequence.poses
    if poses is None:
        reason = "has no poses" if sequence.poses is None else "shares no axes with the others; name it alone"
        raise InputError(f"{sequence.name}: {reason}; poses are learned in a mapped scene")
    return poses


def whole_size(size: tuple[int, int], short: int) -> tuple[int, int]:
    """(height, width) of an image resized so that its short side is ``short``."""
    height, width = (round(side * short / min(size)) for side in size)
    return height, width


def time_blocks(length: int, options: ViewOptions) -> tuple[list[int], list[int]]:
    """Training and test frames of a sequence: every n-th block of time is for testing."""
    block = max(min(options.block, length // options.every), 1)
    tested = [i for i in range(length) if i // block % options.every == options.every - 1]
    return sorted(set(range(length)) - set(tested)), tested
