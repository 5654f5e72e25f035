"""Options of odometry.

Thresholds in pixels are those of the images that the tracker sees, after resizing; angles are in radians.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vode.errors import InputError


@dataclass(frozen=True)
class BundleAdjustmentOptions:
    """Weights of the measurements, and effort."""

    noise: float = 0.3
    """pixels: standard deviation of a tracked point, the scale of Cauchy's cost"""
    turn: float = 0.001
    """radians: standard deviation of the rotation of a measured motion"""
    iterations: int = 4
    """most steps of Gauss-Newton"""


@dataclass(frozen=True)
class WindowOptions:
    """Size of the window."""

    frames: int = 7
    """most frames that are refined together, the two oldest of which stay as they are"""
    tracks: int = 800
    """points that are followed from frame to frame"""
    parallax: float = 0.5
    """pixels: median motion beyond the rotation between keyframes; a frame with less leaves when the next one comes"""
    deviation: float = 0.05
    """least relative standard deviation of a measured translation: depth flickers as a whole, which no pair shows"""
    bundle_adjustment: BundleAdjustmentOptions = field(default_factory=BundleAdjustmentOptions)


@dataclass(frozen=True)
class ScaleFilterOptions:
    """How the scale by tracks and that by depth err over time: standard deviations of logarithms, and times in frames.

    Those of the depth are in units of what its spread over the image lets expect of the scale of a single motion.
    """

    lag: int = 100
    """frames whose lengths are corrected by what comes later"""
    change: float = 0.008
    """of the change of scale by tracks, from one motion to the next"""
    broken: float = 1.0
    """of that where no tracks go on"""
    drift: float = 0.002
    """of the steady drift of the scale by tracks, a frame"""
    drift_change: float = 1e-5
    """of how that changes from frame to frame"""
    bias: float = 2.0
    """of the level of the depth, as it errs for many frames"""
    lasting: float = 6.0
    """frames after which the correlation of these errors is down to 1/e"""
    ground_lasting: float = 30.0
    """the same of the level by points on the ground, which errs as the road is built"""
    noise: float = 0.3
    """of the level of the depth, as it errs in one motion alone"""
    scene: float = 3.5
    """of the level of the depth, as it errs in a whole scene: no frame tells of it, it makes deviations larger alone"""
    contradiction: float = 0.7
    """of the scale, where all points and those on the ground differ by 1; for deviations alone too"""
    start: float = 1.0
    """of the scale of the first motion by tracks"""
    trust: float = 8.0
    """independent errors of the depth that it takes for what was seen of them to count as much as what is said here"""


@dataclass(frozen=True)
class ScaleOptions:
    """Which points determine the scale, and when it is known."""

    accuracy: float = 0.3
    """largest relative error of a triangulated depth that the noise and the parallax of a point predict"""
    least_points: int = 100
    """points that must take part"""
    deviation: float = 0.25
    """largest relative standard deviation of a scale"""
    least_deviation: float = 0.0
    """that which it has at least, however many points agree"""
    grid: tuple[int, int] = (4, 8)
    """regions, down and across, whose errors are taken for independent, as those of neighbouring points are not"""


@dataclass(frozen=True)
class MatchOptions:
    """Which correspondences of two frames determine their motion."""

    fraction: float = 0.5
    """fraction of the pixels, those of the highest scores, that correspondences are drawn from"""
    count: int = 2000
    """correspondences drawn"""
    threshold: float = 0.1
    """pixels: Sampson distance of an inlier"""
    least_confirmed: int = 100
    """correspondences that the images must confirm for any to be moved to where the two agree best"""
    backend: Literal["torch", "opencv", "poselib"] = "torch"
    """what solves for the motion: this library's own solver, OpenCV's USAC MAGSAC, or PoseLib (an extra)"""


MatcherName = Literal["xfeat", "xfeat-lighterglue", "disk-lightglue"]


@dataclass(frozen=True)
class MatcherOptions:
    """A learned matcher of sparse features."""

    name: MatcherName = "xfeat"
    """xfeat: XFeat's points, nearest neighbours; the others: points of XFeat or DISK, paired by LightGlue"""
    weights: tuple[Path, ...] = ()
    """files of its weights, of disk-lightglue two; none for those that are published"""
    points: int = 2048
    """most points found in an image"""
    min_confidence: float | None = None
    """of a match that is kept: the cosine of its descriptors, or LightGlue's score; None for 0.82 and 0.1"""


@dataclass(frozen=True)
class DriftOptions:
    """Standard deviations of what odometry measures from one keyframe to the next, which grow with the square root of
    their number."""

    translation: float = 0.02
    """relative to the length of the motion"""
    turn: float = 0.002
    """radians"""
    scale: float = 0.01
    """of the logarithm of the scale"""
    doubtful: float = 10.0
    """times as large for motions that were extrapolated, or whose translation is not known"""
    lost: float = 1000.0
    """times as large where the way was lost: a new map begins, whose place only loops tell"""
    bias: float = 2.5
    """times as large where loops are judged, for drift is no pure chance"""


