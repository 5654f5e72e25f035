"""The task of view synthesis: depth and motion, by how well frames can be made from one another."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vode.geometry.camera import resize_intrinsics
from vode.geometry.resize import image_size, resize_bilinear, resize_images
from vode.losses.masked import masked_mean
from vode.networks.depth import DepthNet
from vode.networks.pose import Motions, others
from vode.training.tasks.base import Task, TaskOutput, detach, run_network
from vode.view_synthesis.losses import (
    depth_difference,
    explainability,
    pixel_errors,
    reconstruction,
    smoothness,
)
from vode.view_synthesis.options import SynthesisOptions, SynthesisWeights
from vode.view_synthesis.stereo import with_right
from vode.view_synthesis.warp import Views, inverse_warp


class Predicted(NamedTuple):
    """What the networks say of views, at one scale."""

    depth: Tensor
    """(B, 1, h, w) of the target"""
    depths: Tensor | None
    """(B, S, 1, h, w) of the sources, where they are predicted"""
    logits: Tensor | None
    """(B, S, h, w) of the explainability"""


class ViewSynthesisTask(Task):
    """Trains a depth and a pose network on snippets whose middle frame is the target.

    With stereo the camera on the right is one more source, and the only one of snippets of a single frame, which need
    no pose network. With ``motion_alone`` depth stays as it is.
    """

    def __init__(
        self,
        depth: DepthNet,
        pose: nn.Module | None,
        options: SynthesisOptions = SynthesisOptions(),
        weights: SynthesisWeights = SynthesisWeights(),
        mixed: torch.dtype | None = None,
        *,
        motion_alone: bool = False,
    ) -> None:
        super().__init__()
        self.depth, self.pose, self.options, self.mixed = depth, pose, options, mixed
        self.motion_alone = motion_alone
        self.weights = {name: weight for name, weight in dataclasses.asdict(weights).items() if weight}
        self.all_frames = options.both_directions or options.consistency_mask or "consistency" in self.weights
        """whether the depth of all frames is predicted, or that of the target alone"""

    def trained(self) -> list[nn.Module]:
        """The networks."""
        motion = [] if self.pose is None else [self.pose]
        return motion if self.motion_alone else [self.depth, *motion]

    def forward(self, batch: dict[str, Tensor]) -> TaskOutput:
        """Losses of a batch of snippets."""
        images = batch["images"]
        T_s_t, logits = self._motions(images)
        views = snippet_views(images, T_s_t.float(), batch["intrinsics"].float())
        if "right" in batch:
            views = with_right(views, batch["right"][:, images.shape[1] // 2], batch["baseline"])
        if self.options.auto_mask and self.options.compared_at == "full":
            # the same at all scales
            views = views._replace(still=pixel_errors(views.target, views.sources, self.options.error))
        frames = torch.cat([views.target[:, None], views.sources], 1) if self.all_frames else views.target[:, None]
        sigmas = run_network(self.depth, frames.flatten(0, 1), mixed=self.mixed)
        outputs = []
        for k, sigma in enumerate(sigmas):
            sigma = sigma.float()
            at = _resized(views, image_size(images if self.options.compared_at == "full" else sigma))
            explained = resize_bilinear(logits[k], image_size(at.target)) if logits else None
            output = self._of_scale(
                at, resize_bilinear(sigma, image_size(at.target)), explained, views.intrinsics[:, 1, 1]
            )
            if "smoothness" in self.weights:
                # halved from scale to scale, as the weights in the papers are
                smooth = smoothness(
                    1 / self.depth.depth_of(sigma),
                    resize_images(frames.flatten(0, 1), image_size(sigma)),
                    self.options.smoothness,
                )
                output.losses["smoothness"] = 0.5**k * smooth
            outputs.append(output)
        losses = {name: torch.stack([output.losses[name].mean() for output in outputs]).mean() for name in self.weights}
        return TaskOutput(losses, outputs[0].metrics, outputs[0].visualizations)

    def _motions(self, images: Tensor) -> Motions:
        """Those of snippets (B, L, 3, H, W); none of single frames."""
        if self.pose is None:
            return Motions(images.new_zeros(len(images), 0, 4, 4), [])
        return run_network(self.pose, images, mixed=self.mixed)

    def _of_scale(self, views: Views, sigma: Tensor, logits: Tensor | None, focal: Tensor) -> TaskOutput:
        """Losses of the output (B F, 1, h, w) of one scale, of the target or of all frames, the target first.

        ``focal`` (B,) is that of the network's input, in its pixels, which are not those of the scale.
        """
        count = len(sigma) // len(views.target)
        depth = self.depth.metric(self.depth.depth_of(sigma), focal.repeat_interleave(count)).unflatten(0, (-1, count))
        predicted = Predicted(depth[:, 0], depth[:, 1:] if self.all_frames else None, logits)
        losses, shown = view_losses(views, predicted, self.options)
        if self.options.both_directions:
            back = Predicted(depth[:, 1:].flatten(0, 1), depth[:, :1].repeat_interleave(count - 1, 0), None)
            reverse, _ = view_losses(views.reversed(), back, self.options)
            losses = {name: (value.mean() + reverse[name].mean()) / 2 for name, value in losses.items()}
        metrics = {"counted": shown["counted"].mean()}
        shown = {"image": views.target[0], "depth": depth[0, 0], **{name: value[0, 0] for name, value in shown.items()}}
        return TaskOutput(losses, metrics, detach(shown))


def view_losses(
    views: Views, predicted: Predicted, options: SynthesisOptions
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Losses (B,) of views of one size, and maps (B, S, C, h, w) to look at."""
    warped = inverse_warp(predicted.depth, views.T_s_t, views.intrinsics)
    made = warped.sample(views.sources)
    seen = warped.seen if options.outside == "masked" else torch.ones_like(warped.seen)
    errors = pixel_errors(views.target, made, options.error)
    still = views.still
    if still is None and options.auto_mask:
        still = pixel_errors(views.target, views.sources, options.error)
    losses, shown = {}, {"made": made}
    if predicted.logits is not None:
        shown["explained"] = predicted.logits.sigmoid()[:, :, None]
        losses["explainability"] = explainability(predicted.logits)
        errors = shown["explained"] * errors
    difference = None
    if predicted.depths is not None:
        difference = depth_difference(warped.depth.clamp(min=1e-3), warped.sample(predicted.depths))
    found = reconstruction(errors, seen, options, still=still)
    if difference is not None:
        losses["consistency"] = masked_mean(difference, found.counted & warped.seen)
        if options.consistency_mask:
            weighed = (1 - difference.detach()) * errors
            found = found._replace(loss=masked_mean(weighed, found.counted))
    losses["photometric"] = found.loss
    return losses, shown | {"counted": found.counted.to(errors.dtype)}


def snippet_views(images: Tensor, T_s_t: Tensor, intrinsics: Tensor) -> Views:
    """Snippets (B, L, 3, H, W) as views of their middle frame from the others, at motions (B, L-1, 4, 4)."""
    return Views(images[:, images.shape[1] // 2], images[:, others(images.shape[1])], T_s_t, intrinsics)


def image_pairs(images: Tensor) -> tuple[Tensor, Tensor]:
    """The target of snippets (B, L, 3, H, W), once for each source, and the sources: (B S, 3, H, W) each."""
    length = images.shape[1]
    return images[:, length // 2].repeat_interleave(length - 1, 0), images[:, others(length)].flatten(0, 1)


def _resized(views: Views, size: tuple[int, int]) -> Views:
    full = image_size(views.target)
    if full == size:
        return views
    sources = resize_images(views.sources.flatten(0, 1), size).unflatten(0, views.sources.shape[:2])
    intrinsics = resize_intrinsics(views.intrinsics, full, size)
    return Views(resize_images(views.target, size), sources, views.T_s_t, intrinsics)
