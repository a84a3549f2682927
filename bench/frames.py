# SPDX-License-Identifier: Apache-2.0
"""Time of a frame beside other packages, interleaved in one run."""

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

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
from .stopwatch import Clock, Time, median_ms, timed
from .test_images import moving_faces, with_faces
from .tested_model import COMPACT, FOLDER, pipeline_of_the_node

IMAGES = tuple((*size, faces) for size in ((640, 480), (1280, 720)) for faces in (1, 4, 20))
"""Width, height and number of faces."""


@dataclass(frozen=True)
class Pipeline:
    """A pipeline to measure.

    :ivar model: folder of its model.
    :ivar followed: as the node runs, else every frame is searched and each face recognised.
    :ivar goals: how many times as fast as DeepFace's loop it should be, by number of faces.
    """

    model: Path
    followed: bool
    goals: tuple[tuple[int, int], ...] = ()

    @property
    def title(self) -> str:
        """Return its name in the tables."""
        return f"{self.model.name}, {'followed' if self.followed else 'every frame searched'}"

    def build(self) -> FramePipeline:
        """Return the pipeline."""
        searched = {"detection_interval_s": 0.0, "recognition_rate_hz": 0.0}
        changes: dict[str, Any] = {"model": str(self.model)}
        return pipeline_of_the_node(changes | ({} if self.followed else searched))


PIPELINES: Final = (
    Pipeline(FOLDER, followed=False),
    Pipeline(FOLDER, followed=True),
    Pipeline(COMPACT, followed=False, goals=((1, 30), (4, 30), (20, 30))),
    Pipeline(COMPACT, followed=True, goals=((1, 150), (4, 100), (20, 60))),
)

# One interval between two full detections.
_RATE_HZ = 30.0
_FRAMES = round(DetectionSchedule.detection_interval_s * _RATE_HZ)


@dataclass(frozen=True)
class FrameRow:
    """Medians over interleaved calls, in milliseconds.

    :ivar peers_ms: detection alone, by the peer's title.
    :ivar ours_ms: detection alone, by backend and minimum face size in pixels.
    :ivar loop_ms: DeepFace's detection and, for each face, the network in eager PyTorch, by the
        network's name; empty without DeepFace.
    :ivar pipeline_ms: image in memory to scores, in the order of :data:`PIPELINES`; followed, the
        mean over a detection interval.
    :ivar found: faces found by our detector.
    :ivar same_faces: whether DeepFace finds the same; None without it.
    """

    width: int
    height: int
    faces: int
    peers_ms: dict[str, float]
    ours_ms: dict[tuple[str, int], float]
    loop_ms: dict[str, float]
    pipeline_ms: list[float]
    found: int
    same_faces: bool | None


@dataclass(frozen=True)
class Frames:
    """The measurement.

    :ivar versions: of the peers.
    :ivar missing: sentences, one for each peer that was not measured.
    """

    rows: list[FrameRow]
    versions: list[str]
    missing: list[str]


class _Searching:
    """A pipeline that searches every frame, on one image."""

    def __init__(self, pipeline: Pipeline, image: RgbImage) -> None:
        self._pipeline = pipeline.build()
        self._image = image

    def time(self) -> Time:
        """Process the image as the first of a stream."""
        self._pipeline.tracker, self._pipeline.smoother = FaceTracker(), ScoreSmoother(0.5)
        return timed(self._pipeline.track, self._image, 0.0)


class _Following:
    """The node's pipeline on a stream of moving faces."""

    def __init__(self, pipeline: Pipeline, frames: list[RgbImage]) -> None:
        self._pipeline = pipeline.build()
        self._frames = frames
        self._count = 0

    def time(self) -> Time:
        """Process the frames of an interval and return their mean time."""
        total = Time(0.0, 0.0)
        for image in self._frames:
            self._count += 1
            total += timed(self._pipeline.track, image, self._count / _RATE_HZ)
        return Time(total.wall_ms / len(self._frames), total.cpu_ms / len(self._frames))


def _agree(ours: list[BoundingBox], theirs: list[BoundingBox]) -> bool:
    return len(ours) == len(theirs) and all(
        max(box.iou(other) for other in ours) >= 0.7 for box in theirs
    )