@dataclass(frozen=True)
class VerificationOptions:
    """When two keyframes show the same place."""

    ratio: float = 0.8
    """largest distance of two descriptors, relative to that of the second best match"""
    threshold: float = 1.5
    """pixels: Sampson distance of an inlier of two views, and half the reprojection error of one of PnP"""
    inliers: int = 30
    """least matches that the motion explains"""
    regions: int = 6
    """least regions, of 4 x 4, of either image in which these lie"""
    distance: float = 0.7
    """largest distance between the two cameras, relative to the median depth"""
    agreement: float = 0.1
    """largest difference between the motions by either depth: radians, log of the scale, and distance over depth"""
    depth: float = 0.6
    """least fraction of the matches whose two depths agree to 30 % under the scale"""


@dataclass(frozen=True)
class LoopOptions:
    """Which frames are kept to be recognised, and which recognitions count."""

    points: int = 400
    """most features of a keyframe: 140 bytes each"""
    spacing: float = 0.15
    """motion between keyframes, relative to the median depth"""
    turn: float = 0.17
    """radians: rotation between keyframes"""
    gap: int = 30
    """keyframes between the ends of a loop, at least, unless the way was lost in between"""
    lost: int = 5
    """frames in a row without a motion of their own by which the way is lost"""
    words: int = 32
    """of the vocabulary"""
    dimensions: int = 128
    """of the descriptor of a whole keyframe"""
    candidates: int = 3
    """places that are compared with each new keyframe"""
    near: int = 10
    """keyframes within which loops are neighbours"""
    agreeing: int = 3
    """neighbouring loops that must agree, for any of them to count"""
    significance: float = 24.3
    """largest squared Mahalanobis distance of what agrees: 99.9 % of a chi-squared distribution of 7 dimensions"""
    detour: float = 0.2
    """largest correction of the motion between the ends of a loop, relative to the length of the way between them"""
    verification: VerificationOptions = field(default_factory=VerificationOptions)
    drift: DriftOptions = field(default_factory=DriftOptions)


@dataclass(frozen=True)
class TrackerOptions(MatchOptions):
    """How the tracker turns correspondences and depth into motion."""

    tracker: Literal["vode", "trianflow", "pose-network"] = "vode"
    """what tells a motion: correspondences by this library's way, of which the other options are, or by TrianFlow's, to
    compare with; or a pose network, where the run has one"""
    flow: Literal["network", "refined", "classical"] = "network"
    """where a model's correspondences come from: its flow network, that refined by OpenCV's dense inverse search, or
    the search alone"""
    magnify: float = 1.0
    """height and width of the images that correspondences are found in, relative to those that its networks see"""
    scale_from: Literal["fused", "depth", "tracks"] = "fused"
    """what tells the lengths of motions: how they change the points triangulated before, and their level the depth of
    many frames; the depth of each pair alone; or these points alone, without any depth"""
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    """of the networks; auto is bfloat16 on a CPU that computes in it, where it takes a third of the time"""
    subpixel: bool = True
    """move correspondences to where the two images agree best"""
    scale: ScaleOptions = field(default_factory=ScaleOptions)
    coarsest_threshold: float = 0.8
    """pixels: where the inliers' noise fills ``threshold``, as by rolling shutters, blur and lenses that are no
    pinholes, it is doubled up to this; following pairs begin with what suited the last"""
    track_scale: ScaleOptions = field(default_factory=lambda: ScaleOptions(accuracy=0.05, least_points=30))
    """which points of tracks tell lengths"""
    ground_scale: ScaleOptions | None = field(
        default_factory=lambda: ScaleOptions(least_points=20, least_deviation=0.02)
    )
    """when points on the ground tell lengths by themselves: near and on one plane, they have the depth that errs least,
    and count once more beside all points; None: they do not"""
    scale_filter: ScaleFilterOptions = field(default_factory=ScaleFilterOptions)
    refine: Literal["none", "window"] = "window"
    """window: refine the last keyframes together"""
    window: WindowOptions = field(default_factory=WindowOptions)
    loops: bool = False
    """recognise places seen before and correct what drifted in between"""
    loop_closure: LoopOptions = field(default_factory=LoopOptions)
    pnp_threshold: float = 1.0
    """pixels: reprojection error of an inlier of PnP"""
    pnp_iterations: int = 1000
    pnp_fraction: float = 0.2
    """least fraction of the points with a depth that a pose by PnP must explain"""
    seed: int = 0
    """of every random draw"""

    def __post_init__(self) -> None:
        more = self.loops or self.refine != "none" or self.scale_from != "depth" or self.backend != "torch"
        if self.tracker != "vode" and more:
            whose = "TrianFlow's tracker" if self.tracker == "trianflow" else "a pose network"
            raise InputError(
                f"{whose} has no window, loops, tracks without depth, nor other solvers; leave them out",
                "tracker",
            )
        if self.loops and self.scale_from == "tracks":
            raise InputError("loops are verified by depth, and tracks alone have none; leave out one of them", "loops")

    def geometric(self) -> TrackerOptions:
        """These options, or where a pose network tells motions, those of this library's way with the same networks."""
        return self if self.tracker != "pose-network" else TrackerOptions(precision=self.precision, seed=self.seed)


POSE_NETWORK = TrackerOptions(tracker="pose-network", refine="none", scale_from="depth")
"""The motions of a pose network, chained."""
