"""Cambridge Landmarks: a tree in its layout, poses judged by SciPy's rotations, and what is refused."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.datasets.mapped.cambridge import CambridgeDataset, CambridgeSequence
from vode.errors import InputError
from vode.io.image import write_image

SIZE = 48, 64
HEAD = "Visual Landmark Dataset V1\nImageFile, Camera Position [X Y Z W P Q R]\n\n"
TRAINING = "seq1/frame00003.png", "seq1/frame00001.png", "seq3/frame00001.png"
TESTING = "seq2/frame00001.png", "seq2/frame00002.png"
ALL = TRAINING + TESTING


def ground_truth(name):
    """World-from-camera rotation and the camera's centre."""
    k = ALL.index(name)
    return Rotation.from_euler("xyz", [20 * k, 100 - 30 * k, 15 * k], degrees=True), np.array([1.0 * k, 2, -k * k])


def line(name):
    rotation, centre = ground_truth(name)
    x, y, z, w = rotation.inv().as_quat()
    return " ".join([name, *(f"{value:.9f}" for value in (*centre, w, x, y, z))]) + "\n"


def write_lists(root, training=None, testing=None):
    """Both lists, with the given lines below the head in place of the right ones."""
    (root / "dataset_train.txt").write_text(HEAD + ("".join(map(line, TRAINING)) if training is None else training))
    (root / "dataset_test.txt").write_text(HEAD + ("".join(map(line, TESTING)) if testing is None else testing))


def write_map(root, focals):
    """A map with the focal lengths of images by their names; the quaternion, the centre and so on are not read."""
    rows = "".join(f"{name}\t{focal} 1 0 0 0 0 0 0 -0.1 0 \n" for name, focal in focals.items())
    (root / "reconstruction.nvm").write_text(f"NVM_V3 \n\n{len(focals)}\n{rows}\n0\n")


@pytest.fixture
def scene(tmp_path):
    """Three training images in two folders and two test images in a third, each of another grey; no map."""
    for k, name in enumerate(ALL):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_image(tmp_path / name, torch.full((3, *SIZE), 0.1 + 0.2 * k))
    write_lists(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("sequence", "names"),
    [
        ("seq1", ("seq1/frame00001.png", "seq1/frame00003.png")),
        ("seq2", TESTING),
        ("train", ("seq1/frame00001.png", "seq1/frame00003.png", "seq3/frame00001.png")),
        ("test", TESTING),
    ],
)
def test_folders_and_lists_give_their_images_with_their_poses(scene, sequence, names):
    found = CambridgeSequence(scene, sequence)
    assert [path.relative_to(scene).as_posix() for path in found.images] == list(names)
    first_rotation, first_centre = ground_truth(names[0])
    for i, name in enumerate(names):
        rotation, centre = ground_truth(name)
        np.testing.assert_allclose(found.poses_in_scene[i, :3, :3], rotation.as_matrix(), atol=1e-8)
        np.testing.assert_allclose(found.poses_in_scene[i, :3, 3], centre, atol=1e-8)
        np.testing.assert_allclose(found.poses[i, :3, :3], (first_rotation.inv() * rotation).as_matrix(), atol=1e-8)
        moved = first_rotation.inv().apply(centre - first_centre)
        np.testing.assert_allclose(found.poses[i, :3, 3], moved, atol=1e-6)
        assert found.frame(i).sub(0.1 + 0.2 * ALL.index(name)).abs().max() < 3e-3


def test_sequences_are_named_by_the_lists(scene):
    assert CambridgeDataset(scene).names() == ("seq1", "seq2", "seq3")
    assert CambridgeDataset(scene).names("train") == ("seq1", "seq3")
    assert CambridgeDataset(scene).names("test") == ("seq2",)
    assert CambridgeDataset(scene).official() == {"train": 3, "test": 2}
    assert CambridgeDataset(scene / "ShopFacade").official() == {"train": 231, "test": 103}
    (scene / "dataset_test.txt").unlink()
    assert CambridgeDataset(scene).names() == ("seq1", "seq3")
    (scene / "dataset_train.txt").unlink()
    with pytest.raises(InputError, match=r"no dataset_train.txt in it"):
        CambridgeDataset(scene).names()


def test_the_focal_length_is_the_median_of_the_maps(scene):
    focals = dict(zip(TRAINING, (70, 71, 900), strict=True)) | {"seq2/frame00001.png": 80, "seq9/frame00001.png": 5}
    write_map(scene, {name.replace(".png", ".jpg"): focal for name, focal in focals.items()})
    sequence = CambridgeSequence(scene, "train")
    expected = torch.tensor([[71, 0, 31.5], [0, 71, 23.5], [0, 0, 1]])
    torch.testing.assert_close(sequence.intrinsics, expected)
    assert not sequence.notes
    assert CambridgeSequence(scene, "seq2").intrinsics[0, 0] == 80


