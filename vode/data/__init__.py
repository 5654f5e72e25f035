"""Data sets: one reader each, behind the Sequence contract, and the samples cut from them."""

from vode.data.kitti import KittiOdometry
from vode.data.seven_scenes import SevenScenes
from vode.data.tum import TumSequence

DATASETS = {
    "kitti-odom": KittiOdometry,
    "7scenes": SevenScenes,
    "tum": TumSequence,
}
"""Reader of each data set by its name on the command line."""
