"""How fast samples are read: from originals and from a prepared copy, beside bare decoding and resizing.

    python benchmarks/loading.py --data KITTI_RAW [--dataset kitti-raw] [--size 256 832]

Loading is what a worker does: read, check, decode, resize, crop, flip, and stack to batches of 8 bits. What is left,
float and colours, is done for a whole batch by the device that trains; here by the processor. Every way is timed on the
same images in one process of one thread, all files in the page cache; the ways take turns, so that a machine whose
speed varies treats them alike.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import tyro
from report import machine, table

from vode.augmentation.options import Augment
from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.base import Sequence
from vode.datasets.options import DataOptions
from vode.datasets.prepared.copying import prepare
from vode.datasets.prepared.manifest import Manifest
from vode.datasets.prepared.sequence import PreparedSequence
from vode.datasets.registry import open_dataset, open_sequences
from vode.datasets.sample import collate
from vode.geometry.resize import resize_images
from vode.training.clip_dataset import ClipDataset


@dataclass(frozen=True)
class Options:
    """What is read."""

    data: Path
    dataset: str = "kitti-raw"
    sequences: tuple[str, ...] = ()
    camera: int = 2
    size: tuple[int, int] = (256, 832)
    samples: int = 20
    """pairs of images a turn"""
    turns: int = 5
    batch: int = 4


def main(options: Options) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    where = DataOptions(options.dataset, options.data, options.sequences, (options.camera,))
    names = options.sequences or open_dataset(where).names()
    originals = open_sequences(where, names)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        kinds = {"originals": originals}
        for kind in ("png", "jpg"):
            out = Path(folder) / kind
            manifest = Manifest(options.dataset, options.size, kind, 95, (options.camera,), names, names)
            prepare(out, manifest, lambda name, camera: originals[names.index(name)])
            kinds[f"prepared, {kind}"] = [PreparedSequence(out, name, options.camera) for name in names]
        for name, sequences in kinds.items():
            rows.append([name, *measure(sequences, options)])
    print(machine("opencv-python-headless"))
    print(
        f"{options.dataset}, {originals[0].size[1]}x{originals[0].size[0]}, read at {options.size[1]}x{options.size[0]}"
    )
    head = ["from", "pairs/s", "bare", "loading adds", "decoding is", "varied pairs/s", "to float", "and colours"]
    print(table(head, rows))


def measure(sequences: list[Sequence], options: Options) -> list[str]:
    """Samples a second of loading and of bare decoding with resizing, and shares of the time."""
    files = [file for sequence in sequences for file in sequence.images]
    plain = ClipDataset(sequences, size=options.size, raw=True)
    varied = ClipDataset(sequences, size=options.size, augment=Augment(crop=0.1), raw=True)
    draws = np.random.default_rng(0).integers(len(plain), size=options.samples)
    pairs = [(start % (len(files) - 1), start % (len(files) - 1) + 1) for start in map(int, draws)]

    def load(snippets: ClipDataset) -> list[dict[str, torch.Tensor]]:
        starts = range(0, len(draws), options.batch)
        return [collate([snippets[int(number)] for number in draws[at : at + options.batch]]) for at in starts]

    def bare(size: tuple[int, int] | None) -> None:
        for pair in pairs:
            for number in pair:
                decoded = cv2.imdecode(np.frombuffer(files[number].read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)
                if size is not None:
                    resize_images(torch.from_numpy(decoded).permute(2, 0, 1)[None], size)

    batches, varied_batches = load(plain), load(varied)
    ways = [
        lambda: load(plain),
        lambda: bare(options.size),
        lambda: bare(None),
        lambda: load(varied),
        lambda: [to_float_and_augment(batch) for batch in batches],
        lambda: [to_float_and_augment(batch) for batch in varied_batches],
    ]
    loading, least, decoding, augmented, to_float, colours = fastest(ways, options.turns)
    count = len(draws)
    return [
        f"{count / loading:.0f}",
        f"{count / least:.0f}",
        f"{100 * (loading / least - 1):.0f} %",
        f"{100 * decoding / loading:.0f} %",
        f"{count / augmented:.0f}",
        f"{1000 * to_float / count:.2f} ms",
        f"{1000 * (colours - to_float) / count:.1f} ms",
    ]


def fastest(ways: list[Callable[[], None]], turns: int) -> list[float]:
    """The best time of each way in seconds; the ways take turns."""
    times = []
    for _ in range(turns + 1):
        row = []
        for way in ways:
            start = time.perf_counter()
            way()
            row.append(time.perf_counter() - start)
        times.append(row)
    return np.min(times[1:], axis=0).tolist()


if __name__ == "__main__":
    main(tyro.cli(Options))
