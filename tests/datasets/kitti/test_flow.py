"""KITTI flow: the official tree of either year, what a frame is seen in, and what is missing."""

import pytest
import torch

from vode.datasets.kitti.stereo import KittiStereoDataset
from vode.errors import InputError
from vode.io.flow import write_flow
from vode.io.image import write_image


def pairs_of(root):
    (pairs,) = KittiStereoDataset(root).flow_pairs()
    return pairs


@pytest.fixture(params=["image_2", "colored_0"])
def root(request, tmp_path):
    """Two pairs; the right half is not seen in both images."""
    for folder in (request.param, "flow_occ", "flow_noc"):
        (tmp_path / folder).mkdir()
    seen = torch.ones(1, 6, 8)
    seen[..., 4:] = 0
    for number in range(2):
        for frame in (10, 11):
            write_image(tmp_path / request.param / f"{number:06d}_{frame}.png", torch.full((3, 6, 8), frame / 20))
        for folder, valid in (("flow_occ", torch.ones(1, 6, 8)), ("flow_noc", seen)):
            write_flow(tmp_path / folder / f"{number:06d}_10.png", torch.full((2, 6, 8), 2.0 + number), valid)
    return tmp_path


def test_pairs_with_their_ground_truth(root):
    pairs = pairs_of(root)
    assert (len(pairs), pairs.names(), pairs.missing()) == (2, ["000000_10", "000001_10"], {})
    assert pairs.name == ("kitti-2015" if (root / "image_2").is_dir() else "kitti-2012")
    assert [image.mean().item() for image in pairs.images(0)] == pytest.approx([0.5, 0.55], abs=0.003)
    ground_truth = pairs.ground_truth(1)
    assert ground_truth.flow.unique().tolist() == [3]
    assert ground_truth.valid.mean() == 1
    assert ground_truth.seen.mean() == 0.5


def test_without_noc_nothing_is_told(root):
    for file in (root / "flow_noc").iterdir():
        file.unlink()
    assert pairs_of(root).ground_truth(0).seen is None


def test_what_is_missing_is_named(root, tmp_path):
    next(root.glob("*/000001_11.png")).unlink()
    assert {i: file.name for i, file in pairs_of(root).missing().items()} == {1: "000001_11.png"}
    with pytest.raises(InputError, match=r"elsewhere: no flow_occ"):
        pairs_of(tmp_path / "elsewhere")
