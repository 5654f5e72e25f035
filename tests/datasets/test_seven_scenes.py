"""7-Scenes: a tree in its layout, poses of no use, and the real sample's own truth."""

import pytest
import torch

from vode.datasets.seven_scenes import T_DEPTH_COLOUR, SevenScenes, SevenScenesDataset, read_sequences
from vode.errors import InputError
from vode.geometry.camera import project, transform, unproject
from vode.geometry.pose import inverse, so3_exp
from vode.geometry.warp import inside, sample
from vode.io.depth import read_depth, write_depth
from vode.io.image import write_image


def pose(k):
    T = torch.eye(4, dtype=torch.float64)
    T[:3, :3] = so3_exp(torch.tensor([0.0, 0.1 * k, 0.0], dtype=torch.float64))
    T[:3, 3] = torch.tensor([1.0 + k, 2.0, 3.0])
    return T


def text(T):
    return "\n".join(" ".join(f"{x:.9e}" for x in row) for row in T.tolist()) + "\n"


@pytest.fixture
def scene(tmp_path):
    """A scene of one sequence: four frames, of which the second has no pose and the third a singular one."""
    folder = tmp_path / "seq-01"
    folder.mkdir()
    (tmp_path / "TrainSplit.txt").write_text("sequence1\n")
    (tmp_path / "TestSplit.txt").write_text("sequence12\n")
    poses = [
        text(pose(0)),
        text(pose(1)).replace(text(pose(1)).split()[0], "-1.#IND"),
        text(0 * pose(2)),
        text(pose(3)),
    ]
    for k in range(4):
        write_image(folder / f"frame-{k:06d}.color.png", torch.full((3, 480, 640), 0.2 * k))
        depth = torch.full((1, 480, 640), 1.0 + k)
        depth[:, :, 0] = 65.535
        write_depth(folder / f"frame-{k:06d}.depth.png", depth, unit=1000)
        (folder / f"frame-{k:06d}.pose.txt").write_text(poses[k])
    return tmp_path


def test_frames_with_a_pose_are_read_and_the_others_counted(scene):
    sequence = SevenScenes(scene, "seq-01")
    assert len(sequence) == 2
    assert sequence.notes == ("2 of 4 frames whose pose is not finite or no rotation are left out",)
    assert sequence.frame(1).sub(0.6).abs().max() < 3e-3
    assert sequence.depth(1)[0, 240, 320] == pytest.approx(4.0, rel=2e-3)
    assert not sequence.depth(1)[0, :, 0].any()
    torch.testing.assert_close(sequence.poses[1], inverse(pose(0)) @ pose(3), atol=1e-8, rtol=0)
    torch.testing.assert_close(sequence.poses_in_scene[1], pose(3), atol=1e-8, rtol=0)
    assert SevenScenesDataset(scene).names("train") == ("seq-01",)
    assert read_sequences(scene / "TestSplit.txt") == ("seq-12",)
    (scene / "seq-01" / "frame-000000.depth.png").unlink()
    assert sequence.depth(0) is None


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("TrainSplit.txt", "../sequence1\n", "TrainSplit.txt:1"),
        ("TrainSplit.txt", "", "names no sequence"),
        ("seq-01/frame-000000.pose.txt", "1 0 0 0\n", "not the 4 of a pose"),
        ("seq-01/frame-000000.pose.txt", "1 0 0 0\n0 1 0\n0 0 1 0\n0 0 0 1\n", r"pose.txt:2"),
    ],
)
def test_bad_files_are_named(scene, file, content, says):
    (scene / file).write_text(content)
    with pytest.raises(InputError, match=says):
        SevenScenesDataset(scene).sequences("train")


def test_what_is_not_there_is_named(scene):
    with pytest.raises(InputError, match="seq-02"):
        SevenScenes(scene, "seq-02")
    for k in range(4):
        (scene / "seq-01" / f"frame-{k:06d}.pose.txt").write_text(text(0 * pose(0)))
    with pytest.raises(InputError, match="no frame has a usable pose"):
        SevenScenes(scene, "seq-01")


