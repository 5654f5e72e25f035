"""Data sets keep the contract: what each declares is what its sequences, frames and pairs give, on small trees."""

import json

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
import torch

from vode.datasets.base import Capability, Sequence
from vode.datasets.kitti.splits import read_split
from vode.datasets.kitti.writer import GroundTruth, write_kitti_sequence
from vode.datasets.options import DataOptions
from vode.datasets.registry import DATASETS, dataset_class, open_dataset, open_sequences
from vode.errors import InputError
from vode.io.depth import write_depth
from vode.io.flow import write_flow
from vode.io.image import write_image
from vode.world.options import WorldOptions

SIZE = (12, 16)
VGA = (480, 640)
K = torch.tensor([[20.0, 0, 7.5], [0, 20.0, 5.5], [0, 0, 1]])
EYE = "1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n"
EIGEN = read_split("eigen_benchmark")[0]


def picture(path, size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, torch.full((3, *size), 0.4))


def depth_map(path, size=SIZE, unit=256.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_depth(path, torch.full((1, *size), 3.0), unit=unit)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def kitti_odom(root):
    poses, flow = torch.eye(4, dtype=torch.float64).repeat(2, 1, 1), (torch.ones(2, *SIZE), torch.ones(1, *SIZE))
    for name in ("00", "09", "10"):
        images, depths = torch.rand(2, 3, *SIZE), torch.ones(2, 1, *SIZE)
        write_kitti_sequence(root, name, 2, images, K, torch.arange(2.0), GroundTruth(poses, depths, [flow]))
        sequence = root / "sequences" / name
        with (sequence / "calib.txt").open("a") as file:
            file.write("P3: 20 0 7.5 -10 0 20 5.5 0 0 0 1 0\n")
        for number in range(2):
            picture(sequence / "image_3" / f"{number:06d}.png")


def kitti_raw(root):
    """One drive of the Eigen test, of two frames, the first of which the lists name."""
    drive, numbers = root / EIGEN.date / f"{EIGEN.drive}_sync", (EIGEN.number, EIGEN.number + 1)
    rotation, still = "0 -1 0 0 0 -1 1 0 0", "1 0 0 0 1 0 0 0 1"
    rows = (f"P_rect_0{k}: 20 0 7.5 {20 - 10 * k} 0 20 5.5 0 0 0 1 0\n" for k in (2, 3))
    write(root / EIGEN.date / "calib_cam_to_cam.txt", f"R_rect_00: {still}\n{''.join(rows)}")
    write(root / EIGEN.date / "calib_velo_to_cam.txt", f"R: {rotation}\nT: 0 0 0\n")
    write(root / EIGEN.date / "calib_imu_to_velo.txt", f"R: {still}\nT: 0 0 0\n")
    for number in numbers:
        for camera in (2, 3):
            picture(drive / f"image_{camera:02d}" / "data" / f"{number:010d}.png")
        write(drive / "oxts" / "data" / f"{number:010d}.txt", " ".join(["49", "8", "100", *["0"] * 22, *["4"] * 5]))
        scan = drive / "velodyne_points" / "data" / f"{number:010d}.bin"
        scan.parent.mkdir(parents=True, exist_ok=True)
        scan.write_bytes(np.array([[5, 0, 0, 0]], "<f4").tobytes())
    annotated = root / "annotated" / "val" / f"{EIGEN.drive}_sync" / "proj_depth" / "groundtruth" / "image_02"
    depth_map(annotated / f"{EIGEN.number:010d}.png")


def kitti_stereo(left, right, disparity):
    def build(root):
        for number in (10, 11):
            picture(root / left / f"000003_{number}.png")
            picture(root / right / f"000003_{number}.png")
        depth_map(root / disparity / "000003_10.png")
        rows = (f"P_rect_0{k}: 20 0 7.5 {20 - 10 * k} 0 20 5.5 0 0 0 1 0\n" for k in (2, 3))
        write(root / "calib_cam_to_cam" / "000003.txt", "".join(rows))
        (root / "flow_occ").mkdir()
        write_flow(root / "flow_occ" / "000003_10.png", torch.ones(2, *SIZE), torch.ones(1, *SIZE))

    return build


def nyu(root):
    (root / "office").mkdir()
    cv2.imwrite(str(root / "office" / "r-1.5-2.ppm"), np.zeros((*VGA, 3), np.uint8))
    with h5py.File(root / "nyu_depth_v2_labeled.mat", "w") as archive:
        archive["images"] = np.zeros((1, 3, *VGA[::-1]), np.uint8)
        archive["depths"] = np.ones((1, *VGA[::-1]), np.float32)
    scipy.io.savemat(root / "splits.mat", {"testNdxs": [[1]]})


def tum(root):
    folder = root / "rgbd_dataset_freiburg1_test"
    for kind in ("rgb", "depth"):
        write(folder / f"{kind}.txt", f"1.0 {kind}/1.png\n1.1 {kind}/2.png\n")
    for name in ("1", "2"):
        picture(folder / "rgb" / f"{name}.png", VGA)
        depth_map(folder / "depth" / f"{name}.png", VGA, 5000)
    write(folder / "groundtruth.txt", "".join(f"{t} 0 0 0 0 0 0 1\n" for t in (0.98, 1.05, 1.12)))


def seven_scenes(root):
    for part, number in (("Train", 1), ("Test", 2)):
        write(root / f"{part}Split.txt", f"sequence{number}\n")
        frame = root / f"seq-{number:02d}" / "frame-000000"
        picture(frame.with_suffix(".color.png"), VGA)
        depth_map(frame.with_suffix(".depth.png"), VGA, 1000)
        write(frame.with_suffix(".pose.txt"), EYE)


def cambridge(root):
    for part, name in (("train", "seq1/a"), ("test", "seq2/b")):
        write(root / f"dataset_{part}.txt", f"\n\n\n{name}.png 0 0 0 1 0 0 0\n")
        picture(root / f"{name}.png")
    rows = "\n".join(f"{name}.jpg 20 1 0 0 0 0 0 0 0 0" for name in ("seq1/a", "seq2/b"))
    write(root / "reconstruction.nvm", f"NVM_V3\n\n2\n{rows}\n\n1\n0 0 5 9 9 9 2 0 0 1 1 1 0 1 1\n")


def colmap(root):
    model = root / "sparse" / "0"
    write(model / "cameras.txt", "1 PINHOLE 16 12 20 20 8 6\n")
    write(model / "images.txt", "1 1 0 0 0 0 0 0 1 walk/a.png\n3.5 4.5 7\n")
    write(model / "points3D.txt", "7 0 0 5 9 9 9 0.1 1 0\n")
    picture(root / "images" / "walk" / "a.png")


def transforms(root):
    pose = np.diag([1.0, -1, -1, 1]).tolist()
    content = {"fl_x": 20, "frames": [{"file_path": "a.png", "transform_matrix": pose}]}
    for part in ("train", "test"):
        write(root / f"transforms_{part}.json", json.dumps(content))
    picture(root / "a.png")


def folder(root):
    picture(root / "walk" / "1.png")
    write(root / "camera.yaml", "width: 16\nheight: 12\nfx: 20\nfy: 20\ncx: 7.5\ncy: 5.5\n")


TREES = {
    **{"kitti-odom": kitti_odom, "kitti-raw": kitti_raw, "kitti-eigen": kitti_raw, "kitti-eigen-benchmark": kitti_raw},
    "kitti-2015": kitti_stereo("image_2", "image_3", "disp_occ_0"),
    "kitti-2012": kitti_stereo("colored_0", "colored_1", "disp_occ"),
    **{"nyu": nyu, "tum": tum, "7scenes": seven_scenes, "cambridge": cambridge, "colmap": colmap},
    **{"transforms": transforms, "folder": folder, "world": lambda root: None},
}
EXPORTS = "realitycapture", "metashape", "bundler", "polycam"


@pytest.fixture
def opened(tmp_path, monkeypatch, export_scene):
    """A data set of that name on its small tree."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def build(name, **options):
        root = tmp_path / name
        root.mkdir()
        export_scene(name, root) if name in EXPORTS else TREES[name](root)
        world = WorldOptions(size=(8, 24), frames=3)
        return open_dataset(DataOptions(name, root, **options), world=world, annotated=root / "annotated")

    return build


def evidence(sequence):
    """What a sequence gives when it is asked, whatever it declares."""
    count, given = len(sequence), set()
    for capability, shape, ask in (
        (Capability.DEPTH, (1, *sequence.size), sequence.depth),
        (Capability.STEREO, (3, *sequence.size), sequence.right),
        (Capability.FLOW, (2, *sequence.size), lambda i: (sequence.flow(i) or [None])[0]),
        (Capability.FLOW_BACK, (2, *sequence.size), lambda i: (sequence.flow_back(i) or [None])[0]),
    ):
        found = [value for i in range(count) if (value := ask(i)) is not None]
        assert all(tuple(value.shape) == shape for value in found)
        given |= {capability} if found else set()
    for capability, poses in ((Capability.POSES, sequence.poses), (Capability.MAP, sequence.poses_in_scene)):
        assert poses is None or (poses.shape, poses.dtype) == ((count, 4, 4), torch.float64)
        given |= set() if poses is None else {capability}
    return given | (set() if sequence.points(0) is None else {Capability.POINTS})


def scored(ask):
    """Whether there is something to score on."""
    try:
        return bool(ask())
    except InputError:
        return False


@pytest.mark.parametrize("name", DATASETS)
def test_what_a_set_declares_is_what_it_gives(name, opened):
    dataset = opened(name)
    assert dataset.name == name
    given = set()
    for split in ("train", "test") if name == "world" else ("all",):
        for sequence in map(dataset.open, dataset.names(split)[:3]):
            assert isinstance(sequence, Sequence)
            assert sequence.frame(0).shape == (3, *sequence.size)
            assert (sequence.camera.size, sequence.camera.distorts) == (sequence.size, False)
            torch.testing.assert_close(torch.tensor(sequence.camera.matrix).float(), sequence.intrinsics)
            # the test sequence of the world is long
            found = sequence.capabilities if len(sequence) > 10 else evidence(sequence)
            assert found == sequence.capabilities
            given |= found
    for capability, ask in ((Capability.DEPTH, dataset.depth_frames), (Capability.FLOW, dataset.flow_pairs)):
        if scored(ask):
            given.add(capability)
            assert capability in dataset.capabilities
    assert given == dataset.capabilities


@pytest.mark.parametrize("name", DATASETS)
def test_splits_are_parts_of_the_whole(name, opened):
    dataset = opened(name)
    every = dataset.names()
    # the drives of the Eigen test are listed, on disk or not
    assert name.startswith("kitti-eigen") or set(dataset.names("test")) <= set(every)
    if name not in ("kitti-raw", "kitti-eigen", "kitti-eigen-benchmark"):
        assert set(dataset.names("train")) <= set(every)
    assert len(every) == len(set(every)) > 0
    assert not set(dataset.names("validation")) & {*dataset.names("test"), *dataset.training()}


@pytest.mark.parametrize("name", DATASETS)
def test_what_is_not_declared_is_refused_by_name(name, opened):
    dataset = opened(name)
    for capability, ask in ((Capability.DEPTH, dataset.depth_frames), (Capability.FLOW, dataset.flow_pairs)):
        if capability not in dataset.capabilities:
            with pytest.raises(InputError, match=f"{name} has no ground truth of {capability}"):
                ask()
    own = dataset_class(name).own_options
    for option, value in {"fov": 90.0, "rotate": 90}.items():
        if option not in own:
            with pytest.raises(InputError, match=f"^{option}: not for {name}") as refusal:
                open_dataset(DataOptions(name, dataset.root, **{option: value}))
            assert refusal.value.parameters == (option,)


@pytest.mark.parametrize("name", [name for name in DATASETS if name not in ("world", "folder")])
def test_a_folder_of_something_else_is_refused_in_one_line(name, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing to see")
    dataset = open_dataset(DataOptions(name, tmp_path))
    for ask in (lambda: dataset.names("train"), lambda: dataset.open("2011_09_26_drive_0001")):
        with pytest.raises(InputError) as refusal:
            ask()
        assert str(tmp_path) in str(refusal.value)
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", [name for name in DATASETS if name not in ("world", "kitti-raw", "folder")])
def test_names_of_sequences_do_not_leave_the_root(name, tmp_path):
    picture(tmp_path / "seq" / "a.png")
    (tmp_path / "root" / "sequences").mkdir(parents=True)
    with pytest.raises(InputError):
        open_dataset(DataOptions(name, tmp_path / "root")).open("../seq")


def test_a_sequence_of_every_camera_or_a_part_of_it(tmp_path):
    root = tmp_path / "kitti"
    write_kitti_sequence(root, "00", 2, torch.rand(6, 3, 12, 40), torch.eye(3))
    folder = root / "sequences" / "00"
    (folder / "image_3").symlink_to(folder / "image_2")
    (folder / "calib.txt").write_text("\n".join(f"P{k}: 9 0 19 0 0 9 5 0 0 0 1 0" for k in range(4)))
    both = open_sequences(DataOptions("kitti-odom", root, camera=(2, 3)))
    assert [len(sequence) for sequence in both] == [6, 6]
    (part,) = open_dataset(DataOptions("kitti-odom", root, start=1, end=6, step=2)).sequences("train")
    assert len(part) == 3
    assert torch.equal(part.frame(1), both[0].frame(3))


def test_named_sequences_take_the_place_of_a_split_but_not_of_validation(opened):
    assert [s.name for s in opened("7scenes", sequences=("seq-02",)).sequences("train")] == ["seq-02"]
    world = opened("world", sequences=("7",))
    assert [s.name for s in world.sequences("train")] == ["world7"]
    assert [s.name for s in world.sequences("validation")] == [f"world{20000 + k}" for k in range(4)]
    assert opened("kitti-raw", sequences=(EIGEN.drive,)).sequences("validation") == []


def test_frames_that_a_sequence_keeps_are_validated_on(opened, monkeypatch):
    dataset = opened("kitti-odom", sequences=("00",))
    whole = dataset.open_whole("00", 2)
    whole.starts, whole.validation = (0,), (1,)
    monkeypatch.setattr(dataset, "open_whole", lambda name, camera: whole)
    (kept,) = dataset.sequences("validation")
    assert (kept.starts, dataset.sequences("train")[0].starts) == ((1,), (0,))


def test_a_missing_folder_is_asked_for():
    with pytest.raises(InputError, match="the data set tum needs its folder") as refusal:
        open_dataset(DataOptions("tum"))
    assert refusal.value.parameters == ("data",)
