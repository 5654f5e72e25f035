"""Building a scene: a video of a walk becomes a COLMAP data set, mapped by pycolmap.

    out/images/000012.jpg                             the registered frames, by their numbers in the video
    out/sparse/0/{cameras, images, points3D}.bin      the map, of arbitrary scale
    out/scene.json                                    its quality

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
"""smallest fraction of the frames that must be registered in a map"""
NEAR = 0.02
"""path length, relative to the depth of the scene, below which the camera counts as not moving"""
BLOCK = 64
"""pairs that are matched at a time"""
PLAUSIBLE_VIEW, PLAUSIBLE_BEND = (20.0, 150.0), 1.0
"""plausible range of the estimated field of view in degrees, and limit of the distortion"""
KNOWN, UNKNOWN = "PINHOLE", "SIMPLE_RADIAL"
"""COLMAP's models of a known and of an unknown camera"""


@dataclass(frozen=True)
class Quality:
    """Quality of a map; pixels, degrees, and lengths in the unit of the map."""

    video: str
    taken: int
    """frames taken from the video"""
    registered: int
    """frames registered in the map"""
    longest_gap: int
    """largest number of consecutive frames taken but not registered"""
    points: int
    track_length: float
    """mean number of images in which a point is seen"""
    reprojection_error: float
    """mean, pixels"""
    neighbour_matches: float
    """median number of verified matches between consecutive frames"""
    blur: float
    """median width of edges, pixels"""
    focal: float
    """pixels"""
    fov: float
    """horizontal, degrees"""
    distortion: float
    """radial distortion k1"""
    camera_known: bool
    path_per_depth: float
    """length of the camera's path relative to the median depth of the points"""
    other_maps: tuple[int, ...]
    """number of frames in each of the smaller maps, which could not be merged and were dropped"""


def build(
    video: Path,
    out: Path,
    frames: FrameOptions = FrameOptions(),
    mapping: MapOptions = MapOptions(),
    on_progress: Callable[[str], None] = lambda line: None,
) -> Quality:
    """Map a video or a folder of images into the COLMAP data set ``out``; ``on_progress`` is called with each step.

    ``out`` appears only when complete. InputError names the video, why it cannot be mapped, and the remedy.
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
                f"{video}: its camera cannot be estimated (field of view {quality.fov:.0f} degrees, k1 "
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
    """The module pycolmap, an extra; InputError says how to install it."""
    try:
        import pycolmap
    except ImportError:
        raise InputError("scenes are mapped by pycolmap, which is not installed; pip install 'vode[scene]'") from None
    return pycolmap


def _match(
    colmap: ModuleType, folder: Path, taken: Frames, mapping: MapOptions, on_progress: Callable[[str], None]
) -> Evidence:
    """Extract features and verified matches into the database, and summarise them."""
    database, names = folder / DATABASE, [_name(number) for number in taken.numbers]
    reading, extraction = colmap.ImageReaderOptions(), colmap.FeatureExtractionOptions()
    reading.camera_model = UNKNOWN
    if taken.intrinsics is not None:
        reading.camera_model = KNOWN
        # COLMAP's pixel centres lie at 0.5.
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
    # Ctrl-C takes effect between blocks of pairs.
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
    """The reconstructed maps, largest first."""
    options = colmap.IncrementalPipelineOptions()
    options.num_threads, options.random_seed = mapping.workers, SEED
    options.min_model_size = min(options.min_model_size, len(taken.numbers))
    if taken.intrinsics is not None:
        options.ba_refine_focal_length = options.ba_refine_extra_params = False
    colmap.set_random_seed(SEED)
    found = colmap.incremental_mapping(folder / DATABASE, folder / "images", make_folder(folder / "maps"), options)
    # pycolmap may register images, badly, without a single point.
    return sorted(
        (model for model in found.values() if model.num_points3D()), key=lambda model: -model.num_reg_images()
    )


def _keep(folder: Path, model: pycolmap.Reconstruction) -> None:
    """Write the map, and delete everything but its registered images."""
    model.write_binary(make_folder(folder / "sparse" / "0"))
    shutil.rmtree(folder / "maps")
    for path in folder.iterdir():
        # SQLite databases may have side files.
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
    """Silence pycolmap's log."""
    before = colmap.logging.minloglevel
    colmap.logging.minloglevel = int(colmap.logging.FATAL)
    try:
        yield
    finally:
        colmap.logging.minloglevel = before
