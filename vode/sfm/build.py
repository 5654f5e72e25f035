"""A scene of one's own: a walk, filmed, becomes a COLMAP data set, mapped by pycolmap.

    out/images/000012.jpg                             the frames that were registered, by their numbers in the video
    out/sparse/0/{cameras, images, points3D}.bin      the map, whose unit is its own
    out/scene.json                                    how good it is

Schoenberger and Frahm, "Structure-from-Motion Revisited", CVPR 2016.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from vode.errors import InputError
from vode.io.atomic import atomic_folder, make_folder, write_bytes
from vode.sfm.frames import Frames, take_frames
from vode.sfm.matches import Evidence, neighbour_matches, pairs_to_match, why_not
from vode.sfm.options import FrameOptions, MapOptions

if TYPE_CHECKING:
    import pycolmap

SUMMARY = "scene.json"
DATABASE = "matches.db"
SEED = 0
LEAST = 0.25
"""share of the frames that a map has to hold"""
NEAR = 0.02
"""length of a path, of the depth of what it shows, that is as good as none"""
BLOCK = 64
"""pairs that are matched in one go"""
PLAUSIBLE_VIEW, PLAUSIBLE_BEND = (20.0, 150.0), 1.0
"""degrees of field of view, and distortion, of a camera that mapping may find"""
KNOWN, UNKNOWN = "PINHOLE", "SIMPLE_RADIAL"
"""COLMAP's models for a camera that is known, and for one that is not"""


@dataclass(frozen=True)
class Quality:
    """How good a scene is; pixels, degrees, and lengths in the unit of the map."""

    video: str
    taken: int
    """frames that were taken of the video"""
    registered: int
    """of those, in the map"""
    longest_gap: int
    """most frames in a row, of those taken, that are not"""
    points: int
    track_length: float
    """images that a point is seen in, mean"""
    reprojection_error: float
    """pixels, mean"""
    neighbour_matches: float
    """confirmed matches of a frame with the next, median"""
    blur: float
    """width of edges in pixels, median"""
    focal: float
    """pixels"""
    fov: float
    """horizontal, degrees"""
    distortion: float
    """k1 of the lens"""
    camera_known: bool
    path_per_depth: float
    """length of the path, of the median depth of the points"""
    other_maps: tuple[int, ...]
    """frames in each of the smaller maps that could not be joined to it, and were left out"""


def build(
    video: Path,
    out: Path,
    frames: FrameOptions = FrameOptions(),
    mapping: MapOptions = MapOptions(),
    on_progress: Callable[[str], None] = lambda line: None,
) -> Quality:
    """Make a COLMAP data set ``out`` of a video or a folder of images; ``on_progress`` is told each step.

    ``out`` appears when it is complete. InputError names the video, why it cannot be mapped and what to do about it.
    """
    colmap = import_pycolmap()
    with atomic_folder(out) as folder, _quiet(colmap):
        images = make_folder(folder / "images")
        taken = take_frames(video, frames, images, on_progress)
        evidence = _match(colmap, folder, taken, mapping, on_progress)
        reason = why_not(evidence)
        if reason is not None:
            raise InputError(f"{video}: {reason}")
        on_progress("mapping")
        models = _map(colmap, folder, taken, mapping)
        if not models or models[0].num_reg_images() < max(LEAST * len(taken.numbers), 3):
            found = models[0].num_reg_images() if models else 0
            raise InputError(
                f"{video}: mapping failed, with {found} of {len(taken.numbers)} frames registered (median "
                f"{neighbour_matches(evidence):.0f} matches between neighbours); walk more slowly and sideways, "
                "or give the field of view",
                "fov",
            )
        quality = _quality(video, models, taken, evidence)
        if quality.path_per_depth < NEAR:
            raise InputError(
                f"{video}: no motion of the camera (its path is {100 * quality.path_per_depth:.1g} % of the depth); "
                "film while walking"
            )
        if not PLAUSIBLE_VIEW[0] < quality.fov < PLAUSIBLE_VIEW[1] or abs(quality.distortion) > PLAUSIBLE_BEND:
            raise InputError(
                f"{video}: its camera cannot be told from it (field of view {quality.fov:.0f} degrees, k1 "
                f"{quality.distortion:.2g}); give the field of view or a calibration, or film with turns and sideways "
                "steps",
                "fov",
                "calibration",
            )
        _keep(folder, models[0])
        content = dataclasses.asdict(quality)
        write_bytes(folder / SUMMARY, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode(), sync=False)
    return quality


def import_pycolmap() -> ModuleType:
    """pycolmap, which is an extra; InputError says how to get it."""
    try:
        import pycolmap
    except ImportError:
        raise InputError("scenes are mapped by pycolmap, which is not there; pip install 'vode[scene]'") from None
    return pycolmap


