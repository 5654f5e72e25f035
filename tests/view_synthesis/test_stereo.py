"""Stereo as a source: exact depth in metres explains the right image, whatever the scale and the camera."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from vode.datasets.base import Capability, Sequence, known
from vode.datasets.sample import collate
from vode.errors import InputError
from vode.networks.depth import DepthNet
from vode.networks.options import DepthOptions, PoseOptions
from vode.networks.pose import PoseNet
from vode.recipes import recipe
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.training.tasks.base import total_loss
from vode.view_synthesis.options import SnippetOptions, SynthesisOptions, SynthesisWeights
from vode.view_synthesis.stereo import in_stereo, metric, with_right
from vode.view_synthesis.task import ViewSynthesisTask, snippet_views
from vode.view_synthesis.warp import inverse_warp

STEREO = frozenset({Capability.STEREO, Capability.DEPTH})
PHOTOMETRIC = SynthesisWeights(smoothness=0)
FOCAL = 80.0
"""canonical focal length, not that of the sequence"""


class Given(DepthNet):
    """Predicts depth in metres (B, 1, H, W) that is given, at four scales."""

    def __init__(self, depth, focal):
        super().__init__(DepthOptions(scales=4, canonical_focal=FOCAL))
        self.given, self.focal = depth, focal

    def forward(self, image):
        lowest, increase = self.options.disparity
        sigma = (self.focal / FOCAL / self.given - lowest) / increase
        return [F.interpolate(sigma, scale_factor=0.5**k, mode="nearest") for k in range(4)]


@pytest.fixture(scope="module")
def pair(sequence):
    sample = ClipDataset([sequence], ClipShape(1), ground_truth=STEREO)[1]
    depth = sample.pop("depth")
    return collate([sample]) | {"depth": torch.where(depth > 0, depth, 1e4)}


def views_of(batch):
    images = batch["images"]
    views = snippet_views(images, images.new_zeros(len(images), 0, 4, 4), batch["intrinsics"])
    return with_right(views, batch["right"][:, 0], batch["baseline"])


def test_the_exact_depth_in_metres_makes_the_target_from_the_right_image(pair):
    views = views_of(pair)
    errors = []
    for factor in (1, 2, -1):
        warped = inverse_warp(pair["depth"], views.T_s_t * torch.tensor([1, 1, 1, factor]), views.intrinsics)
        made = warped.sample(views.sources)[:, 0]
        errors.append((made - views.target).abs()[warped.seen[:, 0].expand_as(made)].median().item())
    assert errors[0] < 0.006
    assert errors[0] < errors[1] / 3
    assert errors[0] < errors[2] / 3


@pytest.mark.parametrize("compared_at", ["full", "own"])
def test_the_true_depth_has_the_least_loss_at_every_scale(sequence, pair, compared_at):
    options, focal = SynthesisOptions(compared_at=compared_at), float(sequence.intrinsics[1, 1])
    losses = []
    for factor in (0.75, 1.0, 1.3):
        task = ViewSynthesisTask(Given(factor * pair["depth"], focal), None, options, PHOTOMETRIC)
        losses.append(task(pair).losses["photometric"].item())
    assert losses[1] == min(losses)
    assert losses[1] < 0.75 * max(losses)


def test_stereo_and_motion_train_depth_and_pose_together(sequence):
    batch = collate([ClipDataset([sequence], ClipShape(3), ground_truth={Capability.STEREO})[0]])
    torch.manual_seed(0)
    depth = DepthNet(DepthOptions(scales=4, canonical_focal=FOCAL))
    pose = PoseNet(PoseOptions(network="resnet18"))
    options = SynthesisOptions(sources="minimum", auto_mask=True)
    task = ViewSynthesisTask(depth, pose, options)
    assert task.trained() == [depth, pose]
    total_loss(task(batch).losses, task.weights).backward()
    assert all(head.weight.grad.abs().sum() > 0 for head in depth.heads)
    assert pose.encoder.pose.weight.grad.abs().sum() > 0
    # with a third source the minimum is no larger
    alone = task({key: batch[key] for key in ("images", "intrinsics")}).losses["photometric"]
    unmasked = dataclasses.replace(options, auto_mask=False, outside="border")
    with_stereo, without = (
        ViewSynthesisTask(depth, pose, unmasked)(each).losses["photometric"].item()
        for each in (batch, {key: batch[key] for key in ("images", "intrinsics")})
    )
    assert alone.isfinite()
    assert with_stereo < without


def test_sequences_without_a_right_camera_are_named():
    class Drive(Sequence):
        name, size, intrinsics, baseline = "drive", (4, 6), torch.eye(3), 0.5
        capabilities = known(stereo=True)

        def __len__(self):
            return 6

        def has_right(self, index):
            return index != 2

    kept = in_stereo([Drive()], SnippetOptions(length=2, stereo=True))[0].starts
    # the last frame begins no snippet, which the samples know
    assert kept == (0, 3, 4, 5)
    assert in_stereo([Drive()], SnippetOptions(length=1, stereo=True))[0].starts == (0, 1, 3, 4, 5)
    Drive.has_right = lambda self, index: False
    with pytest.raises(InputError, match="drive: no images of the right camera"):
        in_stereo([Drive()], SnippetOptions(length=1, stereo=True))
    Drive.baseline = None
    with pytest.raises(InputError, match="drive: no camera on its right that is calibrated"):
        in_stereo([Drive()], SnippetOptions(length=1, stereo=True))


def test_the_canonical_focal_length_is_that_of_the_training_cameras(sequence):
    height, width = sequence.size
    found = metric(DepthOptions(), [sequence], (height // 2, width))
    assert found.canonical_focal == pytest.approx(float(sequence.intrinsics[1, 1]) / 2)
    kept = DepthOptions(canonical_focal=123.0)
    assert metric(kept, [sequence], (height, width)) == kept


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"snippet": SnippetOptions(length=3, stereo=True)}, "single stereo pairs"),
        ({"depth": DepthOptions(scales=4)}, "wants the disparities of both cameras"),
        ({"objective": "views"}, "no use for the disparities of two cameras"),
    ],
)
def test_options_that_contradict_the_objective_are_refused(change, problem):
    with pytest.raises(InputError, match=problem):
        dataclasses.replace(recipe("monodepth-small"), **change)


def test_one_frame_is_enough_only_with_stereo():
    with pytest.raises(InputError, match="give 2 or more"):
        SnippetOptions(length=1)
