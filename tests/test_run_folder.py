"""Run folders: what is written is read back, the first edition's are migrated, others are refused by name."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from vode.errors import InputError
from vode.losses.options import GeometryLossOptions
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.odometry.options import TrackerOptions
from vode.recipes import RECIPES, recipe
from vode.relocalization.config import RelocalizationConfig
from vode.relocalization.options import PoseNetOptions
from vode.run_folder import RunFolder
from vode.training.config import VideoConfig

CONFIGS = Path(__file__).parent / "configs"


def old(tmp_path, name, version=1, **changes):
    """A run folder with a configuration of an older version, of which some values are changed."""
    values = json.loads((CONFIGS / f"{name}_version_{version}.json").read_text()) | changes
    (tmp_path / "config.json").write_text(json.dumps(values))
    return RunFolder(tmp_path)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_read_back_as_it_was_written(name, tmp_path):
    folder, config = RunFolder(tmp_path / "run"), recipe(name)
    folder.write_config(config)
    assert folder.family() == config.family
    assert folder.read_config(type(config)) == config
    assert json.loads((tmp_path / "run" / "config.json").read_text())["version"] == 4


NOW = recipe("kitti-odom-small")
BEFORE = replace(
    NOW,
    start_from=None,
    tracker=TrackerOptions(refine="none", scale_from="depth"),
    flow=replace(NOW.flow, start="kaiming"),
    separate_images=False,
    motion=replace(NOW.motion, min_parallax=0.5),
    geometry_loss=GeometryLossOptions(scale="pair", images="mean", reprojection="flow", epipolar="visible"),
    **{
        name: replace(
            getattr(NOW, name),
            flow_loss=replace(getattr(NOW, name).flow_loss, directions="mean", mask="inside", ssim="reflected"),
        )
        for name in ("flow_stage", "depth_stage", "joint_stage")
    },
)
"""what the recipe was in older versions"""


def test_a_video_run_of_the_first_edition_is_migrated(tmp_path):
    found = old(tmp_path, "video").read_config(VideoConfig)
    expected = replace(
        BEFORE,
        data=Path("KITTI"),
        sequences=("00", "01"),
        visualize_every=50,
        validation_samples=8,
    )
    assert found == expected
    # 0.3 pixels at a width of 832, in pixels of images 416 wide
    assert found.motion.threshold == pytest.approx(0.15)


def test_a_relocalization_run_of_the_first_edition_is_migrated(tmp_path):
    found = old(tmp_path, "relocalization").read_config(RelocalizationConfig)
    pose = PoseNetOptions(rotation="6d", dropout=0.2)
    assert found == replace(recipe("posenet"), data=Path("redkitchen"), pose=pose)


@pytest.mark.parametrize(("imagenet", "weights"), [(True, "imagenet"), (False, "none")])
def test_a_video_run_of_version_2_is_migrated(tmp_path, imagenet, weights):
    depth = {"imagenet": imagenet, "scales": 1, "upsampling": "bilinear"}
    found = old(tmp_path, "video", version=2, depth=depth).read_config(VideoConfig)
    depth = replace(BEFORE.depth, encoder_weights=weights)
    assert found == replace(BEFORE, data=Path("KITTI"), depth=depth)


def test_a_video_run_of_version_3_keeps_what_was_the_default(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_config(recipe("world"))
    path = tmp_path / "config.json"
    values = json.loads(path.read_text()) | {"version": 3, "flow": {"search": 3}}
    values["flow_stage"]["flow_loss"] = {"scales": 4}
    values["geometry_loss"] = {"images": "sum"}
    del values["depth_stage"]["flow_loss"]
    path.write_text(json.dumps(values))
    found = folder.read_config(VideoConfig)
    assert (found.flow.search, found.flow.image, found.flow.start) == (3, "normalised", "kaiming")
    assert (found.flow_stage.flow_loss.scales, found.flow_stage.flow_loss.mask) == (4, "inside")
    assert (found.geometry_loss.images, found.geometry_loss.scale) == ("sum", "pair")
    assert (found.depth_stage.flow_loss.scales, found.depth_stage.flow_loss.mask) == (3, "inside")
    assert found.joint_stage.flow_loss == recipe("world").joint_stage.flow_loss


def test_a_relocalization_run_of_version_2_keeps_its_backbone(tmp_path):
    found = old(tmp_path, "relocalization", version=2).read_config(RelocalizationConfig)
    start = recipe("posenet")
    assert found == replace(start, data=Path("redkitchen"), pose=replace(start.pose, imagenet=True))


def test_a_run_of_another_family_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"config\.json: a run of the family video; one of relocalization is needed"):
        old(tmp_path, "video").read_config(RelocalizationConfig)


def test_an_unknown_key_names_itself_and_a_newer_version_its_number(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_config(recipe("world"))
    path = tmp_path / "config.json"
    values = json.loads(path.read_text())
    for changes, message in (
        ({"batches": 3}, "unknown key 'batches'"),
        ({"depth": {"scale": 4}}, "unknown key depth.'scale'"),
        ({"depth": {"scales": 3}}, "depth.scales.: 3 is none of 1, 4"),
        ({"depth": {"decoder": [16, 32]}}, r"decoder of \(16, 32\) channels"),
        ({"depth": {"decoder": [10**9] * 5}}, "give five of 1 to 1024"),
        ({"flow": {"search": 10**9}}, "a search of 1000000000 pixels"),
        ({"stride": float("inf")}, "stride.: inf does not fit"),
        ({"stride": "9" * 5000}, "stride.: '9+...9+' does not fit"),
        ({"depth": {"canonical_focal": -1}}, "focal length of -1.0 pixels"),
        ({"version": 7}, "version 7 of the configuration, 4 is the newest known"),
        ({"family": "audio"}, "family 'audio'; known are video, relocalization"),
        ({"size": 4}, "size.: 4 is not a list"),
        ({"version": 3, "geometry_loss": None}, "geometry_loss.: "),
        ({"version": 3, "flow_stage": {"flow_loss": []}}, "flow_stage.flow_loss.: "),
    ):
        path.write_text(json.dumps(values | changes))
        with pytest.raises(InputError, match=message) as caught:
            folder.read_config(VideoConfig)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


DEEP = "[" * 900 + "]" * 900


@pytest.mark.parametrize("text", ["", "[1, 2]", "{", "[" * 5000, DEEP, '{"version": 1, "motion": 3}'])
def test_files_that_are_no_configuration_are_refused(text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config\.json"):
        RunFolder(tmp_path).read_config(VideoConfig)
    with pytest.raises(InputError, match=r"nothing.config\.json: cannot be read"):
        RunFolder(tmp_path / "nothing").family()


def test_sizes_of_old_configurations_that_are_none_are_refused(tmp_path):
    for changes in ({"motion": {"threshold": [1]}}, {"size": [256, 10**400]}, {"size": [256, "wide"]}):
        with pytest.raises(InputError, match=r"config\.json: not a configuration of version 1"):
            old(tmp_path, "video", **{"motion": {"threshold": 1.0}} | changes).read_config(VideoConfig)


def test_networks_are_kept_by_their_kind(tmp_path):
    folder = RunFolder(tmp_path / "run")
    torch.manual_seed(0)
    networks = {"flow": FlowNet(), "depth": DepthNet(), "balance": torch.nn.Linear(1, 1)}
    folder.write_weights(networks)
    assert {path.name for path in folder.path.iterdir()} == {"flow.safetensors", "depth.safetensors"}
    loaded = folder.load_network(DepthNet).state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in networks["depth"].state_dict().items())


def test_what_a_run_has_seen_is_kept_and_passed_on_to_its_best(tmp_path):
    folder = RunFolder(tmp_path / "run")
    assert folder.kitti_drives() == frozenset()
    folder.write_config(recipe("world"))
    folder.write_data("kitti-odom", ("00",), {"2011_10_03_drive_0027"})
    folder.write_best({"depth": DepthNet()})
    assert folder.best.kitti_drives() == {"2011_10_03_drive_0027"}
    assert folder.best.read_config(VideoConfig) == recipe("world")
    (folder.path / "data.json").write_text("{}")
    with pytest.raises(InputError, match=r"data\.json: not a record of training data"):
        folder.kitti_drives()
