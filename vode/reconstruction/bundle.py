"""Bundle adjustment of all keyframes at once, by pycolmap (extra ``scene``), optionally of the camera too.

Triggs, McLauchlan, Hartley, Fitzgibbon, "Bundle Adjustment: A Modern Synthesis", 1999; Schoenberger and Frahm,
"Structure-from-Motion Revisited", CVPR 2016.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.geometry.pose import from_rotation_translation, inverse, se3_exp, se3_log
from vode.reconstruction.options import BundleOptions, RefinedCamera
from vode.reconstruction.points import Observations, Points, triangulate_tracks
from vode.sfm.build import import_pycolmap

if TYPE_CHECKING:
    import pycolmap

FEWEST = 3
"""views that can be adjusted"""
COARSE_TO_FINE = (8.0, 2.0, 1.0)
"""times the options' thresholds, of each round: what loops say is far off at first; the camera stays in the first"""
TOLERANCE = 1e-6
"""relative decrease of the cost that ends a round"""
AT_ONCE = 5
"""iterations between two looks at whether somebody asked to stop"""
LENS = "SIMPLE_RADIAL"
"""COLMAP's model of the camera: f, cx, cy, k1"""


class Bundle(NamedTuple):
    """Poses and camera that explain all observations best."""

    T_world_cam: Tensor
    """(V, 4, 4) float64: the first as it was, and the level of the scale too"""
    camera: Camera
    """of the images that were given"""
    points: int
    observations: int
    """that were not left out"""
    error_before: float
    """mean reprojection error of the points that the poses triangulated, pixels"""
    error: float
    """mean reprojection error now, pixels"""


def adjust(
    seen: Observations,
    T_world_cam: Tensor,
    camera: Camera,
    options: BundleOptions = BundleOptions(),
    *,
    stopped: Collection[object] = (),
) -> Bundle:
    """Least reprojection error of all ``seen`` in images of a camera, pinhole or with k1, with poses (V, 4, 4).

    Points begin where the poses triangulate them. Cauchy's cost, from coarse to fine, and what does not fit is left out
    after each round; the camera is refined from the second on. The first pose stays, and so does the median
    length of the motions between neighbours: tracks do not tell how long a unit is. It ends early, with what is there,
    once ``stopped`` holds something. InputError where there are too few views or points.
    """
    colmap = import_pycolmap()
    points = triangulate_tracks(seen, T_world_cam, torch.from_numpy(camera.matrix), options.start)
    if len(T_world_cam) < FEWEST or len(points.places) < options.least_points:
        raise InputError(
            f"{len(points.places)} points in {len(T_world_cam)} keyframes, too few to refine all together: it takes "
            f"{options.least_points} points in {FEWEST} keyframes"
        )
    model = _model(colmap, points, T_world_cam, camera)
    model.update_point_3d_errors()
    before = model.compute_mean_reprojection_error()
    observed = colmap.ObservationManager(model)
    for factor in COARSE_TO_FINE:
        refine: RefinedCamera = options.camera if factor < COARSE_TO_FINE[0] else "fixed"
        _solve(colmap, model, factor * options.noise, refine, stopped)
        observed.filter_all_points3D(factor * options.outlier, math.degrees(options.start.parallax))
        if stopped:
            break
    model.update_point_3d_errors()
    return Bundle(
        _as_before(_poses(model), T_world_cam),
        _camera(model.cameras[1].params, camera) if options.camera != "fixed" else camera,
        model.num_points3D(),
        model.compute_num_observations(),
        before,
        model.compute_mean_reprojection_error(),
    )


def carried(frames: Tensor, before: Tensor, after: Tensor, T_world_cam: Tensor) -> Tensor:
    """Poses (N, 4, 4) of all frames of a video, of which some, ``frames`` (V,) ascending, were moved.

    ``before`` and ``after`` (V, 4, 4) are the poses of those. A frame in between keeps its motion from the one before
    it and to the one after, in their new scale; the two results are blended by how near each is. Frames before the
    first and after the last follow it.
    """
    every = torch.arange(len(T_world_cam))
    first = (torch.searchsorted(frames, every, right=True) - 1).clamp(0, max(len(frames) - 2, 0))
    second = (first + 1).clamp(max=len(frames) - 1)
    lengths = [(x[second, :3, 3] - x[first, :3, 3]).norm(dim=-1) for x in (before, after)]
    scale = torch.where(lengths[0] > 0, lengths[1] / lengths[0].clamp(min=1e-12), 1.0)
    one, other = (_following(T_world_cam, before[k], after[k], scale) for k in (first, second))
    weight = ((every - frames[first]) / (frames[second] - frames[first]).clamp(min=1)).clamp(0, 1)
    return one @ se3_exp(weight[:, None] * se3_log(inverse(one) @ other))