@pytest.mark.parametrize("focals", [None, {}, {"seq2/frame00001.jpg": 80}, {"seq1/frame00001.jpg": "nan"}])
def test_without_a_map_of_the_images_the_usual_focal_length_is_taken_and_noted(scene, focals):
    if focals is not None:
        write_map(scene, focals)
    sequence = CambridgeSequence(scene, "seq1")
    # 744.375 pixels of images 480 high
    torch.testing.assert_close(sequence.intrinsics.diagonal(), torch.tensor([74.4375, 74.4375, 1]))
    (note,) = sequence.notes
    assert "no focal lengths of these images" in note


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begins with NVM_V3"),
        ("3\nseq1/frame00001.jpg 70\n", "begins with NVM_V3"),
        ("NVM_V3\n\n", "no number of images"),
        ("NVM_V3\n\nmany\n", "no number of images"),
        ("NVM_V3\n\n\u00b2\n", "no number of images"),
        ("NVM_V3\n\n-1\n", "no number of images"),
        (f"NVM_V3\n\n{'9' * 5000}\n", "no number of images"),
        ("NVM_V3\n\n1\nseq1/frame00001.jpg\n", r"nvm:4: not NAME FOCAL"),
        ("NVM_V3\n\n1\nseq1/frame00001.jpg wide 1 0 0 0\n", r"nvm:4: not NAME FOCAL"),
        ("NVM_V3\n\n99999999\nseq1/frame00001.jpg 70 1\n\n0\n", r"nvm:5: not NAME FOCAL"),
        ("NVM_V3\n\n99999999\nseq1/frame00001.jpg 70 1\n", r"nvm: cut short, 1 of 99999999 images"),
    ],
)
def test_bad_maps_are_named(scene, text, says):
    (scene / "reconstruction.nvm").write_text(text)
    with pytest.raises(InputError, match=says):
        CambridgeSequence(scene, "seq1")


@pytest.mark.parametrize("values", ["1 2 3 0 0 0 0", "1 2 3 nan 0 0 0", "inf 2 3 1 0 0 0", "1 2 nan 1 0 0 0"])
def test_useless_poses_and_missing_images_are_left_out_and_counted(scene, values):
    lines = f"{TESTING[0]} {values}\n{line(TESTING[1])}{line(TESTING[1]).replace('00002', '00009')}"
    write_lists(scene, testing=lines)
    sequence = CambridgeSequence(scene, "seq2")
    assert [path.name for path in sequence.images] == ["frame00002.png"]
    assert sequence.notes[0].startswith("1 of 3 images are missing: first")
    assert sequence.notes[1].startswith("1 of 2 images whose pose is not finite or no rotation")
    (scene / TESTING[1]).unlink()
    with pytest.raises(InputError, match="no image has a usable pose"):
        CambridgeSequence(scene, "seq2")
    (scene / TESTING[0]).unlink()
    with pytest.raises(InputError, match="not one of its 3 images is there"):
        CambridgeSequence(scene, "seq2")


def test_images_that_no_list_names_are_counted(scene):
    write_lists(scene, training=line(TRAINING[0]) + line(TRAINING[2]), testing="./" + line(TESTING[0]))
    (scene / "seq1" / "notes.txt").touch()
    for sequence, says in {"seq1": "1 of 2", "seq2": "1 of 2", "train": "1 of 3", "test": "1 of 2"}.items():
        found = CambridgeSequence(scene, sequence)
        assert found.notes[-1].startswith(f"{says} images are in no list: first {scene}")
    assert found.notes[-1].endswith(TESTING[1])
    assert len(CambridgeSequence(scene, "seq3").notes) == 1


def test_a_scene_of_one_image_is_read(scene):
    write_lists(scene, training=line(TRAINING[2]))
    sequence = CambridgeSequence(scene, "train")
    assert len(sequence) == 1
    torch.testing.assert_close(sequence.poses[0], torch.eye(4, dtype=torch.float64))


