"""The names of the package: all there, documented, and imported when they are used."""

import importlib
import inspect
import subprocess
import sys

import numpy as np
import pytest

import vode
from vode.io.image import write_image
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

HEAVY = ("torch", "torchvision", "cv2", "scipy", "h5py", "matplotlib", "kornia", "av", "pandas", "timm")


def loaded(code):
    """The heavy modules that a fresh interpreter has imported after ``code``."""
    script = f"{code}\nimport sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize("name", [name for name in vode.__all__ if not name.startswith("_")])
def test_every_name_is_there_and_documented(name):
    found = getattr(vode, name)
    assert inspect.getdoc(found), name
    assert name in dir(vode)


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="nonsense"):
        vode.nonsense  # noqa: B018


def test_importing_the_package_imports_no_library():
    assert loaded("import vode") == []


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--help"], ["train", "--help"], ["train", "posenet", "--help"], ["predict", "depth", "--help"]),
        *(["odom", "--help"], ["depth", "--help"], ["flow", "--help"], ["relocalize", "--help"]),
        *(["data", "check", "--help"], ["prepare", "--help"], ["scene", "build", "--help"], ["world", "--help"]),
    ],
    ids=" ".join,
)
def test_help_imports_no_library(arguments):
    code = f"from vode.cli import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass"
    assert loaded(code) == []


def test_every_verb_is_where_it_is_said_to_be():
    from vode.cli.main import VERBS

    for module, _, function in (where.partition(":") for where, _ in VERBS.values()):
        assert inspect.getdoc(getattr(importlib.import_module(module), function))


def test_frames_of_a_folder_in_the_order_of_their_numbers(tmp_path):
    sequence = WorldSequence(3, WorldOptions(size=(64, 96), frames=3))
    for i, name in enumerate(("2", "10", "1")):
        write_image(tmp_path / f"{name}.png", sequence.frame(i))
    video = vode.open_video(tmp_path)
    assert [video.name(i) for i in range(len(video))] == ["1", "2", "10"]
    frames = list(video)
    assert [timestamp for timestamp, _ in frames] == [None] * 3
    for i, (_, image) in zip((2, 0, 1), frames, strict=True):
        np.testing.assert_array_equal(image, (sequence.frame(i) * 255).round().byte().movedim(0, -1).numpy())
    one = vode.open_video(tmp_path / "10.png")
    assert len(one) == 1
    np.testing.assert_array_equal(one[0], video[2])
    with pytest.raises(vode.InputError, match=r"none\.mp4: no such file"):
        vode.open_video(tmp_path / "none.mp4")


def test_a_sequence_of_a_data_set(tmp_path):
    with pytest.raises(vode.InputError, match="fps"):
        vode.open_sequence("folder", tmp_path, fps=3)
    for i in range(2):
        write_image(tmp_path / f"{i}.png", WorldSequence(3, WorldOptions(size=(64, 96), frames=2)).frame(i))
    sequence = vode.open_sequence("folder", tmp_path, fov=90.0)
    assert len(sequence) == 2
    assert float(sequence.intrinsics[0, 0]) == pytest.approx(48)
    with pytest.raises(vode.InputError, match="no data set is called 'nothing'"):
        vode.open_sequence("nothing", tmp_path)