def _following(T_world_cam: Tensor, before: Tensor, after: Tensor, scale: Tensor) -> Tensor:
    motion = inverse(before) @ T_world_cam
    return after @ from_rotation_translation(motion[:, :3, :3], scale[:, None] * motion[:, :3, 3])


def _model(colmap: ModuleType, points: Points, T_world_cam: Tensor, camera: Camera) -> pycolmap.Reconstruction:
    """COLMAP's model with square pixels, whose centres lie at 0.5."""
    (height, width), (fx, fy), (cx, cy) = camera.size, camera.focal, camera.centre
    model, seen = colmap.Reconstruction(), points.observations
    parameters = [fx, cx + 0.5, cy + 0.5, camera.distortion[0] if camera.distortion else 0.0]
    model.add_camera_with_trivial_rig(
        colmap.Camera(model=LENS, width=width, height=height, params=parameters, camera_id=1)
    )
    pixels = seen.pixels.numpy() + 0.5
    pixels[:, 1] = cy + 0.5 + (pixels[:, 1] - cy - 0.5) * fx / fy
    tracks = [colmap.Track() for _ in range(len(points.places))]
    T_cam_world = inverse(T_world_cam).numpy()
    view, point = seen.view.numpy(), seen.point.numpy()
    for k, T in enumerate(T_cam_world):
        own = np.flatnonzero(view == k)
        features = colmap.Point2DList([colmap.Point2D(x) for x in pixels[own]])
        image = colmap.Image(name=f"{k:06d}", points2D=features, camera_id=1, image_id=k + 1)
        model.add_image_with_trivial_frame(image, colmap.Rigid3d(colmap.Rotation3d(T[:3, :3]), T[:3, 3]))
        for slot, row in enumerate(own):
            tracks[point[row]].add_element(k + 1, slot)
    for place, track in zip(points.places.numpy(), tracks, strict=True):
        model.add_point3D(place, track, np.zeros(3, np.uint8))
    return model


def _solve(
    colmap: ModuleType,
    model: pycolmap.Reconstruction,
    noise: float,
    refine: RefinedCamera,
    stopped: Collection[object],
) -> None:
    """Least squares of all, with Cauchy's cost of a scale in pixels, until they converge or are stopped."""
    how = colmap.BundleAdjustmentOptions()
    how.refine_focal_length, how.refine_extra_params = refine == "focal", refine != "fixed"
    how.refine_principal_point = how.print_summary = False
    how.ceres.loss_function_type = colmap.LossFunctionType.CAUCHY
    how.ceres.loss_function_scale = noise
    how.ceres.solver_options.function_tolerance = TOLERANCE
    what = colmap.BundleAdjustmentConfig()
    for image in model.images:
        what.add_image(image)
    what.fix_gauge(colmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    most, how.ceres.solver_options.max_num_iterations = how.ceres.solver_options.max_num_iterations, AT_ONCE
    for _ in range(0, most, AT_ONCE):
        # signals are noticed once the solver comes back
        done = colmap.create_default_bundle_adjuster(how, what, model).solve()
        if stopped or done.termination_type != colmap.BundleAdjustmentTerminationType.NO_CONVERGENCE:
            return


def _poses(model: pycolmap.Reconstruction) -> Tensor:
    """World-from-camera (V, 4, 4)."""
    rows = [model.images[k].cam_from_world().inverse().matrix() for k in sorted(model.images)]
    last = np.broadcast_to([0.0, 0.0, 0.0, 1.0], (len(rows), 1, 4))
    return torch.from_numpy(np.concatenate([np.stack(rows), last], 1))


def _as_before(poses: Tensor, before: Tensor) -> Tensor:
    """Poses with the first pose and the level of the scale that they had."""
    lengths = [(x[1:, :3, 3] - x[:-1, :3, 3]).norm(dim=-1) for x in (before, poses)]
    moved = (lengths[0] > 0) & (lengths[1] > 0)
    ratio = (lengths[0][moved] / lengths[1][moved]).log().median().exp() if moved.any() else 1.0
    motion = inverse(poses[:1]) @ poses
    return before[:1] @ from_rotation_translation(motion[:, :3, :3], ratio * motion[:, :3, 3])


def _camera(parameters: np.ndarray, camera: Camera) -> Camera:
    """The camera by COLMAP's parameters f, cx, cy, k1 of its square pixels."""
    focal, k1 = float(parameters[0]), float(parameters[3])
    fx, fy = camera.focal
    return replace(camera, focal=(focal, focal * fy / fx), lens="radtan", distortion=(k1, 0.0, 0.0, 0.0))
