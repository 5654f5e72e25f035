"""Named training runs, one file a family."""

from __future__ import annotations

from vode.adaptation.config import AdaptationConfig
from vode.errors import InputError
from vode.recipes import adaptation, flow_synthesis, relocalization, stereo, supervised, video, view_synthesis
from vode.relocalization.config import RelocalizationConfig
from vode.training.config import RunConfig, SupervisedConfig, VideoConfig
from vode.view_synthesis.config import ViewSynthesisConfig

FAMILIES: dict[str, type[RunConfig]] = {
    kind.family: kind
    for kind in (VideoConfig, SupervisedConfig, ViewSynthesisConfig, AdaptationConfig, RelocalizationConfig)
}
"""The type of the configuration of each family of runs."""

RECIPES = {
    "world": video.WORLD,
    "kitti-odom": video.KITTI_ODOM,
    "kitti-odom-small": video.KITTI_ODOM_SMALL,
    "kitti-eigen": video.KITTI_EIGEN,
    "trianflow": video.TRIANFLOW,
    "trianflow-small": video.TRIANFLOW_SMALL,
    "nyu": video.NYU,
    "tum": video.TUM,
    "folder": video.FOLDER,
    "depth-supervised": supervised.DEPTH_SUPERVISED,
    "eigen": supervised.EIGEN,
    "flow-supervised": supervised.FLOW_SUPERVISED,
    "vode-small": supervised.VODE_SMALL,
    "sfmlearner": view_synthesis.SFMLEARNER,
    "sfmlearner-small": view_synthesis.SFMLEARNER_SMALL,
    "monodepth2": view_synthesis.MONODEPTH2,
    "monodepth2-small": view_synthesis.MONODEPTH2_SMALL,
    "sc-sfmlearner": view_synthesis.SC_SFMLEARNER,
    "sc-sfmlearner-small": view_synthesis.SC_SFMLEARNER_SMALL,
    "monodepth": stereo.MONODEPTH,
    "monodepth-small": stereo.MONODEPTH_SMALL,
    "monodepth2-stereo": stereo.MONODEPTH2_STEREO,
    "monodepth2-stereo-small": stereo.MONODEPTH2_STEREO_SMALL,
    "monodepth2-mono-stereo": stereo.MONODEPTH2_MONO_STEREO,
    "monodepth2-mono-stereo-small": stereo.MONODEPTH2_MONO_STEREO_SMALL,
    "geonet": flow_synthesis.GEONET,
    "geonet-small": flow_synthesis.GEONET_SMALL,
    "posenet-flow": flow_synthesis.POSENET_FLOW,
    "posenet-flow-small": flow_synthesis.POSENET_FLOW_SMALL,
    "adapt": adaptation.ADAPT,
    "posenet": relocalization.POSENET,
    "posenet-beta": relocalization.POSENET_BETA,
    "posenet-geometric": relocalization.POSENET_GEOMETRIC,
}


def recipe(name: str) -> RunConfig:
    """The recipe of that name; InputError lists those there are."""
    if name not in RECIPES:
        raise InputError(f"no recipe is called {name!r}; choose one of {', '.join(RECIPES)}")
    return RECIPES[name]