def test_a_scene_of_one_frame_is_read_and_poses_without_an_image_are_counted(scene):
    for k in (1, 2, 3):
        (scene / "seq-01" / f"frame-{k:06d}.color.png").unlink()
    sequence = SevenScenes(scene, "seq-01")
    assert (len(sequence), sequence.points(0)) == (1, None)
    torch.testing.assert_close(sequence.poses[0], torch.eye(4, dtype=torch.float64), atol=1e-12, rtol=0)
    (note,) = sequence.notes
    assert note.startswith("3 of 4 poses have no image: first")
    assert note.endswith("frame-000001.pose.txt")
    (scene / "seq-01" / "frame-000000.pose.txt").unlink()
    with pytest.raises(InputError, match=r"frame-000000.pose.txt: no such file"):
        SevenScenes(scene, "seq-01")


def test_depth_is_carried_over_into_the_colour_camera(scene):
    """A wall before the depth camera, which the colour camera beside it sees a little turned, and not to its edges."""
    sequence = SevenScenes(scene, "seq-01")
    depth = sequence.depth(1)[0]
    T_colour_depth = inverse(T_DEPTH_COLOUR)
    normal, centre = T_colour_depth[:3, 2], T_colour_depth[:3, 3]
    rows, columns = torch.meshgrid(torch.arange(480), torch.arange(640), indexing="ij")
    rays = torch.stack([(columns - 320) / 525, (rows - 240) / 525, torch.ones(480, 640)], -1)
    wall = (4 + normal @ centre) / (rays @ normal)
    known = depth > 0
    assert known[40:430, 45:590].all()
    assert not known[:, :15].any()
    assert not known[:, -15:].any()
    # each point is drawn on the four pixels around it, of which the nearest counts
    torch.testing.assert_close(depth[known], wall[known], atol=2e-3, rtol=0)
    assert T_colour_depth[0, 3].item() == pytest.approx(-0.0256, abs=1e-4)


def test_real_colours_agree_better_where_the_depth_was_carried_over(real_data):
    """Than as the set is published, with one camera of 585 pixels for both."""
    sequence = SevenScenes(real_data / "seven_scenes" / "redkitchen", "seq-01")
    published = torch.tensor([[585.0, 0, 320], [0, 585, 240], [0, 0, 1]])

    def error(first, second, depth, intrinsics):
        T = (inverse(sequence.poses[second]) @ sequence.poses[first]).float()
        pixels, z = project(transform(T, unproject(depth[None], intrinsics[None]).flatten(2)[0].mT), intrinsics)
        pixels = pixels.mT.unflatten(-1, sequence.size)[None]
        seen = inside(pixels, sequence.size)[0] & (depth > 0) & (z.view(1, *sequence.size) > 0)
        difference = sample(sequence.frame(second)[None], pixels)[0] - sequence.frame(first)
        return difference.abs().mean(0, keepdim=True)[seen].median().item()

    errors = []
    for first in range(5, 285, 56):
        path = sequence.images[first]
        raw = read_depth(path.with_name(path.name.split(".")[0] + ".depth.png"), unit=1000.0)
        raw = torch.where(raw > 65, 0.0, raw)
        tracked = error(first, first + 10, sequence.depth(first), sequence.intrinsics)
        errors.append((tracked, error(first, first + 10, raw, published)))
    tracked, plain = torch.tensor(errors).mean(0)
    assert tracked < 0.9 * plain


def test_the_real_depth_agrees_with_itself_through_the_real_poses(real_data, disagreement):
    sequence = SevenScenes(real_data / "seven_scenes" / "redkitchen", "seq-01")
    assert len(sequence) == 300
    assert not sequence.notes
    assert max(disagreement(sequence, i, i + 2) for i in range(0, len(sequence) - 2, 40)) < 0.03
