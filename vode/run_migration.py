"""Configurations of older versions, brought to today's.

1   the first edition: no version in the file, one type for all runs
2   one type a family, ``family`` in the file; names of the field; thresholds in pixels of the images that are seen
3   the depth network's encoder by name, its weights by name, file or package
4   all options of the flow network and of the losses, whose defaults may change
"""

from __future__ import annotations

from pathlib import Path
from reprlib import repr as shown
from typing import Any

from vode.errors import InputError
from vode.losses.options import EARLIER_FLOW_LOSS, EARLIER_GEOMETRY_LOSS
from vode.networks.options import EARLIER_FLOW

VERSION = 4
FAMILIES = ("video", "relocalization", "supervised", "adaptation", "view-synthesis")

_STAGES = {"video": ("flow", "depth", "joint"), "relocalization": ("coarse", "pose")}
_OWN = {
    "video": ("stride", "joint_flow_only", "flow", "depth", "motion", "triangulation_loss", "tracker"),
    "relocalization": ("pose", "pose_loss", "views"),
}
_WIDTH = 832
"""width in pixels of the images that thresholds of version 1 were given at"""


def migrated(values: Any, path: Path) -> dict[str, Any]:
    """The values of a configuration in today's version; InputError names the file and its version."""
    if not isinstance(values, dict):
        raise InputError(f"{path}: not the configuration of a run; copy the run again")
    values = dict(values)
    version = values.pop("version", 1)
    if version == 1:
        try:
            values = _from_1(values)
        except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
            raise InputError(f"{path}: not a configuration of version 1 ({error!r}); copy the run again") from error
        version = 2
    if version == 2:
        _from_2(values)
        version = 3
    if version == 3:
        _from_3(values)
    elif version != VERSION:
        raise InputError(
            f"{path}: version {shown(version)} of the configuration, {VERSION} is the newest known; update vode"
        )
    if isinstance(values.get("tracker"), dict):
        # what there was before tracks and depth told lengths together
        values["tracker"] = {"scale_from": "depth"} | values["tracker"]
    if values.get("family") not in FAMILIES:
        raise InputError(f"{path}: family {shown(values.get('family'))}; known are {', '.join(FAMILIES)}")
    return values


def _from_1(values: dict[str, Any]) -> dict[str, Any]:
    wanted = set(values.get("stages", [name for names in _STAGES.values() for name in names]))
    long = {name for names in _STAGES.values() for name in names if values.get(f"{name}_stage", {}).get("steps", 0)}
    family = "relocalization" if long & wanted & set(_STAGES["relocalization"]) else "video"
    other = FAMILIES[1 - FAMILIES.index(family)]
    for name in (*_OWN[other], *(f"{stage}_stage" for stage in _STAGES[other])):
        values.pop(name, None)
    values["family"] = family
    if "stages" in values:
        values["stages"] = [name for name in values["stages"] if name in _STAGES[family]]
    _rename(values, picture_every="visualize_every", validation_pairs="validation_samples")
    if family == "video":
        _video_from_1(values)
    else:
        for stage in _STAGES[family]:
            for name in ("weights", "flow_loss"):
                values.get(f"{stage}_stage", {}).pop(name, None)
        if values.get("pose", {}).get("rotation") == "six":
            values["pose"]["rotation"] = "6d"
    return values


def _video_from_1(values: dict[str, Any]) -> None:
    for stage in _STAGES["video"]:
        values.get(f"{stage}_stage", {}).get("weights", {}).pop("pose", None)
    motion, tracker = values.get("motion", {}), values.get("tracker", {})
    _rename(motion, share="fraction")
    if "threshold" in motion:
        motion["threshold"] = float(motion["threshold"]) * float(values["size"][1]) / _WIDTH
    _rename(tracker, share="fraction", pnp_share="pnp_fraction")
    _rename(tracker.get("window", {}), adjustment="bundle_adjustment")
    if "scale" in tracker:
        tracker["least_confirmed"] = tracker["scale"]["least_points"]


def _from_2(values: dict[str, Any]) -> None:
    if values.get("camera") == [2]:
        # the camera unless another was named, which other sets than KITTI have not
        values["camera"] = []
    depth = values.get("depth")
    if isinstance(depth, dict) and "imagenet" in depth:
        values["depth"] = {name: value for name, value in depth.items() if name != "imagenet"}
        values["depth"]["encoder_weights"] = "imagenet" if depth["imagenet"] else "none"


def _from_3(values: dict[str, Any]) -> None:
    """Tell what was the default, of options that some files of the version do not have yet."""
    video = values.get("family") == "video"
    if video:
        values.setdefault("geometry_loss", {})
        values.setdefault("separate_images", False)
        _tell(values, "motion", {"min_parallax": 0.5})
    _tell(values, "flow", EARLIER_FLOW)
    _tell(values, "geometry_loss", EARLIER_GEOMETRY_LOSS)
    for name in [name for name in values if name.endswith("_stage") and isinstance(values[name], dict)]:
        values[name] = ({"flow_loss": {}} if video else {}) | values[name]
        _tell(values[name], "flow_loss", EARLIER_FLOW_LOSS)


def _tell(values: dict[str, Any], name: str, earlier: dict[str, Any]) -> None:
    """Put what options were into those of a name, where they do not tell; what are no options is left to be refused."""
    if isinstance(values.get(name), dict):
        values[name] = earlier | values[name]


def _rename(values: dict[str, Any], **names: str) -> None:
    for old, new in names.items():
        if old in values:
            values[new] = values.pop(old)
