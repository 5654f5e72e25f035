"""A resized copy of a data set, which is read faster than the originals.

    out/manifest.json                 what was copied: data set, size, kind and quality of the images, sequences
    out/00/2/000000.jpg               images of a sequence, by camera, numbered in order
    out/00/2/depth/000000.png         16-bit, metres x 256, 0 = unknown, where the original has depth
    out/00/2/sequence.json            intrinsics, poses, timestamps, frames that training may start at; written last

or, with shards, in place of each folder of a sequence and camera one archive with its files, out/00/2.zip, which is
read without being unpacked, here or at an address. Flow and the points of a scene are not copied.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vode.datasets.base import Sequence
from vode.datasets.prepared.archive import SUFFIX, pack
from vode.datasets.prepared.manifest import SEQUENCE, Manifest, write_manifest
from vode.geometry.camera import resize_intrinsics
from vode.geometry.resize import resize_depth
from vode.io.atomic import make_folder, write_bytes
from vode.io.depth import write_depth
from vode.io.files import inside
from vode.io.image import write_image


def prepare(
    out: Path,
    manifest: Manifest,
    open_sequence: Callable[[str, int], Sequence],
    *,
    workers: int = 2,
    on_progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> int:
    """Write what is not there yet of a copy in ``out``, and return the number of images written.

    ``open_sequence`` opens a sequence by name and camera; ``on_progress`` is called with the sequence's name, the
    number of its images that are done and their total. Every file appears whole or not at all, so that a copy that was
    interrupted is resumed where it stopped; asked for shards, it makes them of folders that are whole. InputError if
    ``out`` holds a copy that was made otherwise, or an image is damaged.
    """
    write_manifest(out, manifest)
    written = 0
    for name in manifest.sequences:
        for camera in manifest.camera:
            folder = inside(out, f"{name}/{camera}")
            shard = folder.with_name(f"{folder.name}{SUFFIX}") if manifest.shards else None
            if shard is None or not shard.is_file():
                if not (folder / SEQUENCE).is_file():
                    written += _copy(folder, open_sequence(name, camera), manifest, workers, on_progress)
                if shard is not None:
                    pack(folder, shard)
            if shard is not None:
                shutil.rmtree(folder, ignore_errors=True)
    return written


def _copy(
    folder: Path, sequence: Sequence, manifest: Manifest, workers: int, on_progress: Callable[[str, int, int], None]
) -> int:
    """Copy a sequence; its number of images that were not there yet."""
    make_folder(folder)

    def copy(index: int) -> bool:
        file, depth_file = folder / f"{index:06d}.{manifest.kind}", folder / "depth" / f"{index:06d}.png"
        depth = None if _whole(depth_file) else sequence.depth(index)
        if depth is not None:
            depth = resize_depth(depth[None], manifest.size)[0]
            make_folder(depth_file.parent)
            write_depth(depth_file, depth, sync=False)
        if _whole(file):
            return False
        write_image(file, sequence.resized(index, manifest.size), quality=manifest.quality, sync=False)
        return True

    written = 0
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        try:
            for done, new in enumerate(pool.map(copy, range(len(sequence))), start=1):
                written += new
                on_progress(sequence.name, done, len(sequence))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    write_bytes(folder / SEQUENCE, json.dumps(_values(sequence, manifest), allow_nan=False).encode())
    return written


def _values(sequence: Sequence, manifest: Manifest) -> dict[str, Any]:
    intrinsics = resize_intrinsics(sequence.intrinsics.double(), sequence.size, manifest.size)
    tensors = {
        "poses": sequence.poses,
        "poses_in_scene": sequence.poses_in_scene,
        "stamps": sequence.timestamps,
    }
    return {
        "frames": len(sequence),
        "intrinsics": intrinsics.tolist(),
        **{name: None if value is None else value.tolist() for name, value in tensors.items()},
        "starts": sequence.starts,
        "validation": sequence.validation,
        "notes": sequence.notes,
    }


def _whole(file: Path) -> bool:
    """Whether a file is there; after a crash of the machine, one that was being written may be empty."""
    return file.is_file() and file.stat().st_size > 0
