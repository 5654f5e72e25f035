"""Recipes: the schedule of the paper at full size, and each of them run at toy size on a tree of its data set."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import vode
from vode.datasets.kitti.odometry import LENGTHS, TRAIN
from vode.datasets.kitti.splits import is_validation, read_split
from vode.datasets.kitti.writer import write_kitti_sequence
from vode.errors import InputError
from vode.io.image import write_image
from vode.networks.options import DepthOptions
from vode.recipes import RECIPES, recipe
from vode.run_folder import RunFolder
from vode.training import loop, video
from vode.training.checkpoint import checkpoints
from vode.training.config import VideoConfig
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

DRIVE = "2011_09_26_drive_0001"


def sequence(size, frames=4):
    return WorldSequence(3, WorldOptions(size=size, frames=frames))


def kitti_odom(root):
    made = sequence((64, 96))
    write_kitti_sequence(root, "00", 2, [made.frame(i) for i in range(4)], made.intrinsics)


def kitti_eigen(root):
    made, date = sequence((64, 96)), root / DRIVE[:10]
    for camera in ("02", "03"):
        folder = date / f"{DRIVE}_sync" / f"image_{camera}" / "data"
        folder.mkdir(parents=True)
        for i in range(4):
            write_image(folder / f"{i:010d}.png", made.frame(i))
    rows = [f"P_rect_{camera}: 55 0 47.5 0 0 55 31 0 0 0 1 0" for camera in ("02", "03")]
    (date / "calib_cam_to_cam.txt").write_text("\n".join(["R_rect_00: 1 0 0 0 1 0 0 0 1", *rows]))
    (date / "calib_velo_to_cam.txt").write_text("R: 0 -1 0 0 0 -1 1 0 0\nT: 0 0 0")


def nyu(root):
    (root / "kitchen").mkdir(parents=True)
    made = sequence((480, 640), frames=2)
    for i in range(12):
        write_image(root / "kitchen" / f"{i}.jpg", made.frame(i // 6))


def tum(root):
    folder = root / "rgbd_dataset_freiburg3_toy"
    (folder / "rgb").mkdir(parents=True)
    made = sequence((480, 640), frames=2)
    for i in range(4):
        write_image(folder / "rgb" / f"{i}.png", made.frame(i // 2))
    (folder / "rgb.txt").write_text("".join(f"{i}.0 rgb/{i}.png\n" for i in range(4)))


def folder(root):
    root.mkdir()
    for i in range(3):
        write_image(root / f"{i}.png", sequence((64, 96)).frame(i))


TREES = {
    "kitti-odom": kitti_odom,
    "kitti-eigen": kitti_eigen,
    "trianflow": kitti_eigen,
    "nyu": nyu,
    "tum": tum,
    "folder": folder,
}


def test_the_schedules_are_20_20_and_10_epochs_of_the_paper():
    pairs = sum(LENGTHS[int(name)] - 1 for name in TRAIN)
    assert pairs == 20_400
    frames = 2 * sum(not is_validation(frame) for frame in read_split("zhou"))
    for name, count in (("kitti-odom", pairs - pairs % 8), ("kitti-eigen", frames)):
        config = recipe(name)
        assert (config.size, config.batch) == ((256, 832), 8)
        stages = (config.flow_stage, config.depth_stage, config.joint_stage)
        assert [stage.steps for stage in stages] == [epochs * count // 8 for epochs in (20, 20, 10)]
        assert {stage.learning_rate for stage in stages} == {1e-4}
        assert config.flow_stage.weights.flow_smoothness == 10
    # the released 0.002 for the sum of both directions of flow
    assert recipe("kitti-odom").joint_stage.weights.epipolar == 0.002
    assert recipe("kitti-odom").augment == recipe("trianflow").augment


def test_trianflow_is_its_released_configuration():
    config, small = recipe("trianflow"), recipe("trianflow-small")
    weights = [stage.weights for _, stage in config.plan()]
    assert [stage.steps for _, stage in config.plan()] == [200_000] * 3
    assert [(w.flow_photometric, w.flow_smoothness) for w in weights] == [(1, 10)] * 3
    assert [w.triangulated_depth for w in weights] == [1, 1, 0]
    assert [w.reprojection_depth for w in weights] == [0.1, 0.1, 0]
    assert [w.reprojection_flow for w in weights] == [0, 0, 0.01]
    assert [w.depth_smoothness for w in weights] == [0.001, 0.001, 0]
    assert weights[2].epipolar == 0.002
    assert (config.clip, config.augment.flip, config.camera, config.joint_flow_only) == (0, 0.5, (2,), True)
    assert (config.depth.encoder_weights, small.depth.encoder_weights) == ("imagenet", "none")
    assert config.separate_images
    assert config.motion.min_parallax == 0
    assert vars(config.geometry_loss) == {"scale": "image", "images": "sum", "reprojection": "depth", "epipolar": "all"}
    released = {"directions": "sum", "mask": "consistent", "ssim": "masked", "edges": "second", "outside": "zeros"}
    for _, stage in config.plan():
        assert vars(stage.flow_loss) == {"scales": 3, "decay": 1.0, **released}
    assert vars(config.flow) == {
        "search": 4, "normalise": False, "image": "raw", "cost": "mean", "outside": "zeros", "outputs": "levels",
        "start": "torch",
    }  # fmt: skip
    same = (
        "flow",
        "motion",
        "triangulation_loss",
        "geometry_loss",
        "separate_images",
        "replacement",
        "augment",
        "clip",
    )
    for name in same:
        assert getattr(small, name) == getattr(config, name), name
    for stage in ("flow_stage", "depth_stage", "joint_stage"):
        assert replace(getattr(small, stage), steps=200_000) == getattr(config, stage)


@pytest.mark.parametrize("name", TREES)
def test_recipes_run_at_toy_size(name, tmp_path, monkeypatch):
    monkeypatch.setattr(video, "score_run", lambda *_: {})
    TREES[name](tmp_path / "data")
    config = recipe(name)
    stages = {
        f"{stage}_stage": replace(getattr(config, f"{stage}_stage"), steps=2) for stage in ("flow", "depth", "joint")
    }
    config = replace(
        config,
        **stages,
        data=tmp_path / "data",
        size=(64, 96),
        batch=2,
        workers=0,
        device="cpu",
        fov=82.0 if name == "folder" else None,
        # nothing is downloaded here
        depth=replace(config.depth, encoder_weights="none"),
        motion=replace(config.motion, count=200),
    )
    assert loop.train(config, tmp_path / "run").keys() >= {"minutes"}
    content = torch.load(checkpoints(RunFolder(tmp_path / "run"))[0], weights_only=True)
    assert content["done"] == 6
    assert all(value.isfinite().all() for value in content["networks"].values())


def test_every_recipe_of_videos_that_needs_data_is_tried():
    videos = {name for name, config in RECIPES.items() if isinstance(config, VideoConfig)}
    assert videos - set(TREES) == {"world", "kitti-odom-small", "trianflow-small"}


def test_real_video_starts_from_the_shipped_weights_and_says_what_it_cannot_change():
    started = {name for name, config in RECIPES.items() if config.start_from == Path("vode-small")}
    assert started == {*TREES, "kitti-odom-small", "adapt"} - {"trianflow"}
    config = replace(recipe("kitti-odom"), depth=DepthOptions(encoder="resnet50"))
    with pytest.raises(InputError, match="start_from"):
        config.functions().networks(config, fresh=True)
    assert config.functions().networks(replace(config, start_from=None, depth=DepthOptions()), fresh=True)
    again = replace(recipe("vode-small"), start_from=Path("vode-small"))
    assert again.functions().networks(again, fresh=True)["depth"].options.edge_ratio == 1.2


def test_recipes_of_places_differ_in_their_loss_and_how_it_is_trained():
    learned, beta, geometric = (recipe(f"posenet{name}") for name in ("", "-beta", "-geometric"))
    assert [config.pose_loss.kind for config in (learned, beta, geometric)] == ["learned", "beta", "geometric"]
    assert beta.pose_loss.beta == 500
    assert replace(beta, pose_loss=learned.pose_loss) == learned
    same = replace(geometric, pose_loss=learned.pose_loss, pose=learned.pose)
    same = replace(same, coarse_stage=learned.coarse_stage, pose_stage=learned.pose_stage)
    assert same == learned
    assert not geometric.coarse_stage.steps
    assert (learned.views.resize, learned.size, learned.augment.flip) == (256, (224, 224), 0)


def test_the_small_recipes_of_pose_networks_learn_motion_first():
    begun = {name for name, config in RECIPES.items() if "motion" in dict(config.plan())}
    methods = ("sfmlearner", "monodepth2", "monodepth2-mono-stereo", "sc-sfmlearner", "geonet", "posenet-flow")
    assert begun == {f"{method}-small" for method in methods}
    for name in begun:
        motion, depth = (dict(RECIPES[name].plan())[stage].weights for stage in ("motion", "depth"))
        # what the depth alone could lower has no weight; what keeps the masks of the motion from vanishing has
        assert (motion.smoothness, motion.consistency) == (0, 0)
        assert (motion.photometric, motion.explainability) == (depth.photometric, depth.explainability)


def test_a_start_that_adaptation_keeps_is_tracked_as_before():
    assert RECIPES["adapt"].tracker == vode.load("vode-small", device="cpu").tracker
    assert RECIPES["adapt"].motion.flow == "classical"