def _eager(network: torch.nn.Module, crops: torch.Tensor) -> None:
    with torch.inference_mode():
        for crop in crops:
            network(normalize(grey_levels(crop[None]))).softmax(dim=1)


def _measure(
    peers: Sequence[PeerProcess],
    width: int,
    height: int,
    faces: int,
    rounds: int,
    clock: Clock,
) -> FrameRow:
    image = with_faces(width, height, faces)
    detectors = {
        (backend, size): Mtcnn(MtcnnConfig(min_face_px=float(size), backend=backend))
        for backend in ("native", "onnxruntime")
        for size in (40, 20)
    }
    networks = {folder.name: load_network(folder).network for folder in (FOLDER, COMPACT)}
    moving = moving_faces(width, height, faces, _FRAMES)
    pipelines = [
        _Following(pipeline, moving) if pipeline.followed else _Searching(pipeline, image)
        for pipeline in PIPELINES
    ]
    found = [face for face in detectors["native", 40].detect(image) if face.confidence >= 0.9]
    crops = torch.from_numpy(align_faces(image, found))
    theirs: dict[str, list[Time]] = {peer.peer.title: [] for peer in peers}
    ours: dict[tuple[str, int], list[Time]] = {key: [] for key in detectors}
    loops: dict[str, list[Time]] = {name: [] for name in networks}
    whole: list[list[Time]] = [[] for _ in PIPELINES]
    boxes: dict[str, list[BoundingBox]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image.npy")
        np.save(path, image)
        for round_ in range(-1, rounds):
            detections = {peer.peer.title: peer.detect(path) for peer in peers}
            eager = {name: timed(_eager, network, crops) for name, network in networks.items()}
            native = {key: timed(d.detect, image) for key, d in detectors.items()}
            frame_times = [pipeline.time() for pipeline in pipelines]
            if round_ < 0:  # warm-up
                continue
            for title, (elapsed, boxes[title]) in detections.items():
                theirs[title].append(elapsed)
            for key, elapsed in native.items():
                ours[key].append(elapsed)
            if DEEPFACE.title in detections:
                for name, elapsed in eager.items():
                    loops[name].append(detections[DEEPFACE.title][0] + elapsed)
            for times, elapsed in zip(whole, frame_times, strict=True):
                times.append(elapsed)
    reference = boxes.get(DEEPFACE.title)
    return FrameRow(
        width,
        height,
        faces,
        {title: median_ms(times, clock) for title, times in theirs.items()},
        {key: median_ms(times, clock) for key, times in ours.items()},
        {name: median_ms(times, clock) for name, times in loops.items() if times},
        [median_ms(times, clock) for times in whole],
        len(found),
        None if reference is None else _agree([face.box for face in found], reference),
    )


def measure(
    rounds: int, methods: Sequence[str], images: Sequence[tuple[int, int, int]], clock: Clock
) -> Frames:
    """Measure each of ``images``.

    :param methods: of the peers to compare with, in addition to DeepFace.
    """
    chosen = [
        peer for peer in PEERS if peer.detects and (peer is DEEPFACE or peer.method in methods)
    ]
    torch.set_num_threads(1)
    with running(chosen) as peers:
        rows = [_measure(peers.running, *image, rounds, clock) for image in images]
        versions = [f"{peer.peer.title}: {peer.version}" for peer in peers.running]
    return Frames(rows, versions, list(peers.missing))


def measure_ours(
    rounds: int, images: Sequence[tuple[int, int, int]], clock: Clock
) -> dict[tuple[int, int, int], tuple[float, float]]:
    """Return (detection, full pipeline) in ms by width, height, faces."""
    detector = Mtcnn()
    whole = Pipeline(FOLDER, followed=False).build()
    results = {}
    for width, height, faces in images:
        image = with_faces(width, height, faces)
        times = [
            (timed(detector.detect, image), timed(whole.recognize, image)) for _ in range(rounds)
        ]
        detection_ms, pipeline_ms = (
            statistics.median(each.by(clock) for each in values)
            for values in zip(*times, strict=True)
        )
        results[width, height, faces] = (detection_ms, pipeline_ms)
    return results
