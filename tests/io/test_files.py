"""Names of files: the order of a video, what is hidden, and what would lead out of a folder."""

import random

import pytest

from vode.errors import InputError
from vode.io.files import in_order, inside, natural, two_of_one_frame, visible

SYSTEMS = ("$Recycle.Bin", "@Recycle", "#snapshot", "__macosx", "Network Trash Folder")


@pytest.mark.parametrize(
    "ordered",
    [
        [f"frame{k}.jpg" for k in range(1, 25)],
        ["IMG.jpg", "IMG1.png", "IMG1_2.jpg", "IMG1_10.jpg", "IMG02.jpg", "IMG10.jpg"],
        [f"seq{s}/frame{k}.png" for s in (1, 2, 10) for k in (9, 11, 100)],
        ["a/b.png", "a/c/b.png", "a1/b.png", "a10/b.png"],
        ["img1.9.png", "img1.10.png", "img1.11.png"],
        ["1.8.png", "1.9.png", "1.10.png", "1.11.png"],
        ["0.5.png", "1.0.png", "1.25.png", "1.5.png", "10.125.png"],
        ["1305031102.175304.png", "1305031102.211214.png", "1305031103.005.png"],
        ["r-1.ppm", "r-2.ppm", "r-10.ppm"],
        [f"{9 * 10**20 + k}.png" for k in range(3)],
        ["Frame1.png", "frame2.png", "Frame3.png", "frame10.png"],
        ["IMG_1.JPG", "img_2.jpg", "IMG_3.JPG"],
        ["A/1.png", "A/2.png", "a/1.png", "a/2.png"],
        ["0.png", "0.25.png", "0.5.png", "0.75.png", "1.png", "1.25.png"],
        ["t_1.25.png", "t_1.5.png", "t_2.0.png"],
        ["cam0 0.5.png", "cam0 0.75.png", "cam0 1.0.png", "cam0 10.0.png", "cam1 0.25.png"],
        ["0.25s.png", "0.5s.png", "1.0s.png"],
        ["1305031102.1.png", "1305031102.175.png", "1305031102.20.png"],
        ["1305031102.98000000.png", "1305031102.131000000.png", "1305031102.164000000.png"],
        ["img1.9.png", "img1.11.png", "img1.12.png"],
        ["2024-01-05T10-59-59.5.png", "2024-01-05T10-59-59.75.png", "2024-01-05T11-00-00.0.png"],
        ["-1.5.png", "-0.5.png", "0.5.png", "1.5.png"],
        ["t=-10.png", "t=-5.png", "t=0.png", "t=5.png"],
        ["-001.png", "-002.png", "-010.png"],
    ],
)
def test_names_come_in_the_order_of_the_video(ordered):
    shuffled = list(ordered)
    random.Random(0).shuffle(shuffled)
    assert [shuffled[i] for i in in_order(shuffled)] == ordered


def test_numbers_of_any_length_are_compared():
    assert natural("9" * 5000 + "8") < natural("9" * 5001)
    assert natural("01") < natural("1") < natural("02")
    assert natural("a\\2.png") < natural("a/10.png")


def test_what_systems_hide_or_leave_behind_is_not_visible(tmp_path):
    for name in ("b10", "b9", ".thumbnails", "__MACOSX", "@eaDir", "._b9", ".DS_Store", "$RECYCLE.BIN", *SYSTEMS):
        (tmp_path / name).mkdir()
    assert [path.name for path in visible(tmp_path)] == ["b9", "b10"]
    assert visible(tmp_path / "nowhere") == []


@pytest.mark.parametrize("name", ["..\\a.png", "C:\\a.png", "c:/a.png", "\\a.png", "b\\..\\..\\a.png", "/etc/passwd"])
def test_names_of_windows_that_lead_out_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="leads out of this folder"):
        inside(tmp_path, name)


def test_absolute_names_inside_and_slashes_of_windows_are_understood(tmp_path, monkeypatch):
    (tmp_path / "scene").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "scene")
    wanted = tmp_path / "scene" / "images" / "0.png"
    assert inside(tmp_path / "scene", str(wanted)) == wanted
    assert inside(tmp_path / "scene", "images\\0.png") == wanted
    assert inside(tmp_path / "link", str(wanted)) == tmp_path / "link" / "images" / "0.png"
    monkeypatch.chdir(tmp_path)
    assert inside("scene", str(wanted)).resolve() == wanted
    for beside in (tmp_path / "scene2" / "0.png", tmp_path / "scene" / ".." / "0.png", tmp_path):
        with pytest.raises(InputError, match="leads out of this folder"):
            inside(tmp_path / "scene", str(beside))


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        ([f"cam{c}_{k:03d}.png" for c in (0, 1) for k in range(6)], ("cam0_000.png", "cam1_000.png")),
        ([f"{k:03d}_{c}.png" for k in range(6) for c in (0, 1)], ("000_0.png", "000_1.png")),
        (["000.png", "000 (1).png", "001.png"], ("000.png", "000 (1).png")),
        (["000.png", "000 copy.png", "001.png"], ("000.png", "000 copy.png")),
        (["a/0 - Copy (2).png", "a/0.png"], ("a/0.png", "a/0 - Copy (2).png")),
        ([f"walk ({k}).png" for k in range(30)], None),
        ([f"10-{m}-{s:02d}.png" for m in (58, 59) for s in range(60)], None),
        ([f"{k / 2:.1f}.png" for k in range(8)], None),
        ([f"seq1_{k}.png" for k in range(20)], None),
        (["img2_1.png", "img9_30.png", "img10_2.png"], None),
        ([f"IMG_2024_{k}.png" for k in range(20)], None),
    ],
)
def test_names_that_a_digit_or_a_copy_tells_apart_are_two_of_one_frame(names, pair):
    assert two_of_one_frame(names) == pair
