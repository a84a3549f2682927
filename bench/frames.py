# SPDX-License-Identifier: Apache-2.0
"""Time of a frame beside other packages, interleaved in one run."""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from fer_perception.detection.mtcnn import Mtcnn, MtcnnConfig
from fer_perception.face import BoundingBox, RgbImage
from fer_perception.pipeline import FramePipeline
from fer_perception.recognition.alignment import align_faces
from fer_perception.tracking.detection_scheduler import DetectionSchedule
from fer_perception.tracking.smoothing import ScoreSmoother
from fer_perception.tracking.tracker import FaceTracker
from fer_training.learning.trained_network import load_network
from fer_training.networks.normalization import grey_levels, normalize

from .peers import DEEPFACE, PEERS, PeerProcess, running
from .test_images import moving_faces, with_faces
from .tested_model import FOLDER, pipeline_of_the_node

IMAGES = tuple((*size, faces) for size in ((640, 480), (1280, 720)) for faces in (1, 4, 20))
"""Width, height and number of faces."""

_SEARCHED: Final = {"detection_interval_s": 0.0, "recognition_rate_hz": 0.0}
_FOLLOWED: Final = "faces followed"
PIPELINES: Final = {
    "every frame searched": _SEARCHED,
    # As many cores as the peers use.
    "the same on two threads": _SEARCHED | {"threads": 2},
    _FOLLOWED: {},
}
"""The node's parameters by title of the measurement."""

# One interval between two full detections.
_RATE_HZ = 30.0
_FRAMES = round(DetectionSchedule.detection_interval_s * _RATE_HZ)


@dataclass(frozen=True)
class FrameRow:
    """Medians over interleaved calls, in milliseconds.

    :ivar peers_ms: detection alone, by the peer's title.
    :ivar ours_ms: detection alone, by backend and minimum face size in pixels.
    :ivar deepface_loop_ms: DeepFace's detection and, for each of its faces, the network in eager
        PyTorch.
    :ivar pipeline_ms: image in memory to scores, for each of :data:`PIPELINES`; with the node's
        defaults the mean over a detection interval.
    :ivar found: faces found by our detector.
    :ivar same_faces: whether DeepFace finds the same.
    """

    width: int
    height: int
    faces: int
    peers_ms: dict[str, float]
    ours_ms: dict[tuple[str, int], float]
    deepface_loop_ms: float
    pipeline_ms: dict[str, float]
    found: int
    same_faces: bool


def _ms(call: Callable[..., object], *arguments: object) -> float:
    start = time.perf_counter()
    call(*arguments)
    return 1e3 * (time.perf_counter() - start)


class _Following:
    """The node's pipeline on a stream of moving faces."""

    def __init__(self, frames: list[RgbImage]) -> None:
        self._pipeline = pipeline_of_the_node(PIPELINES[_FOLLOWED])
        self._frames = frames
        self._count = 0

    def interval_ms(self) -> float:
        """Process the frames of an interval and return their mean time."""
        total_ms = 0.0
        for image in self._frames:
            self._count += 1
            total_ms += _ms(self._pipeline.track, image, self._count / _RATE_HZ)
        return total_ms / len(self._frames)


def _agree(ours: list[BoundingBox], theirs: list[BoundingBox]) -> bool:
    return len(ours) == len(theirs) and all(
        max(box.iou(other) for other in ours) >= 0.7 for box in theirs
    )


def _measure(
    peers: list[PeerProcess], width: int, height: int, faces: int, rounds: int
) -> FrameRow:
    image = with_faces(width, height, faces)
    detectors = {
        (backend, size): Mtcnn(MtcnnConfig(min_face_px=float(size), backend=backend))
        for backend in ("native", "onnxruntime")
        for size in (40, 20)
    }
    network = load_network(FOLDER).network
    searching: dict[str, FramePipeline] = {
        title: pipeline_of_the_node(changes)
        for title, changes in PIPELINES.items()
        if title != _FOLLOWED
    }
    following = _Following(moving_faces(width, height, faces, _FRAMES))
    found = [face for face in detectors["native", 40].detect(image) if face.confidence >= 0.9]
    crops = torch.from_numpy(align_faces(image, found))

    def eager() -> None:
        with torch.inference_mode():
            for crop in crops:
                network(normalize(grey_levels(crop[None]))).softmax(dim=1)

    theirs: dict[str, list[float]] = {peer.peer.title: [] for peer in peers}
    ours: dict[tuple[str, int], list[float]] = {key: [] for key in detectors}
    loop: list[float] = []
    pipelines: dict[str, list[float]] = {title: [] for title in PIPELINES}
    deepface_boxes: list[BoundingBox] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image.npy")
        np.save(path, image)
        for round_ in range(-2, rounds):
            for whole in searching.values():
                whole.tracker, whole.smoother = FaceTracker(), ScoreSmoother(0.5)
            times = {peer.peer.title: peer.detect(path) for peer in peers}
            eager_ms = _ms(eager)
            detection_ms = {key: _ms(d.detect, image) for key, d in detectors.items()}
            pipeline_ms = {title: _ms(p.track, image, 0.0) for title, p in searching.items()}
            pipeline_ms[_FOLLOWED] = following.interval_ms()
            if round_ < 0:  # warm-up
                continue
            for title, (elapsed_ms, _) in times.items():
                theirs[title].append(elapsed_ms)
            for key, elapsed_ms in detection_ms.items():
                ours[key].append(elapsed_ms)
            deepface_ms, deepface_boxes = times[DEEPFACE.title]
            loop.append(deepface_ms + eager_ms)
            for title, elapsed_ms in pipeline_ms.items():
                pipelines[title].append(elapsed_ms)
    return FrameRow(
        width,
        height,
        faces,
        {title: statistics.median(values) for title, values in theirs.items()},
        {key: statistics.median(values) for key, values in ours.items()},
        statistics.median(loop),
        {title: statistics.median(values) for title, values in pipelines.items()},
        len(found),
        _agree([face.box for face in found], deepface_boxes),
    )


def measure(
    rounds: int, methods: Sequence[str], images: Sequence[tuple[int, int, int]]
) -> list[FrameRow]:
    """Measure each of ``images``.

    :param methods: of the peers to compare with, in addition to DeepFace.
    """
    chosen = [peer for peer in PEERS if peer is DEEPFACE or peer.method in methods]
    torch.set_num_threads(1)
    with running(chosen) as peers:
        return [_measure(peers, *image, rounds) for image in images]


def measure_ours(
    rounds: int, images: Sequence[tuple[int, int, int]]
) -> dict[tuple[int, int, int], tuple[float, float]]:
    """Return (detection, full pipeline) in ms by width, height, faces."""
    detector = Mtcnn()
    whole = pipeline_of_the_node(_SEARCHED)
    results = {}
    for width, height, faces in images:
        image = with_faces(width, height, faces)
        times = [(_ms(detector.detect, image), _ms(whole.recognize, image)) for _ in range(rounds)]
        detection_ms, pipeline_ms = (
            statistics.median(values) for values in zip(*times, strict=True)
        )
        results[width, height, faces] = (detection_ms, pipeline_ms)
    return results
