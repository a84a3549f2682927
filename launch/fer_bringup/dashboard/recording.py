# SPDX-License-Identifier: Apache-2.0
"""Record a robot to a bag, in a process of ``record.launch.py``."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import IO, Any

_STOP_S = 15.0
_LOOK_S = 0.1


class Recorder:
    """Run one recording at a time, in the server's thread.

    :param folder: where bags are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._started_s = 0.0
        self._path = Path()
        self._images = False
        self._robot = ""
        self._ended = ""

    def start(self, namespace: str, images: bool, image_topic: str) -> str:
        """Begin; return the reason of a refusal, else empty.

        :param namespace: of the robot.
        :param images: whether to record camera images, which show who is there.
        :param image_topic: their topic; may be empty without images.
        """
        if self.state()["is_running"]:
            return f"a recording runs already: {self._path}"
        if images and not image_topic:
            return "the perception has not named its image topic yet"
        if not (self._folder.is_dir() and os.access(self._folder, os.W_OK)):
            return f"cannot write in {self._folder.absolute()}: see --record-folder"
        name = "_".join(filter(None, ["recording", *namespace.split("/")]))
        self._path = self._folder / f"{name}_{datetime.now():%Y-%m-%d_%H-%M-%S}"
        words = [f"out:={self._path}", f"images:={str(images).lower()}"]
        words += [f"namespace:={namespace.strip('/')}"] if namespace.strip("/") else []
        words += [f"image_topic:={image_topic}"] if images else []
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the recorder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fer_bringup.start", "record", *words],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches it through stop() only
        )
        self._started_s, self._images = time.monotonic(), images
        self._robot, self._ended = namespace, ""
        return ""

    async def stop(self) -> str:
        """Finish the bag; return the reason why there is none, else empty."""
        process = self._process
        if process is None or process.poll() is not None:
            return "nothing is being recorded"
        process.send_signal(signal.SIGINT)
        end_s = time.monotonic() + _STOP_S
        while process.poll() is None and time.monotonic() < end_s:
            await asyncio.sleep(_LOOK_S)
        if process.poll() is None:
            process.kill()
            return f"the recorder does not stop: {self._path} may be incomplete"
        return "" if self._path.exists() else self.state()["ended"]

    def state(self) -> dict[str, Any]:
        """Return what runs, or how the last recording ended."""
        is_running = self._process is not None and self._process.poll() is None
        if self._process is not None and not is_running:
            if not self._path.exists():
                self._ended = f"nothing was recorded: {self._last_line()}"
            elif self._process.returncode == 0:
                self._ended = f"saved: {self._path}"
            else:
                self._ended = f"{self._path} may be incomplete: {self._last_line()}"
            self._process = None
        return {
            "is_running": is_running,
            "robot": self._robot,
            "images": self._images,
            "seconds": round(time.monotonic() - self._started_s) if is_running else 0,
            "ended": self._ended,
        }

    def _last_line(self) -> str:
        assert self._log is not None  # opened with the process
        self._log.seek(0)
        lines = self._log.read()[-4000:].decode(errors="replace").strip().splitlines()
        return lines[-1][-300:] if lines else "the recorder was stopped before it began"
