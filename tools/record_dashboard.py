# SPDX-License-Identifier: Apache-2.0
"""Record the README's pictures of the dashboard in Chromium.

``python3 tools/record_dashboard.py`` (after ``make build`` and ``source tools/env.sh``) starts the
graph on the moving public-domain portrait, opens the page, changes its controls, and
writes ``docs/demo.webp``, ten seconds in real time, and ``docs/dashboard.jpg``, the whole page.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.append(str(REPOSITORY / "tests" / "support"))

from chromium import Chromium, LiveTab  # noqa: E402 - needs the path set above

SIZE_PX = (880, 824)
LENGTH_S = 10.0
FRAMES_PER_S = 6.0
QUALITY = 62
PATIENCE_S = 120.0
# Time to fill a part of the timeline.
LEAD_S = 8.0
# Changes by seconds after the start: (control, value).
STORY = (
    (1.5, "ambient_light/palette", "plutchik"),
    (4.5, "ambient_light/palette", "jonauskaite"),
    (6.0, "ambient_light/brightness", "0.3"),
    (8.0, "ambient_light/brightness", "1"),
    (8.0, "ambient_light/palette", "default"),
)
_SET = """(() => {{
    const input = document.querySelector('[data-key="{key}"]').querySelector('input, select');
    input.value = '{value}';
    input.dispatchEvent(new Event('input'));
    input.dispatchEvent(new Event('change'));
}})()"""


def main() -> int:
    """Record; return the exit code."""
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
        tab = browser.live(_address(graph.stdout), *SIZE_PX)
        _wait_for(tab, "document.querySelectorAll('#controls label').length >= 8")
        _wait_for(
            tab, "document.querySelector('.face') && !document.getElementById('image').hidden"
        )
        time.sleep(LEAD_S)
        frames = _record(tab)
        _write(frames, REPOSITORY / "docs" / "demo.webp")
        page = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
        page.save(REPOSITORY / "docs" / "dashboard.jpg", quality=85, optimize=True)
    finally:
        browser.close()
        graph.send_signal(signal.SIGINT)
        graph.wait(30.0)
    return 0


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
            _, key, value = story.pop(0)
            tab.evaluate(_SET.format(key=key, value=value))
        frames.append((now_s, tab.visible()))
        time.sleep(max(0.0, start_s + now_s + 1.0 / FRAMES_PER_S - time.monotonic()))
    return frames


def _write(frames: list[tuple[float, bytes]], path: Path) -> None:
    times_s = [at_s for at_s, _ in frames] + [LENGTH_S]
    lasts_ms = [round(1000 * (b - a)) for a, b in zip(times_s, times_s[1:], strict=False)]
    first, *others = (Image.open(io.BytesIO(jpeg)).convert("RGB") for _, jpeg in frames)
    first.save(
        path,
        save_all=True,
        append_images=others,
        duration=lasts_ms,
        loop=0,
        quality=QUALITY,
        method=6,
        kmax=60,
    )
    print(f"{path}: {len(frames)} pictures, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
