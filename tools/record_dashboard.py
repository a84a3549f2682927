# SPDX-License-Identifier: Apache-2.0
"""Record the README's pictures of the dashboard in Chromium.

``python3 tools/record_dashboard.py`` (after ``make build`` and ``source tools/env.sh``) starts the
graph on the moving public-domain portrait, opens the page, uses its controls, and writes
``docs/demo.webp``, ten seconds in real time; ``docs/dashboard.jpg``, the page on a desk;
``docs/dashboard_phone.jpg``, the same on a phone; and ``docs/dashboard_silent.jpg``, three seconds
after the camera stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.append(str(REPOSITORY / "tests" / "support"))

from chromium import Chromium, LiveTab  # noqa: E402 - needs the path set above

SIZE_PX = (1240, 760)
LENGTH_S = 10.0
FRAMES_PER_S = 6.0
QUALITY = 62
PATIENCE_S = 120.0
# Time to fill a part of the timeline.
LEAD_S = 8.0
DESK_PX, PHONE_PX = (1400, 900), (390, 844)
SILENCE_S = 3.0
_PALETTE = "document.querySelector('#palettes [value={}]').click()"
_TRY = "document.querySelector('#tries [data-emotion={}]').click()"
# What a user does, by seconds after the start.
STORY = (
    (1.5, _PALETTE.format("plutchik")),
    (3.0, _PALETTE.format("default")),
    (4.5, _TRY.format("surprise")),
    (6.5, _TRY.format("anger")),
    (8.5, "document.getElementById('follow-faces').click()"),
)


def main() -> int:
    """Record; return the exit code."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        print("Chromium is missing: apt-get install chromium", file=sys.stderr)
        return 1
    words = [sys.executable, "-m", "fer_bringup.start", "fer_light"]
    words += ["source:=portrait", "dashboard:=0", "device:=terminal", "aggregator:=false"]
    graph = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A separate domain, so that no other faces appear in the picture.
        env=os.environ | {"ROS_DOMAIN_ID": "98", "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"},
    )
    browser = Chromium(program)
    try:
        assert graph.stdout is not None
        address = _address(graph.stdout)
        threading.Thread(target=graph.stdout.readlines, daemon=True).start()
        demo = _open(browser, address, SIZE_PX)
        time.sleep(LEAD_S)
        _write(_record(demo), REPOSITORY / "docs" / "demo.webp")
        demo.call("Page.navigate", url="about:blank")
        desk, phone = (_open(browser, address, size) for size in (DESK_PX, PHONE_PX))
        time.sleep(LEAD_S)
        _save_page(desk, "dashboard")
        _save_page(phone, "dashboard_phone")
        camera = _child(graph.pid, "camera_node")
        os.kill(camera, signal.SIGSTOP)
        time.sleep(SILENCE_S)
        _save_page(phone, "dashboard_silent")
        os.kill(camera, signal.SIGCONT)
    finally:
        browser.close()
        graph.send_signal(signal.SIGINT)
        graph.wait(30.0)
    return 0


def _open(browser: Chromium, address: str, size_px: tuple[int, int]) -> LiveTab:
    """Open the page, dark, and wait until it shows a face."""
    tab = browser.live(address, *size_px)
    theme = {"name": "prefers-color-scheme", "value": "dark"}
    tab.call("Emulation.setEmulatedMedia", features=[theme])
    _wait_for(tab, "document.querySelectorAll('.control').length >= 6")
    _wait_for(tab, "document.querySelector('.face') && !document.getElementById('image').hidden")
    return tab


def _save_page(tab: LiveTab, name: str) -> None:
    page = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    page.save(REPOSITORY / "docs" / f"{name}.jpg", quality=80, optimize=True)


def _child(parent: int, program: str) -> int:
    """Return the process id of a child by its command line."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status, words = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
            is_child = status.rpartition(")")[2].split()[1] == str(parent)
            if is_child and program in words.decode(errors="replace"):
                return int(folder.name)
    raise RuntimeError(f"{program} does not run")


def _address(output: IO[str]) -> str:
    """Return the page's address from the graph's output."""
    for line in output:
        if match := re.search(r"http://\S+", line):
            return match.group()
    raise RuntimeError("the graph has ended without a dashboard")


def _wait_for(tab: LiveTab, expression: str) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not tab.evaluate(f"Boolean({expression})"):
        if time.monotonic() > end_s:
            raise RuntimeError(f"waited {PATIENCE_S:.0f} s for {expression}")
        time.sleep(0.2)


def _record(tab: LiveTab) -> list[tuple[float, bytes]]:
    """Return (seconds, JPEG) of the window in real time."""
    frames = []
    story = list(STORY)
    start_s = time.monotonic()
    while (now_s := time.monotonic() - start_s) < LENGTH_S:
        while story and story[0][0] <= now_s:
            tab.evaluate(story.pop(0)[1])
        frames.append((now_s, tab.visible()))
        time.sleep(max(0.0, start_s + now_s + 1.0 / FRAMES_PER_S - time.monotonic()))
    for _, expression in story:  # what a slow machine did not come to
        tab.evaluate(expression)
    return frames


def _write(frames: list[tuple[float, bytes]], path: Path) -> None:
    times_s = [at_s for at_s, _ in frames] + [LENGTH_S]
    lasts_ms = [round(1000 * (b - a)) for a, b in zip(times_s, times_s[1:], strict=False)]
    first, *others = (Image.open(io.BytesIO(jpeg)).convert("RGB") for _, jpeg in frames)
    content = io.BytesIO()
    first.save(
        content,
        format="WEBP",
        save_all=True,
        append_images=others,
        duration=lasts_ms,
        loop=0,
        quality=QUALITY,
        method=6,
        kmax=60,
    )
    path.write_bytes(content.getvalue())
    print(f"{path}: {len(frames)} pictures, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
