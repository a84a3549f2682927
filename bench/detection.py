# SPDX-License-Identifier: Apache-2.0
"""Detection of faces: ours beside DeepFace's MTCNN, interleaved in one run."""

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_perception.detection.mtcnn import Mtcnn, MtcnnConfig
from fer_perception.face import BoundingBox, RgbImage

from .peer_environment import peer_python, peer_variables
from .test_images import faces_640x480

_ROUNDS = 15
_WARM_UP = 3


@dataclass(frozen=True)
class DetectionRow:
    """Medians over interleaved calls, in milliseconds, and whether the faces are the same.

    :ivar ours_ms: by the smallest face looked for, in pixels.
    """

    faces: int
    deepface_ms: float
    ours_ms: dict[int, float]
    same_faces: bool


class DeepFaceProcess:
    """DeepFace's MTCNN with alignment in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def detect(self, path: Path) -> tuple[float, list[BoundingBox]]:
        """Return (milliseconds, boxes) for an RGB image saved by NumPy."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps({"image": str(path)}), file=self._process.stdin, flush=True)
        for line in self._process.stdout:  # libraries print lines of their own
            if line.startswith("answer "):
                answer = json.loads(line.removeprefix("answer "))
                return answer["ms"], [BoundingBox(*box) for box in answer["boxes"]]
        raise RuntimeError(f"DeepFace ended with exit code {self._process.wait()}")


@contextmanager
def deepface() -> Iterator[DeepFaceProcess]:
    """Start DeepFace and end it."""
    worker = Path(__file__).with_name("deepface_worker.py")
    process = subprocess.Popen(
        [peer_python(), worker],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=peer_variables() | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""},
    )
    try:
        yield DeepFaceProcess(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def _time_ms(detector: Mtcnn, image: RgbImage) -> float:
    start = time.perf_counter()
    detector.detect(image)
    return 1e3 * (time.perf_counter() - start)


def measure() -> list[DetectionRow]:
    """Measure at 640 x 480 with 1 and 4 faces, at min face 40 and at DeepFace's own 20."""
    detectors = {size: Mtcnn(MtcnnConfig(min_face_px=float(size))) for size in (40, 20)}
    rows = []
    with deepface() as peer, tempfile.TemporaryDirectory() as folder:
        for faces in (1, 4):
            image = faces_640x480(faces)
            path = Path(folder) / f"{faces}.npy"
            np.save(path, image)
            theirs: list[float] = []
            ours: dict[int, list[float]] = {size: [] for size in detectors}
            for _ in range(_WARM_UP + _ROUNDS):
                elapsed_ms, boxes = peer.detect(path)
                theirs.append(elapsed_ms)
                for size, detector in detectors.items():
                    ours[size].append(_time_ms(detector, image))
            found = [face.box for face in detectors[40].detect(image)]
            same = len(found) == len(boxes) and all(
                max(box.iou(other) for other in found) >= 0.7 for box in boxes
            )
            rows.append(
                DetectionRow(
                    faces,
                    statistics.median(theirs[_WARM_UP:]),
                    {k: statistics.median(v[_WARM_UP:]) for k, v in ours.items()},
                    same,
                )
            )
    return rows
