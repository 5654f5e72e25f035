"""Options of the verbs that evaluate and predict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.io.trajectory_formats.names import Format
from vode.odometry.chunks.options import ChunkOptions
from vode.odometry.metric.options import MetricOptions
from vode.odometry.sources.options import DepthInput
from vode.reconstruction.options import RefinedCamera

Alignment = Literal["none", "scale", "6dof", "7dof", "scale_7dof"]
Published = Literal["monodepth2", "trianflow", "sfmlearner"]
PlotFormat = Literal["png", "pdf", "svg"]


@dataclass(frozen=True)
class EvaluationData(DataOptions):
    """What a run is evaluated on; without ``data`` the held-out sequence of the built-in world."""

    device: str = "auto"
    """cpu, cuda, ...; auto takes the GPU if there is one"""


@dataclass(frozen=True)
class ReportFiles:
    """Where results are written."""

    out: Path | None = None
    """folder for pictures and files; default a folder of the verb's name in the run's, none without a run"""
    table: Path | None = None
    """file for the table: .txt, .md, .csv or .tex"""
    json: Path | None = None
    """file for the numbers"""


@dataclass(frozen=True)
class OdometryOptions(MetricOptions, DepthInput, ChunkOptions):
    """How sequences are tracked and trajectories evaluated."""

    alignment: Alignment = "7dof"
    """what is fitted to the ground truth before scoring"""
    protocol: Published | None = None
    """score also as the released code of that system does; default KITTI's segment errors and the ATE alone"""
    matcher: str | None = None
    """learned matches instead of the run's flow: xfeat, xfeat-lighterglue, disk-lightglue or a file of weights"""
    refine: Literal["none", "window", "global"] | None = None
    """window refines the poses of the last keyframes together, global those of all, at the end, by pycolmap (extra
    scene); default as in the run"""
    refine_camera: RefinedCamera = "fixed"
    """what of the camera global refinement finds too: radial distortion, or the focal length as well, which a drive
    straight on hardly tells"""
    loops: bool = False
    """recognise places that the camera comes back to, and correct the drift in between, also where the run does not"""
    tracker: Literal["vode", "trianflow", "pose-network"] | None = None
    """how motion is found: this library's way, or TrianFlow's, to compare with; or by the run's pose network, as by
    default in runs that have one; default as in the run"""
    backend: Literal["torch", "opencv", "poselib"] | None = None
    """two-view solver: this library's, OpenCV's USAC MAGSAC, or PoseLib's (an extra); default as in the run"""
    flow: Literal["network", "refined", "classical"] | None = None
    """correspondences from the flow network, as it is or refined, or from OpenCV's dense inverse search; default as in
    the run"""
    compare: tuple[str, ...] = ()
    """trajectories of other methods compared with the run's: [NAME=]FILE, or a folder of SEQUENCE.txt"""
    published: bool = False
    """put the published rows for KITTI 09 and 10 into the table"""
    by: Literal["auto", "index", "time"] = "auto"
    """how frames are matched with the ground truth; auto takes times where both have them, and asks in doubt"""
    max_time_difference: float = 0.02
    """most seconds between two poses that are matched by time"""
    time_offset: float = 0.0
    """seconds added to the times of trajectory files"""
    times: tuple[Path, ...] = ()
    """times of all frames for trajectories that have none, as KITTI's times.txt, one file a sequence"""
    format: Format = "kitti"
    """of the trajectory files that are written; TUM and EuRoC need timestamps"""
    plot_format: PlotFormat = "png"
    """of the plots"""


@dataclass(frozen=True)
class DepthEvaluation:
    """What counts, and how depth is predicted."""

    protocol: Published | None = None
    """score as the released code of that system does; default as is usual for the test set"""
    crop: Literal["garg", "eigen", "nyu", "none"] | None = None
    """part of the image that counts; default that of the test set, none for sequences"""
    cap: float | None = None
    """largest depth that counts, metres, to which predictions are clipped; default that of the test set, 80 for
    sequences"""
    scaling: Literal["median", "none", "global"] = "median"
    """each image by its median, all by one factor, or none"""
    every: int = 1
    """take every n-th frame of a sequence"""
    flip: bool = False
    """predict the mirrored image too and average"""
    edges: bool = False
    """score edges of depth too, where the ground truth is dense"""
    annotated: Path | None = None
    """KITTI's annotated depth maps: the folder with train and val"""
    allow_missing: bool = False
    """score the frames that are there, and say how many are not"""
    worst: int = 4
    """how many of the worst images to draw"""
    error_maps: bool = False
    """draw the error of every image"""
    published: bool = False
    """put the published rows for KITTI Eigen into the table"""


@dataclass(frozen=True)
class PredictionFile:
    """Depth that was predicted before."""

    path: Path
    """.npz of saved predictions, or .npy (N, H, W)"""
    inverse: bool = False
    """the file holds inverse depth (disparity)"""


@dataclass(frozen=True)
class FlowEvaluation:
    """Which pairs count."""

    every: int = 1
    """take every n-th pair of a sequence"""
    refine: bool = True
    """refine flow on images that are much larger than what the network sees; no-refine scores the network alone"""
    allow_missing: bool = False
    """score the pairs that are there, and say how many are not"""


@dataclass(frozen=True)
class Scene:
    """What is relocalized; by default what the run was trained on."""

    data: Path | None = None
    """folder of the scene"""
    dataset: str | None = None
    """its layout"""
    sequences: tuple[str, ...] = ()
    """names of the sequences that were trained on"""
    split: Literal["test", "train"] = "test"
    """the images: those that the scene is tested on, or those that were trained on"""


DepthFile = Literal["png", "npz", "color", "video"]
FlowFile = Literal["flo", "png", "color", "video"]


@dataclass(frozen=True)
class FrameRange:
    """Which frames of the input are taken."""

    start: int = 0
    """first frame"""
    end: int | None = None
    """frame before which it ends"""
    step: int = 1
    """take every n-th frame"""


@dataclass(frozen=True)
class OwnCamera:
    """The camera of one's own images, for depth in metres; default a camera.yaml or the like beside them."""

    calibration: Path | None = None
    """calibration file: YAML or JSON of many tools, COLMAP's cameras.txt, KITTI's calib.txt, a line of numbers"""
    fov: float | None = None
    """or the horizontal field of view in degrees"""


@dataclass(frozen=True)
class ImportOptions:
    """What the files of another system do not tell."""

    size: tuple[int, int] | None = None
    """height and width of the images that the networks take; default what the files say, or that of the publication"""
    beside: Path = Path("vode-small")
    """run or shipped weights whose flow network, or depth network, is taken where the files have none"""

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) < 32:
            raise InputError(f"images of {self.size[1]}x{self.size[0]}; give a height and width of 32 or more", "size")


@dataclass(frozen=True)
class CopyOptions:
    """How the copy is made."""

    size: tuple[int, int] = (256, 832)
    """height and width of its images"""
    kind: Literal["jpg", "png"] = "jpg"
    """of its images"""
    quality: int = 95
    """of JPEG, 1 to 100"""
    shards: bool = False
    """one archive for each sequence and camera in place of thousands of files; --data then takes addresses too"""
