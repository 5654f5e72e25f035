"""``vode scene build`` and ``vode scene align``: a scene of one's own, and several in the same axes."""

from __future__ import annotations

import dataclasses
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from vode.cli.common import save_json
from vode.sfm.options import FrameOptions, Layout, MapOptions

if TYPE_CHECKING:
    from vode.sfm.align import Alignment
    from vode.sfm.build import Quality


def build(
    video: tyro.conf.Positional[Path],
    out: Path,
    frames: Annotated[FrameOptions, tyro.conf.arg(name="")] = FrameOptions(),
    mapping: Annotated[MapOptions, tyro.conf.arg(name="")] = MapOptions(),
) -> None:
    """Make a data set of a walk-through video, or of a folder of images, for --dataset colmap.

    Frames are chosen, the sharpest of each stretch, and mapped by pycolmap (pip install 'vode[scene]'). A video that
    cannot be mapped gives the reason, status 2, and no folder.

    Args:
        video: file or folder of images.
        out: folder of the data set, which must not be there yet: images, sparse/0 and scene.json, how good it is.
    """
    from vode.sfm import build as sfm_build

    quality = sfm_build.build(video, out, frames, mapping, on_progress=lambda line: print(line, file=sys.stderr))
    _print_quality(out, quality)


def align(
    a: tyro.conf.Positional[Path],
    b: tyro.conf.Positional[Path],
    out: Path | None = None,
    dataset_a: Layout | None = None,
    dataset_b: Layout | None = None,
    json: Path | None = None,
) -> None:
    """Bring scene B into the axes and the scale of scene A, by the images that both hold, and say how well it fits.

    Images are the same if their names are, without suffix. Up to 40 % of them may be in the wrong place.

    Args:
        a: folder of a scene: a COLMAP model, transforms.json or Cambridge Landmarks' lists.
        b: folder of another.
        out: folder to write B to, in A's axes: a COLMAP model as one, for --dataset colmap (by pycolmap, pip install
            'vode[scene]'), else transforms.json, for --dataset transforms; images are hard links, or copies.
        dataset_a: layout of A, if its files do not show it.
        dataset_b: layout of B.
        json: file for the transform and the numbers; lengths in A's units, angles in radians.
    """
    from vode.sfm import align as sfm_align

    scenes = sfm_align.read_scene(a, dataset_a), sfm_align.read_scene(b, dataset_b)
    found = sfm_align.align(*scenes)
    _print_alignment(found)
    if json is not None:
        save_json(json, dataclasses.asdict(found))
    if out is not None:
        sfm_align.write_aligned(scenes[1], found, out)
        print(f"{out}: {b} in the axes of {a}; read it with --dataset {_readable(scenes[1].layout)} --data {out}")


def _readable(layout: Layout) -> Layout:
    return "colmap" if layout == "colmap" else "transforms"


def _print_quality(out: Path, quality: Quality) -> None:
    known = "given" if quality.camera_known else f"found, k1 {quality.distortion:.3f}"
    rows = {
        "frames registered": f"{quality.registered} of {quality.taken}, longest gap {quality.longest_gap}",
        "points": f"{quality.points}, seen in {quality.track_length:.1f} images each",
        "reprojection error": f"{quality.reprojection_error:.2f} px",
        "matches of neighbours": f"{quality.neighbour_matches:.0f}",
        "width of edges": f"{quality.blur:.1f} px",
        "focal length": f"{quality.focal:.1f} px, {quality.fov:.1f} degrees across ({known})",
        "path": f"{quality.path_per_depth:.2f} of the median depth",
    }
    if quality.other_maps:
        rows["left out"] = f"smaller maps of {', '.join(map(str, quality.other_maps))} frames"
    print(out)
    for name, text in rows.items():
        print(f"  {name:22}{text}")
    print(f"train with --dataset colmap --data {out}")


def _print_alignment(found: Alignment) -> None:
    print(f"scale {found.scale:.6g}; A's images lie {found.extent:.3g} from their middle, in units of A as all lengths")
    print(f"  {'':18}{'inliers':>12}{'all shared':>12}")
    for name, tell in {
        "images": lambda kind: f"{kind.images}",
        "position, median": lambda kind: f"{kind.position_median:.3g}",
        "position, max": lambda kind: f"{kind.position_max:.3g}",
        "rotation, median": lambda kind: f"{math.degrees(kind.rotation_median):.2f} deg",
        "rotation, max": lambda kind: f"{math.degrees(kind.rotation_max):.2f} deg",
    }.items():
        print(f"  {name:18}{tell(found.inliers):>12}{tell(found.shared):>12}")
