"""Data sets: one reader each, behind the Sequence contract, and the samples cut from them."""

from vode.data.kitti import KittiOdometry

DATASETS = {
    "kitti-odom": KittiOdometry,
}
"""Reader of each data set by its name on the command line."""
