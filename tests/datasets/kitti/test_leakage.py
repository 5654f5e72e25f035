"""Leakage between KITTI's depth and odometry splits: what the facts say of their drives, and who is refused."""

import pytest

from vode.datasets.kitti.leakage import ODOMETRY_DRIVES, drives, held_out_drives, refuse_testing, refuse_training
from vode.datasets.kitti.splits import read_split
from vode.errors import InputError

EIGEN = {frame.drive for frame in read_split("eigen")}
ZHOU = {frame.drive for frame in read_split("zhou")}


def test_which_odometry_sequences_are_of_which_split():
    assert {name for name, drive in ODOMETRY_DRIVES.items() if drive in EIGEN} == {"00", "04", "05", "07"}
    assert {ODOMETRY_DRIVES["09"], ODOMETRY_DRIVES["10"]} <= ZHOU
    assert held_out_drives("kitti-odom", ["00", "09"]) == {ODOMETRY_DRIVES["09"]}
    assert held_out_drives("kitti-eigen", []) == EIGEN
    assert drives("kitti-eigen-benchmark", ["2011_09_26_drive_0001"]) == {"2011_09_26_drive_0001"}
    assert drives("tum", ["00"]) == drives("kitti-odom", ["drive"]) == frozenset()


@pytest.mark.parametrize(
    ("dataset", "sequences"),
    [
        ("kitti-odom", ["00", "09"]),
        ("kitti-odom", ["10"]),
        ("kitti-raw", ["2011_09_26_drive_0002_sync"]),
        ("kitti-eigen", ["2011_09_26_drive_0002"]),
    ],
)
def test_held_out_drives_are_not_trained_on(dataset, sequences):
    with pytest.raises(InputError, match="train on others, or allow the leak") as refusal:
        refuse_training(dataset, sequences)
    assert refusal.value.parameters == ("allow_leak",)


def test_training_splits_are_trained_on():
    refuse_training("kitti-odom", [f"{n:02d}" for n in range(9)])
    refuse_training("kitti-raw", sorted(ZHOU))
    refuse_training("kitti-eigen", sorted(ZHOU))
    refuse_training("tum", ["09"])


def test_each_split_refuses_networks_of_the_other():
    odometry, depth = drives("kitti-odom", [f"{n:02d}" for n in range(9)]), frozenset(ZHOU)
    with pytest.raises(InputError, match=r"trained on .*odometry 0[0457].* and 3 more of its drives"):
        refuse_testing(odometry, "kitti-eigen", [])
    with pytest.raises(InputError, match=r"odometry (09|10)"):
        refuse_testing(depth, "kitti-odom", ["09", "10"])
    refuse_testing(odometry, "kitti-odom", ["09", "10"])
    refuse_testing(odometry, "kitti-odom", ["00"])
    refuse_testing(depth, "kitti-eigen", [])