def _match(
    colmap: ModuleType, folder: Path, taken: Frames, mapping: MapOptions, on_progress: Callable[[str], None]
) -> Evidence:
    """Features and confirmed matches, into the database, and what they are like."""
    database, names = folder / DATABASE, [_name(number) for number in taken.numbers]
    reading, extraction = colmap.ImageReaderOptions(), colmap.FeatureExtractionOptions()
    reading.camera_model = UNKNOWN
    if taken.intrinsics is not None:
        reading.camera_model = KNOWN
        # COLMAP has the centres of pixels at 0.5.
        fx, fy, (cx, cy) = taken.intrinsics[0, 0], taken.intrinsics[1, 1], taken.intrinsics[:2, 2] + 0.5
        reading.camera_params = ",".join(repr(float(value)) for value in (fx, fy, cx, cy))
    extraction.max_image_size, extraction.sift.max_num_features = mapping.size, mapping.features
    extraction.num_threads = mapping.workers
    on_progress(f"features of {len(names)} frames")
    colmap.extract_features(
        database,
        folder / "images",
        camera_mode=colmap.CameraMode.SINGLE,
        reader_options=reading,
        extraction_options=extraction,
    )
    pairs = pairs_to_match(len(names), overlap=mapping.overlap, everything=mapping.loops)
    listed = folder / "pairs.txt"
    write_bytes(listed, "".join(f"{names[i]} {names[j]}\n" for i, j in pairs).encode(), sync=False)
    matching, pairing = colmap.FeatureMatchingOptions(), colmap.ImportedPairingOptions()
    verification = colmap.TwoViewGeometryOptions()
    matching.num_threads, pairing.match_list_path = mapping.workers, listed
    verification.ransac.random_seed = SEED
    # Ctrl-C is heard between blocks of pairs.
    pairing.block_size = BLOCK
    on_progress(f"matches of {len(pairs)} pairs")
    colmap.match_image_pairs(
        database, matching_options=matching, pairing_options=pairing, verification_options=verification
    )
    return _evidence(colmap, database, taken)


def _evidence(colmap: ModuleType, path: Path, taken: Frames) -> Evidence:
    database = colmap.Database.open(path)
    try:
        numbers = {image.image_id: int(Path(image.name).stem) for image in database.read_all_images()}
        places = {number: at for at, number in enumerate(taken.numbers)}
        order = {image: places[number] for image, number in numbers.items()}
        pixels = {image: database.read_keypoints(image)[:, :2].astype(np.float64) for image in order}
        matches = {}
        for number, geometry in zip(*database.read_two_view_geometries(), strict=True):
            (i, j), found = colmap.pair_id_to_image_pair(number), geometry.inlier_matches
            sides = sorted([(order[i], pixels[i][found[:, 0]]), (order[j], pixels[j][found[:, 1]])], key=lambda x: x[0])
            matches[sides[0][0], sides[1][0]] = sides[0][1], sides[1][1]
    finally:
        database.close()
    counts = dict.fromkeys(range(len(taken.numbers)), 0) | {order[image]: len(found) for image, found in pixels.items()}
    return Evidence(taken.size, taken.blur, tuple(counts.values()), matches)


def _map(colmap: ModuleType, folder: Path, taken: Frames, mapping: MapOptions) -> list[pycolmap.Reconstruction]:
    """The maps that could be made, the largest first."""
    options = colmap.IncrementalPipelineOptions()
    options.num_threads, options.random_seed = mapping.workers, SEED
    options.min_model_size = min(options.min_model_size, len(taken.numbers))
    if taken.intrinsics is not None:
        options.ba_refine_focal_length = options.ba_refine_extra_params = False
    colmap.set_random_seed(SEED)
    found = colmap.incremental_mapping(folder / DATABASE, folder / "images", make_folder(folder / "maps"), options)
    # Images can be placed, badly, without a single point.
    return sorted(
        (model for model in found.values() if model.num_points3D()), key=lambda model: -model.num_reg_images()
    )


def _keep(folder: Path, model: pycolmap.Reconstruction) -> None:
    """Write the map and leave nothing else but the images that are in it."""
    model.write_binary(make_folder(folder / "sparse" / "0"))
    shutil.rmtree(folder / "maps")
    for path in folder.iterdir():
        # Databases of SQLite may have others beside them.
        if path.is_file():
            path.unlink()
    registered = {image.name for image in _registered(model)}
    for path in (folder / "images").iterdir():
        if path.name not in registered:
            path.unlink()


def _quality(video: Path, models: list[pycolmap.Reconstruction], taken: Frames, evidence: Evidence) -> Quality:
    model = models[0]
    images, camera = _registered(model), next(iter(model.cameras.values()))
    centres = np.array([image.projection_center() for image in images])
    depths = [
        (image.cam_from_world() * np.array([model.points3D[point].xyz for point in seen]))[:, 2]
        for image in images
        if (seen := [feature.point3D_id for feature in image.points2D if feature.has_point3D()])
    ]
    path = np.linalg.norm(np.diff(centres, axis=0), axis=1).sum()
    there = {image.name for image in images}
    gap = longest = 0
    for number in taken.numbers:
        gap = 0 if _name(number) in there else gap + 1
        longest = max(longest, gap)
    return Quality(
        video=str(video),
        taken=len(taken.numbers),
        registered=len(images),
        longest_gap=longest,
        points=model.num_points3D(),
        track_length=float(model.compute_mean_track_length()),
        reprojection_error=float(model.compute_mean_reprojection_error()),
        neighbour_matches=neighbour_matches(evidence),
        blur=taken.blur,
        focal=float(camera.mean_focal_length()),
        fov=float(np.degrees(2 * np.arctan(camera.width / 2 / camera.focal_length_x))),
        distortion=0.0 if taken.intrinsics is not None else float(camera.params[3]),
        camera_known=taken.intrinsics is not None,
        path_per_depth=float(path / np.median(np.concatenate(depths))) if depths else 0.0,
        other_maps=tuple(other.num_reg_images() for other in models[1:]),
    )


def _registered(model: pycolmap.Reconstruction) -> list[pycolmap.Image]:
    return sorted((image for image in model.images.values() if image.has_pose), key=lambda image: image.name)


def _name(number: int) -> str:
    return f"{number:06d}.jpg"


@contextmanager
def _quiet(colmap: ModuleType) -> Iterator[None]:
    """Keep pycolmap's log from the terminal."""
    before = colmap.logging.minloglevel
    colmap.logging.minloglevel = int(colmap.logging.FATAL)
    try:
        yield
    finally:
        colmap.logging.minloglevel = before
