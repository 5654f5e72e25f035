"""A headless Chromium, spoken to over pipes by its own protocol: what a test needs of a browser, without a package."""

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
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECONDS = 60.0


class Browser:
    """One page of a browser."""

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
        button = "left" if buttons else "none"
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
    assert CHROMIUM is not None
    ours, requests = os.pipe()
    replies, theirs = os.pipe()
    options = [
        *("--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run", "--disable-dev-shm-usage"),
        *("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-extensions", "--hide-scrollbars"),
        *("--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"),
    ]
    command = ["sh", "-c", f'exec "$0" "$@" 3<&{ours} 4>&{theirs}', CHROMIUM, *options, "about:blank"]
    with open(profile.with_suffix(".log"), "wb") as log:
        process = subprocess.Popen(command, pass_fds=(ours, theirs), stdout=log, stderr=log)
    os.close(ours)
    os.close(theirs)
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
