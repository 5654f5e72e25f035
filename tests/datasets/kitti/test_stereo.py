"""KITTI 2015: depth from disparity, with calibration and without, and on real frames."""

import pytest
import torch

from vode.datasets.kitti.stereo import BASELINE, FOCAL, KittiScene, KittiStereoDataset
from vode.errors import InputError
from vode.geometry.warp import backward_warp
from vode.io.depth import write_depth
from vode.io.flow import write_flow
from vode.io.image import write_image


def frames_of(root):
    (frames,) = KittiStereoDataset(root).depth_frames()
    return frames


@pytest.fixture
def root(tmp_path):
    """Two frames with a disparity of 8 pixels, unknown on the left half, and calibration."""
    for folder in ("image_2", "disp_occ_0", "calib_cam_to_cam"):
        (tmp_path / folder).mkdir()
    disparity = torch.full((1, 10, 20), 8.0)
    disparity[..., :10] = 0
    for number in (0, 7):
        write_image(tmp_path / "image_2" / f"{number:06d}_10.png", torch.rand(3, 10, 20))
        write_depth(tmp_path / "disp_occ_0" / f"{number:06d}_10.png", disparity)
        (tmp_path / "calib_cam_to_cam" / f"{number:06d}.txt").write_text(
            "P_rect_02: 700 0 10 45 0 700 5 0.2 0 0 1 0.003\nP_rect_03: 700 0 10 -305 0 700 5 2 0 0 1 0.003\n"
        )
    return tmp_path


def test_depth_is_focal_length_times_baseline_over_disparity(root):
    frames = frames_of(root)
    assert (len(frames), frames.names(), frames.missing(), frames.notes) == (2, ["000000_10", "000007_10"], {}, ())
    assert frames.frame(1).shape == (3, 10, 20)
    assert frames.depth(1).unique().tolist() == [0, (45 + 305) / 8]


def test_without_calibration_the_usual_camera_is_taken_and_said(root):
    for number in (0, 7):
        write_image(root / "image_2" / f"{number:06d}_10.png", torch.zeros(3, 375, 1242))
        write_depth(root / "disp_occ_0" / f"{number:06d}_10.png", torch.full((1, 375, 1242), 8.0))
    for file in (root / "calib_cam_to_cam").iterdir():
        file.unlink()
    with pytest.raises(InputError, match=r"000000\.txt: no such file"):
        frames_of(root)
    (root / "calib_cam_to_cam").rmdir()
    frames = frames_of(root)
    assert frames.depth(0).max() == pytest.approx(FOCAL * BASELINE / 8)
    assert "0.5327 m" in frames.notes[0]


def test_resized_copies_are_refused(root):
    scene = root / "calib_cam_to_cam" / "000000.txt"
    good = scene.read_text()
    scene.write_text(good + "S_rect_02: 20 10\n")
    assert frames_of(root).depth(0).max() == (45 + 305) / 8
    scene.write_text(good + "S_rect_02: 40 20\n")
    with pytest.raises(InputError, match=r"000000_10\.png: resized, but disparity and flow are in pixels"):
        frames_of(root)
    scene.write_text(good.replace("700 0 10", "700 0 609"))
    with pytest.raises(InputError, match="far from the middle of images of 20x10"):
        frames_of(root)
    for file in (root / "calib_cam_to_cam").iterdir():
        file.unlink()
    (root / "calib_cam_to_cam").rmdir()
    with pytest.raises(InputError, match="far from the middle of images of 20x10"):
        frames_of(root)


def test_what_is_missing_is_named(root, tmp_path):
    (root / "image_2" / "000007_10.png").unlink()
    assert {i: file.name for i, file in frames_of(root).missing().items()} == {1: "000007_10.png"}
    with pytest.raises(InputError, match=r"elsewhere: no disp_occ_0"):
        frames_of(tmp_path / "elsewhere")


def test_real_streets_have_plausible_depth(real_data):
    if not (real_data / "kitti_2015").is_dir():
        pytest.skip(f"not there: {real_data / 'kitti_2015'}")
    frames = frames_of(real_data / "kitti_2015")
    assert len(frames) > 0
    assert frames.missing() == {}
    for i in range(len(frames)):
        depth = frames.depth(i)
        known = depth > 0
        assert depth.shape[-2:] == frames.frame(i).shape[-2:]
        assert known[..., depth.shape[-2] // 2 :, :].float().mean() > 0.2
        assert 3 < depth[known].median() < 40


def test_scenes_are_sequences_of_two_frames_with_depth_and_flow(root):
    write_image(root / "image_2" / "000007_11.png", torch.rand(3, 10, 20))
    (root / "flow_occ").mkdir()
    write_flow(root / "flow_occ" / "000007_10.png", torch.full((2, 10, 20), 1.5), torch.ones(1, 10, 20))
    assert KittiStereoDataset(root).names("train") == ("000000", "000007")
    scene = KittiScene(root, "000007")
    assert (len(scene), scene.has_depth(0), scene.has_depth(1), scene.has_flow(0)) == (2, True, False, True)
    assert scene.depth(0).unique().tolist() == [0, (45 + 305) / 8]
    assert scene.flow(0)[0].unique().tolist() == [1.5]
    assert scene.intrinsics.tolist() == [[700, 0, 10], [0, 700, 5], [0, 0, 1]]
    assert len(KittiScene(root, "000000")) == 1
    with pytest.raises(InputError, match=r"000001_10\.png"):
        KittiScene(root, "000001")


def test_the_layout_of_2012_is_read_with_its_calibration(root, tmp_path):
    new = tmp_path / "2012"
    new.mkdir()
    (root / "image_2").rename(new / "colored_0")
    (root / "disp_occ_0").rename(new / "disp_occ")
    (new / "calib").mkdir()
    for name in ("000000", "000007"):
        rows = [f"P{k}: 700 0 10 {x} 0 700 5 0 0 0 1 0" for k, x in enumerate((0, -380, 45, -335))]
        (new / "calib" / f"{name}.txt").write_text("\n".join(rows))
    frames = frames_of(new)
    assert (frames.name, frames.notes) == ("kitti-2012", ())
    assert frames.depth(0).max().item() == pytest.approx(700 * (45 + 335) / 700 / 8)
    assert KittiScene(new, "000007").depth(0).max().item() == pytest.approx(47.5)


def test_the_real_right_image_looks_like_the_left_one_when_moved_by_the_disparity(real_data):
    if not (real_data / "kitti_2015").is_dir():
        pytest.skip(f"not there: {real_data / 'kitti_2015'}")
    for scene in KittiStereoDataset(real_data / "kitti_2015").sequences():
        left, right, disparity = scene.frame(0), scene.right(0), scene.disparity()
        flow = torch.cat([-disparity, torch.zeros_like(disparity)])[None]
        moved = backward_warp(right[None], flow)[0]
        known = (disparity > 0).expand_as(left)
        before, after = ((left - image).abs()[known].mean() for image in (right, moved))
        assert before > 2 * after


def test_the_baseline_is_that_of_the_calibration_or_the_assumed_one(root, real_data):
    assert KittiScene(root, "000007").baseline == pytest.approx((45 + 305) / 700)
    file = root / "calib_cam_to_cam" / "000007.txt"
    file.write_text(file.read_text().splitlines()[0])
    with pytest.raises(InputError, match=r"000007\.txt: no camera 2 with 3 on its right"):
        KittiScene(root, "000007")
    if (real_data / "kitti_2015").is_dir():
        assert KittiStereoDataset(real_data / "kitti_2015").sequences()[0].baseline == BASELINE
