"""A made-up folder of a run, and a browser to look at its report with."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

COUNT, RATE, RADIUS, TURN = 41, 10.0, 10.0, np.pi
"""frames, frames a second, metres, radians driven to the right"""
LOST = (20, 21, 22)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECONDS = 60.0
"""that a browser has for an answer"""


@pytest.fixture(scope="session")
def example() -> SimpleNamespace:
    """What the folder is made of, and functions that make it: half a circle is driven, with three frames lost."""
    functions = {"circle": circle, "summary": summary, "write": write_folder, "write_cloud": write_cloud}
    return SimpleNamespace(count=COUNT, rate=RATE, radius=RADIUS, turn=TURN, lost=LOST, **functions)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium, where there is one."""
    if CHROMIUM is None:
        pytest.skip("no Chromium")
    with open_browser(tmp_path_factory.mktemp("browser") / "profile") as browser:
        yield browser


def circle() -> np.ndarray:
    """Poses (COUNT, 4, 4) of half a circle to the right, which rises by a metre."""
    angles = np.linspace(0, TURN, COUNT)
    poses = np.tile(np.eye(4), (COUNT, 1, 1))
    poses[:, 0, 0] = poses[:, 2, 2] = np.cos(angles)
    poses[:, 0, 2], poses[:, 2, 0] = np.sin(angles), -np.sin(angles)
    poses[:, :3, 3] = np.stack([RADIUS * (1 - np.cos(angles)), -angles / TURN, RADIUS * np.sin(angles)], axis=1)
    return poses


def summary(**changes: Any) -> dict[str, Any]:
    """The content of run.json."""
    return {
        "version": 1,
        "vode": "0.2.0",
        "source": {"address": "walk.mp4", "kind": "video", "frames_total": COUNT, "live": False, "dropped": 0},
        "state": "finished",
        "started": "2026-01-02T03:04:05",
        "seconds": 5.0,
        "frames_per_second": 8.2,
        "peak_memory_bytes": 900 * 2**20,
        "camera": {
            **{"width": 640, "height": 480, "fx": 320.0, "fy": 320.0, "cx": 319.5, "cy": 239.5},
            **{"distortion": None, "origin": "self-calibration", "relative_deviation": 0.021, "note": "38 pairs."},
        },
        "scale": {"unit": "metres", "origin": "depth", "note": "Learned from rendered images."},
        "model": {"name": "vode-small", "note": ""},
        "options": {"fov": None},
        "adaptation": None,
        "loops": [{"frame_a": 0, "frame_b": 40, "inliers": 77, "correction_metres": 0.25}],
        "notes": ["Three frames show nothing."],
        "outputs": {"trajectory": "trajectory.tum", "cloud": "cloud.ply"},
    } | changes


def write_folder(folder: Path, run: dict[str, Any] | None = None) -> Path:
    """Write the folder, with a cloud of 3000 green points around the path."""
    (folder / "thumbnails").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(run or summary()))
    poses = circle()
    rows = [_row(i, pose) for i, pose in enumerate(poses)]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tum = [[row["timestamp"], *row["position"], *row["quaternion"][1:], row["quaternion"][0]] for row in rows]
    (folder / "trajectory.tum").write_text("".join(" ".join(f"{x:.9f}" for x in line) + "\n" for line in tum))
    for i in (0, 10, *LOST, 40):
        cv2.imwrite(str(folder / "thumbnails" / f"{i:06d}.jpg"), np.full((90, 160, 3), 6 * i, np.uint8))
    cv2.imwrite(str(folder / "thumbnails" / "000010_depth.jpg"), np.full((90, 160, 3), 99, np.uint8))
    (folder / "depth").mkdir()
    cv2.imwrite(str(folder / "depth" / "000010.png"), np.full((48, 64), 2500, np.uint16))
    rng = np.random.default_rng(0)
    around = poses[rng.integers(COUNT, size=3000), :3, 3] + rng.uniform(-3, 3, (3000, 3))
    write_cloud(folder / "cloud.ply", around, np.tile(np.array([40, 200, 60]), (3000, 1)))
    return folder