def test_points_of_the_map_lie_where_its_images_saw_them(scene):
    focal, random = 61.5, np.random.default_rng(3)
    points = random.uniform(-30, 30, (1500, 3))
    # VisualSFM has the images in its own order, and measures from the middle of an image
    names, seen = [ALL[i] for i in (4, 0, 3, 1)], {}
    tracks = [[] for _ in points]
    for k, name in enumerate(names):
        rotation, centre = ground_truth(name)
        inside = rotation.inv().apply(points - centre)
        pixels = {i: focal * p[:2] / p[2] for i, p in enumerate(inside) if p[2] > 0.5 and i % 5 != k}
        seen[name] = {i: (x, y) for i, (x, y) in pixels.items() if abs(x) < 32 and abs(y) < 24}
        for i, (x, y) in seen[name].items():
            tracks[i].append(f"{k} {100 + i} {x:.6f} {y:.6f}")
    rows = [line(name).split() for name in names]
    cameras = [f"{row[0][:-3]}jpg\t{focal} {' '.join([*row[4:], *row[1:4]])} 0 0 \n" for row in rows]
    cloud = [
        f"{' '.join(f'{x:.12g}' for x in point)} 10 20 30 {len(track)} {' '.join(track)} \n"
        for point, track in zip(points, tracks, strict=True)
    ]
    head = f"NVM_V3 \n\n{len(names)}\n{''.join(cameras)}\n{len(points)}\n"
    (scene / "reconstruction.nvm").write_text(f"{head}{''.join(cloud)}\n\n\n0\n\n#the last part of NVM file\n0\n")
    for part, count in (("train", 2), ("seq2", 2)):
        sequence = CambridgeSequence(scene, part)
        for i, file in enumerate(sequence.images):
            expected = seen.get(file.relative_to(scene).as_posix(), {})
            places = np.linalg.solve(
                sequence.poses_in_scene[i].numpy(), np.c_[sequence.points(i), np.ones(len(expected))].T
            )
            x, y, z = sequence.intrinsics.double().numpy() @ places[:3]
            middle = [(SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2]
            pixels = np.array([expected[n] for n in sorted(expected)]).reshape(-1, 2) + middle
            np.testing.assert_allclose(np.stack([x / z, y / z], -1), pixels, atol=1e-3)
            count -= len(expected) > 10
        assert count == 0


def test_without_a_map_points_are_not_known_and_a_bad_one_is_named_when_they_are_asked_for(scene):
    sequence = CambridgeSequence(scene, "seq1")
    assert sequence.points(0) is None
    write_map(scene, {"seq1/frame00001.jpg": 70})
    sequence = CambridgeSequence(scene, "seq1")
    assert [sequence.points(i).shape for i in range(2)] == [(0, 3), (0, 3)]
    path = scene / "reconstruction.nvm"
    path.write_text(path.read_text().replace("\n\n0\n", "\n\n5\n"))
    with pytest.raises(InputError, match=r"nvm: cut short, 0 of 5 points; copy it again"):
        CambridgeSequence(scene, "seq1").points(0)


def test_quaternions_of_any_length_are_turns(scene):
    write_lists(scene, testing=f"{TESTING[0]} 1 2 3 2 2 0 0\n")
    # a quarter turn about x takes the world to the camera, so its inverse takes the camera to the world
    expected = Rotation.from_euler("x", -90, degrees=True).as_matrix()
    np.testing.assert_allclose(CambridgeSequence(scene, "seq2").poses_in_scene[0, :3, :3], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("training", "says"),
    [
        ("", "not 3 lines of head"),
        ("seq1/frame00001.png 1 2 3 1 0 0\n", r"dataset_train.txt:4: not NAME X Y Z QW QX QY QZ"),
        ("seq1/frame00001.png 1 2 3 1 0 0 0 0\n", r"dataset_train.txt:4: not NAME X Y Z"),
        ("seq1/frame00001.png 1 2 3 1 0 0 zero\n", r"dataset_train.txt:4: not NAME X Y Z"),
        (line(TRAINING[0]) + "\n" + line(TRAINING[1]), r"dataset_train.txt:5: not NAME X Y Z"),
        ("../frame00001.png 1 2 3 1 0 0 0\n", "leads out of this folder"),
        ("seq1/../../x.png 1 2 3 1 0 0 0\n", "leads out of this folder"),
        ("/etc/passwd 1 2 3 1 0 0 0\n", "leads out of this folder"),
        (f"seq1/{'a' * 300} 1 2 3 1 0 0 0\n", "not one of its 1 images is there"),
    ],
)
def test_bad_lists_are_named(scene, training, says):
    write_lists(scene, training)
    with pytest.raises(InputError, match=says):
        CambridgeSequence(scene, "train")


def test_what_is_not_there_is_named(scene):
    with pytest.raises(InputError, match="no image of 'seq4' is listed"):
        CambridgeSequence(scene, "seq4")
    (scene / "dataset_train.txt").write_text("".join(map(line, TRAINING * 2)))
    with pytest.raises(InputError, match=r"dataset_train.txt: not 3 lines of head"):
        CambridgeSequence(scene, "train")
    (scene / "dataset_train.txt").unlink()
    with pytest.raises(InputError, match=r"dataset_train.txt: no such file"):
        CambridgeSequence(scene, "train")


def test_images_of_another_size_are_refused(scene):
    write_image(scene / TESTING[1], torch.zeros(3, 24, 32))
    with pytest.raises(InputError, match="32x24 pixels, not 64x48"):
        CambridgeSequence(scene, "seq2").frame(1)
