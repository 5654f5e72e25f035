"""A place where commands of the manual find what they name, and are run once."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path, PurePosixPath

import fsspec

from tests.manual.data import kitti, rooms, scenes, videos, weights
from tests.manual.shortening import shortened
from vode.cli.main import main

Maker = Callable[[Path], None]

DATA: Mapping[str, Maker] = {
    **dict.fromkeys(("walk.mp4", "room.mp4", "drive.mp4", "other.mp4", "day.mp4"), videos.video),
    **dict.fromkeys(("walk", "drive"), videos.images),
    **dict.fromkeys(("truth.tum", "A.txt", "B.txt", "orb-slam2.txt"), videos.trajectory),
    **dict.fromkeys(("poses", "FOLDER"), kitti.poses),
    "videos": videos.videos,
    "camera.yaml": videos.camera,
    "calib.txt": kitti.calibration,
    "depth": videos.depth,
    "depth in millimetres": videos.depth_in_millimetres,
    "speed.csv": videos.speeds,
    "gps.csv": videos.fixes,
    "KITTI": kitti.odometry,
    "RAW": kitti.raw,
    "KITTI2015": kitti.scenes_of_2015,
    "ANNOTATED": kitti.annotated,
    "NYU": rooms.nyu,
    "TUM": rooms.tum,
    "redkitchen": rooms.seven_scenes,
    "ShopFacade": scenes.cambridge,
    "SCENE": scenes.exported,
    "walk through a room": scenes.walk,
    "dispnet_model_best.pth.tar": weights.dispnet,
}
"""what is written, by the name that the pages give it"""
SAME = {
    **{"ODOMETRY": "KITTI", "DIR": "KITTI", "KITTI_RAW": "RAW", "RUN": "runs/world", "A": "office", "B": "second"},
    **{"second.mp4": "walk through a room", "last.pth": "of-trianflow/last.pth"},
}
"""names of the same things"""
LEFT_BY = {
    "FILE.npz": "depth RUN --data DIR --sequences 09 --save-predictions FILE.npz",
    "SHARDS": "prepare --dataset kitti-odom --data KITTI --out SHARDS --size 256 832 --shards",
    "mono_640x192": "export-checkpoint runs/monodepth2-small --as monodepth2 --out mono_640x192",
    "of-trianflow": "export-checkpoint runs/trianflow-small --as trianflow --out of-trianflow",
    "office": "scene build walk.mp4 --out office --fov 65",
    "prepared": "prepare --dataset folder --data videos --fov 65 --size 256 448 --out prepared",
    "runs/adapt": "train adapt --data walk.mp4 --fov 65",
    "runs/depth-supervised": "train depth-supervised",
    "runs/folder": "train folder --data prepared",
    "runs/kitti-odom": "train kitti-odom --data ODOMETRY",
    "runs/kitti-odom-small": "train kitti-odom-small --data KITTI",
    "runs/monodepth": "train monodepth --data KITTI_RAW",
    "runs/monodepth2": "import mono_640x192 --as monodepth2 --out runs/monodepth2",
    "runs/monodepth2-small": "train monodepth2-small",
    "runs/office": "train posenet --dataset colmap --data office --run runs/office",
    "runs/posenet": "train posenet --data redkitchen",
    "runs/posenet-flow-small": "train posenet-flow-small",
    "runs/released": "import last.pth --out runs/released",
    "runs/sfmlearner": "import dispnet_model_best.pth.tar --as sfmlearner --out runs/sfmlearner",
    "runs/sfmlearner-small": "train sfmlearner-small",
    "runs/trianflow": "import last.pth --out runs/trianflow",
    "runs/trianflow-small": "train trianflow-small",
    # from random weights a step leads nowhere, and a path of no length cannot be aligned
    "runs/world": "train world --start-from vode-small",
    "second": "scene build second.mp4 --out second --fov 65",
    "second-aligned": "scene align office second --out second-aligned",
    "walk-run": "run walk.mp4",
}
"""what a command leaves, which others go on from"""
WITH = {("depth", "--depth-factor"): "depth in millimetres", ("walk.mp4", "build"): "walk through a room"}
"""what a name stands for in commands with a certain word"""
READS = {"runs/posenet": "redkitchen", "runs/office": "office"}
"""what a run was trained on, and reads again"""
WRITES = ("--out", "--run", "--save-predictions", "--table")
"""options whose value need not be there"""


class Workshop:
    """Makes what is asked for, once, in folders of its own below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._places: dict[str, Path] = {}
        self._done: dict[str, Path] = {}

    def provide(self, name: str) -> Path:
        """Where the thing of that name is."""
        if name not in self._places:
            self._places[name] = self._make(name)
        return self._places[name]

    def run(self, command: str) -> Path:
        """The folder in which the command was carried out, shortened, with everything that it names beside it."""
        if command not in self._done:
            words, folder = shortened(shlex.split(command)), self._folder()
            for name in named(words):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).symlink_to(self.provide(source(name, words)))
            for address in (word for word in words if word.startswith("memory://")):
                self._upload(self.provide(address.rpartition("/")[2]), address)
            with contextlib.chdir(folder):
                assert status_of(words) == 0, shlex.join(words)
            # gigabytes, which nothing resumes
            for checkpoint in folder.glob("runs/**/checkpoints/*"):
                checkpoint.unlink()
            self._done[command] = folder
        return self._done[command]

    def _make(self, name: str) -> Path:
        if name in SAME:
            first, _, rest = SAME[name].partition("/")
            return self.provide(SAME[name]) if known(SAME[name]) else self.provide(first) / rest
        if name in LEFT_BY:
            return self.run(LEFT_BY[name]) / name
        path = self._folder() / name
        DATA[name](path)
        return path

    def _folder(self) -> Path:
        folder = self.root / f"{len(list(self.root.iterdir())):03d}"
        folder.mkdir()
        return folder

    def _upload(self, folder: Path, address: str) -> None:
        fsspec.filesystem("memory").put(str(folder), address, recursive=True)


