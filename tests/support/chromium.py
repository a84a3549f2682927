# SPDX-License-Identifier: Apache-2.0
"""Open a page in a headless Chromium and report what it did.

It uses the DevTools protocol over Chromium's pipe, without a port or a library. ``python
tests/support/chromium.py PAGE PICTURE [light|dark]`` takes a screenshot of a whole page.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0
WIDTH_PX = 1180


@dataclass
class Page:
    """Report of a page.

    :ivar errors: errors and warnings of the console, and exceptions.
    :ivar requests: requested addresses, except its own.
    :ivar size: width and height of the whole page [px].
    :ivar text: the visible text.
    """

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    text: str = ""
    png: bytes = b""


class Chromium:
    """One browser process.

    :param program: path of Chromium.
    """

    def __init__(self, program: str) -> None:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command_out, command_in = os.pipe()
        answer_out, answer_in = os.pipe()
        self._write_to, self._read_from = command_in, answer_out

        def take_pipes() -> None:
            # Where Chromium expects them: 3 to read from, 4 to write to.
            high = [os.dup2(fd, number) for fd, number in ((command_out, 103), (answer_in, 104))]
            for fd, number in zip(high, (3, 4), strict=True):
                os.dup2(fd, number)

        self._process = subprocess.Popen(
            [
                program,
                "--headless=new",
                "--no-sandbox",  # tests may run as root
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--hide-scrollbars",
                "--remote-debugging-pipe",
                f"--user-data-dir={self._folder.name}",
                "about:blank",
            ],
            close_fds=False,
            preexec_fn=take_pipes,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(command_out)
        os.close(answer_in)
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._events: list[dict[str, Any]] = []

    def open(self, page: Path, scheme: str = "light") -> Page:
        """Open a file, wait until it is rendered, and return the report.

        :param scheme: "light" or "dark", as the user prefers it.
        """
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})[
            "sessionId"
        ]

        def call(method: str, **parameters: Any) -> dict[str, Any]:
            return self._call(method, parameters, session)

        for domain in ("Page", "Runtime", "Log", "Network"):
            call(f"{domain}.enable")
        feature = {"name": "prefers-color-scheme", "value": scheme}
        call("Emulation.setEmulatedMedia", features=[feature])
        self._set_size(call, 800)
        self._events.clear()
        url = page.absolute().as_uri()
        call("Page.navigate", url=url)
        self._wait_for("Page.loadEventFired")
        content = call("Page.getLayoutMetrics")["cssContentSize"]
        height = round(content["height"])
        self._set_size(call, height)
        text = call("Runtime.evaluate", expression="document.body.innerText")["result"]["value"]
        shot = call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return Page(
            [line for event in self._events for line in _complaints(event)],
            [address for event in self._events if (address := _request(event, url))],
            (round(content["width"]), height),
            text,
            base64.b64decode(shot["data"]),
        )

    def live(self, url: str, width_px: int = WIDTH_PX, height_px: int = 900) -> LiveTab:
        """Open a page with live updates and keep it open."""
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})
        tab = LiveTab(self, attached["sessionId"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.call(f"{domain}.enable")
        tab.call(
            "Emulation.setDeviceMetricsOverride",
            width=width_px,
            height=height_px,
            deviceScaleFactor=1,
            mobile=width_px < 600,
        )
        self._events.clear()
        tab.call("Page.navigate", url=url)
        self._wait_for("Page.loadEventFired")
        return tab

    @staticmethod
    def _set_size(call: Any, height: int) -> None:
        call(
            "Emulation.setDeviceMetricsOverride",
            width=WIDTH_PX,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(OSError):
            self._send({"id": next(self._numbers), "method": "Browser.close"})
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write_to)
        os.close(self._read_from)
        self._folder.cleanup()

    def _send(self, message: dict[str, Any]) -> None:
        os.write(self._write_to, json.dumps(message).encode() + b"\0")

    def _call(self, method: str, parameters: dict[str, Any], session: str = "") -> dict[str, Any]:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._send(message)
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self._events.append(answer)

    def _wait_for(self, method: str) -> None:
        while not any(event.get("method") == method for event in self._events):
            self._events.append(self._receive())

    def _receive(self) -> dict[str, Any]:
        end_s = time.monotonic() + PATIENCE_S
        while b"\0" not in self._buffer:
            left_s = end_s - time.monotonic()
            assert left_s > 0.0, "Chromium does not answer"
            if select.select([self._read_from], [], [], left_s)[0]:
                data = os.read(self._read_from, 1 << 20)
                assert data, "Chromium has ended"
                self._buffer += data
        line, self._buffer = self._buffer.split(b"\0", 1)
        return dict(json.loads(line))


class LiveTab:
    """A page that stays open."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol."""
        return self._browser._call(method, parameters, self._session)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """Return the whole page as PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def visible(self) -> bytes:
        """Return the visible part as JPEG, faster than the whole page."""
        shot = self.call("Page.captureScreenshot", format="jpeg", quality=95)
        return base64.b64decode(shot["data"])

    def complaints(self) -> list[str]:
        """Return the errors and warnings so far."""
        self.call("Runtime.evaluate", expression="0")  # processes pending events
        return [line for event in self._browser._events for line in _complaints(event)]

    def requests(self, own: str) -> list[str]:
        """Return the addresses outside ``own`` requested by the page."""
        found = (_request(event, own) for event in self._browser._events)
        return [url for url in found if url and not url.startswith((own, "blob:"))]


def _complaints(event: dict[str, Any]) -> list[str]:
    parameters = event.get("params", {})
    method = event.get("method")
    if method == "Log.entryAdded":
        return [parameters["entry"]["text"]]
    if method == "Runtime.exceptionThrown":
        return [str(parameters["exceptionDetails"])]
    if method == "Runtime.consoleAPICalled":
        return [str(parameters["args"])]
    return []


def _request(event: dict[str, Any], own: str) -> str:
    if event.get("method") != "Network.requestWillBeSent":
        return ""
    url = str(event["params"]["request"]["url"])
    return "" if url == own or url.startswith("data:") else url


if __name__ == "__main__":
    browser = Chromium("chromium")
    try:
        shown = browser.open(Path(sys.argv[1]), *sys.argv[3:4])
        Path(sys.argv[2]).write_bytes(shown.png)
        print(f"{sys.argv[2]}: {shown.size}, errors {shown.errors}, requests {shown.requests}")
    finally:
        browser.close()
