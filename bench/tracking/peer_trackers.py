# SPDX-License-Identifier: Apache-2.0
"""Track faces with other packages' trackers, each in its own process and environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fer_perception.face import BoundingBox, Face

from ..peer_environment import peer_python, peer_variables

TITLES: Final = {"norfair": "norfair, IoU", "bytetrack": "ByteTrack"}
"""Names in the tables, by the names in :mod:`bench.tracking.peer_worker`."""

Found = list[tuple[str, BoundingBox]]

_ENVIRONMENT: Final = "bench-trackers"


def missing() -> str:
    """Return why the trackers cannot run, or an empty text."""
    try:
        peer_python(_ENVIRONMENT)
    except FileNotFoundError as error:
        return str(error)
    return ""


class PeerTracker:
    """A running tracker, which gets the detector's faces of every frame."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self._process = process

    def update(self, faces: Sequence[Face]) -> tuple[Found, float]:
        """Return the ids and boxes of a frame's faces that have an id, and the time in ms.

        :raises RuntimeError: when the tracker has ended.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        corners = [
            [f.box.x, f.box.y, f.box.x + f.box.width, f.box.y + f.box.height, f.confidence]
            for f in faces
        ]
        print(json.dumps(corners), file=self._process.stdin, flush=True)
        for line in self._process.stdout:  # libraries print their own lines
            if line.startswith("answer "):
                answer = json.loads(line.removeprefix("answer "))
                found = [(str(face_id), faces[i].box) for i, face_id in answer["ids"]]
                return found, answer["ms"]
        raise RuntimeError(f"{self.name} ended with exit code {self._process.wait()}")


@contextmanager
def running(name: str, rate_hz: float, max_lost_s: float) -> Iterator[PeerTracker]:
    """Start a tracker and stop it at the end.

    :param rate_hz: of the frames.
    :param max_lost_s: time that a face may be lost; everything else is as in its documentation.
    """
    worker = Path(__file__).with_name("peer_worker.py")
    process = subprocess.Popen(
        [peer_python(_ENVIRONMENT), worker, name, str(rate_hz), str(max_lost_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=peer_variables(),
    )
    try:
        yield PeerTracker(name, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