def write_cloud(path: Path, positions: np.ndarray, colors: np.ndarray) -> None:
    """A binary PLY file."""
    kinds = [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1")]
    points = np.empty(len(positions), np.dtype(kinds))
    for k, (name, _) in enumerate(kinds):
        points[name] = positions[:, k] if k < 3 else colors[:, k - 3]
    words = "".join(f"property {'float' if kind == '<f4' else 'uchar'} {name}\n" for name, kind in kinds)
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\n{words}end_header\n"
    path.write_bytes(header.encode() + points.tobytes())


def _row(index: int, pose: np.ndarray) -> dict[str, Any]:
    lost, half = index in LOST, np.linspace(0, TURN, COUNT)[index] / 2
    return {
        "frame": index,
        "timestamp": 1000.0 + index / RATE,
        "name": None,
        "method": "extrapolated" if lost else "essential" if index else "start",
        "reason": "blank" if lost else None,
        "position": pose[:3, 3].tolist(),
        "quaternion": [np.cos(half), 0.0, np.sin(half), 0.0],
        "depth_factor": 1.02 + index / 1000,
        "depth_factor_deviation": 0.03,
        "scale_deviation": None if lost else 0.015,
        "inliers": 0 if lost else 500,
        "seconds": 0.1,
    }


class Browser:
    """One page of a headless Chromium, spoken to over pipes by its own protocol."""

    def __init__(self, requests: int, replies: int) -> None:
        self._requests, self._replies, self._rest, self._number = requests, replies, b"", 0
        self.events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._call(method, parameters, self._session)

    def open(self, path: Path, size: tuple[int, int], *, dark: bool = False) -> None:
        """Open a file in a window of (width, height), and wait until it is drawn."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        self._wait(lambda event: event.get("method") == "Page.loadEventFired")
        # two frames: what the first asked for is drawn in the second
        twice = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
        self.call("Runtime.evaluate", expression=twice, awaitPromise=True)

    def value(self, expression: str) -> Any:
        """The value of an expression in the page."""
        reply = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in reply, reply["exceptionDetails"]
        return reply["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, buttons: int = 0) -> None:
        button = "none" if kind == "mouseMoved" and not buttons else "left"
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, buttons=buttons, clickCount=1)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def complaints(self) -> list[str]:
        """Errors and warnings since the page was opened."""
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                found.append(str(parameters["exceptionDetails"]))
            elif event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
                found.append(str(parameters["args"]))
            elif event["method"] == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
                found.append(parameters["entry"]["text"])
        # software rendering is slow to read back, which is what tests do
        return [line for line in found if "GPU stall due to ReadPixels" not in line]

    def requested(self) -> list[str]:
        """The addresses that the page asked for, without those that hold their data themselves."""
        sent = [x["params"]["request"]["url"] for x in self.events if x["method"] == "Network.requestWillBeSent"]
        return [address for address in sent if not address.startswith("data:")]

    def _call(self, method: str, parameters: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self._requests, json.dumps(message).encode() + b"\0")
        reply = self._wait(lambda event: event.get("id") == number)
        assert "error" not in reply, (method, reply["error"])
        return reply["result"]

    def _wait(self, wanted: Any) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            message, found, rest = self._rest.partition(b"\0")
            if found:
                self._rest = rest
                event = json.loads(message)
                if "method" in event:
                    self.events.append(event)
                if wanted(event):
                    return event
            elif select.select([self._replies], [], [], 1.0)[0]:
                data = os.read(self._replies, 1 << 20)
                assert data, "the browser has closed its pipe"
                self._rest += data
        raise TimeoutError("the browser does not answer")


@contextlib.contextmanager
def open_browser(profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, which ends with the block."""
    # of Unix alone
    import fcntl

    assert CHROMIUM is not None
    ours, requests = os.pipe()
    replies, theirs = os.pipe()
    options = [
        *("--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run", "--disable-dev-shm-usage"),
        *("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-extensions", "--hide-scrollbars"),
        *("--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"),
    ]
    # where the browser looks for them, out of the way of what these numbers may be here
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (ours, theirs)]

    def place() -> None:
        os.dup2(high[0], 3)
        os.dup2(high[1], 4)

    with open(profile.with_suffix(".log"), "wb") as log:
        process = subprocess.Popen(
            [CHROMIUM, *options, "about:blank"], preexec_fn=place, close_fds=False, stdout=log, stderr=log
        )
    for end in (ours, theirs, *high):
        os.close(end)
    browser = Browser(requests, replies)
    try:
        yield browser
    finally:
        with contextlib.suppress(OSError, AssertionError, TimeoutError):
            browser._call("Browser.close", {})
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(requests)
        os.close(replies)
