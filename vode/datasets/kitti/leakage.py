"""KITTI's depth and odometry splits are cut from the same drives: what one trains on, the other tests on.

Odometry 09 and 10 are drives of Zhou's training list for depth, and odometry 00, 04, 05 and 07 hold test frames of
Eigen et al. Networks that have seen the drives of a test set are not scored on it, unless that is overridden.
"""

from __future__ import annotations

from collections.abc import Iterable

from vode.datasets.kitti.odometry import TEST
from vode.datasets.kitti.splits import read_split
from vode.errors import InputError

ODOMETRY_DRIVES = {
    "00": "2011_10_03_drive_0027",
    "01": "2011_10_03_drive_0042",
    "02": "2011_10_03_drive_0034",
    "03": "2011_09_26_drive_0067",
    "04": "2011_09_30_drive_0016",
    "05": "2011_09_30_drive_0018",
    "06": "2011_09_30_drive_0020",
    "07": "2011_09_30_drive_0027",
    "08": "2011_09_30_drive_0028",
    "09": "2011_09_30_drive_0033",
    "10": "2011_09_30_drive_0034",
}
"""the raw drives that the odometry sequences were cut from (KITTI's development kit)"""
EIGEN = ("kitti-eigen", "kitti-eigen-benchmark")
"""the data sets whose depth is scored on the Eigen test frames, whatever drives are named"""
OVERRIDE = "or allow the leak"
"""what else can be done; of the parameter "allow_leak" """


def drives(dataset: str, sequences: Iterable[str]) -> frozenset[str]:
    """The drives of KITTI raw that sequences of a data set show, as far as it is known."""
    if dataset == "kitti-odom":
        return frozenset(ODOMETRY_DRIVES[name] for name in sequences if name in ODOMETRY_DRIVES)
    if dataset in ("kitti-raw", *EIGEN):
        return frozenset(name.removesuffix("_sync") for name in sequences)
    return frozenset()


def held_out_drives(dataset: str, sequences: Iterable[str]) -> frozenset[str]:
    """Those drives of a data set's sequences, or of a list of frames, that are a published test set's."""
    return _eigen() if dataset in EIGEN else _of_tests(dataset, sequences)


def refuse_training(dataset: str, sequences: Iterable[str]) -> None:
    """InputError if sequences are of the set that their own task is tested on."""
    found = sorted(_of_tests(dataset, sequences))
    if found:
        what = "odometry 09 and 10" if dataset == "kitti-odom" else "the Eigen test"
        raise InputError(f"{_some(found)}: a test drive, of {what}; train on others, {OVERRIDE}", "allow_leak")


def refuse_testing(seen: Iterable[str], dataset: str, sequences: Iterable[str]) -> None:
    """InputError if networks that have seen those drives would be tested on one of them."""
    common = sorted(set(seen) & held_out_drives(dataset, sequences))
    if common:
        raise InputError(
            f"{dataset}: the run was trained on {_some(common)}, which this tests on, so that its numbers would "
            f"flatter; train on the split of this task, {OVERRIDE}",
            "allow_leak",
        )


def _eigen() -> frozenset[str]:
    return frozenset(frame.drive for frame in read_split("eigen"))


def _of_tests(dataset: str, sequences: Iterable[str]) -> frozenset[str]:
    """The drives of sequences that are a published test set's."""
    if dataset == "kitti-odom":
        return drives(dataset, set(sequences) & set(TEST))
    return drives(dataset, sequences) & _eigen()


def _some(names: list[str]) -> str:
    """The names themselves, or the first of many and their number."""
    named = [
        f"{name} (odometry {number})" for name in names for number, drive in ODOMETRY_DRIVES.items() if drive == name
    ]
    shown = named or names
    return shown[0] if len(names) == 1 else f"{shown[0]} and {len(names) - 1} more of its drives"