def known(name: str) -> bool:
    return name in DATA or name in SAME or name in LEFT_BY


def named(arguments: list[str]) -> list[str]:
    """The names of things that a command takes."""
    found = list(_named(arguments))
    return list(dict.fromkeys([*found, *(READS[name] for name in found if name in READS)]))


def _named(arguments: list[str]) -> Iterator[str]:
    for before, word in pairwise(["", *arguments]):
        path = PurePosixPath(word.rpartition("=")[2])
        found = [str(part) for part in (path, *path.parents) if known(str(part))]
        if found and before not in WRITES:
            yield found[0]


def left(arguments: list[str]) -> list[str]:
    """The names of things that are there after a command of a page."""
    if "--help" in arguments:
        return []
    given = [word for before, word in pairwise(arguments) if before in WRITES]
    if arguments[0] == "train" and "--run" not in arguments:
        name = arguments[1] if len(arguments) > 1 else "world"
        return [*given, f"runs/{name}/results.json"]
    if arguments[0] == "run":
        folder = given[0] if given else f"{PurePosixPath(arguments[1]).stem}-run"
        return [f"{folder}/{name}" for name in ("report.html", "trajectory.tum", "calibration.yaml")]
    return given


def taken_by(command: str) -> set[str]:
    """The names of everything that the command of a page takes, and of what they stand for."""
    words = shortened(shlex.split(command))
    taken = {source(name, words) for name in named(words)}
    same = {SAME[name] for name in taken if name in SAME}
    return taken | same | {name.partition("/")[0] for name in same}


def source(name: str, arguments: list[str]) -> str:
    """What the name stands for in this command."""
    return next((other for (of, word), other in WITH.items() if of == name and word in arguments), name)


def status_of(words: list[str]) -> int:
    """What ``vode`` with these arguments returns."""
    try:
        return main(words)
    except SystemExit as end:
        return int(end.code or 0)
