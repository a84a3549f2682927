# SPDX-License-Identifier: Apache-2.0
"""The parameters of the emotion node, and the pipeline that they ask for."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from .detection import FaceDetector, create_detector
from .detection.mtcnn import BACKENDS, MtcnnConfig
from .images.region import RegionOfInterest
from .inference.allocator import give_back_free_memory
from .inference.cpu_features import multiplies_int8_fast
from .node_parameter import NodeParameter
from .pipeline import EmotionPipeline, PipelineConfig
from .recognition.model_store import (
    DEFAULT_MODEL,
    PRECISIONS,
    find_model,
    installed_models,
    load_model,
    read_config,
)
from .recognition.recognizer import EmotionRecognizer
from .runtime.shared_parts import SharedParts
from .tracking.detection_scheduler import FollowerConfig
from .tracking.face_events import EventConfig
from .tracking.smoothing import ScoreSmoother
from .tracking.tracker import FaceTracker, TrackerConfig

PARAMETERS: Final = (
    NodeParameter("autostart", True, "Configure and activate at the start.", read_only=True),
    NodeParameter(
        "image_transport",
        "raw",
        "raw: read sensor_msgs/Image from 'image'; compressed: read sensor_msgs/CompressedImage "
        "from 'image/compressed'.",
        choices=("raw", "compressed"),
    ),
    NodeParameter(
        "detector", "mtcnn", "Face detector: mtcnn, or deepface:BACKEND for one of DeepFace's."
    ),
    NodeParameter(
        "detector_backend",
        "auto",
        "What mtcnn runs on: native, the library in C++; onnxruntime, slower; or auto for native "
        "where it was built. Both find the same faces.",
        choices=BACKENDS,
    ),
    NodeParameter(
        "min_face_px",
        40.0,
        "Side of the smallest face that mtcnn looks for [px]; smaller costs more.",
        limits=(12.0, 10000.0),
    ),
    NodeParameter(
        "detection_border",
        0.0,
        "Border that mtcnn adds around the image, as a share of its size; finds faces cut by the "
        "edge.",
        limits=(0.0, 1.0),
    ),
    NodeParameter(
        "detection_interval",
        FollowerConfig.detection_interval,
        "mtcnn searches the whole image every so many frames, and at once when no face is known, "
        "one is lost or the scene changes; between, it follows the known faces. A face that "
        "appears beside others is found within as many frames. 1 searches every frame.",
        limits=(1, 1000),
    ),
    NodeParameter(
        "region_left",
        RegionOfInterest.left,
        "Left edge of the region in which faces are looked for, as a share of the width.",
        limits=(0.0, 1.0),
    ),
    NodeParameter(
        "region_top",
        RegionOfInterest.top,
        "Top edge of the region, as a share of the height.",
        limits=(0.0, 1.0),
    ),
    NodeParameter(
        "region_right",
        RegionOfInterest.right,
        "Right edge of the region, as a share of the width.",
        limits=(0.0, 1.0),
    ),
    NodeParameter(
        "region_bottom",
        RegionOfInterest.bottom,
        "Bottom edge of the region, as a share of the height.",
        limits=(0.0, 1.0),
    ),
    NodeParameter(
        "processing_rate_hz",
        0.0,
        "Images processed a second at most; the others are passed over. 0 for all.",
        limits=(0.0, 1000.0),
    ),
    NodeParameter(
        "recognition_rate_hz",
        10.0,
        "How often a second each face is recognised at most; between, it keeps its scores. 0 for "
        "every image.",
        limits=(0.0, 1000.0),
    ),
    NodeParameter(
        "max_latency_s",
        0.1,
        "While images take longer than this on average [s], searches of the whole image and "
        "recognitions become rarer, down to an eighth; /diagnostics tells. 0 turns it off.",
        limits=(0.0, 10.0),
    ),
    NodeParameter(
        "min_detection_confidence",
        0.9,
        "Faces of which the detector is less sure are left out.",
        limits=(0.0, 1.0),
    ),
    NodeParameter(
        "model", DEFAULT_MODEL, "Name of a model that fer_models installs, or path of its folder."
    ),
    NodeParameter(
        "precision",
        "auto",
        "How the model computes: float32; int8, of the same accuracy within 0.1 points; or auto "
        "for int8 where the model has it and the processor is fast at it.",
        choices=("auto", *PRECISIONS),
    ),
    NodeParameter(
        "flip_average",
        False,
        "Average over each face and its mirror image: a little more accurate, twice the time.",
    ),
    NodeParameter(
        "min_confidence",
        0.0,
        "Faces with a lower confidence are labelled unknown.",
        limits=(0.0, 1.0),
    ),
    NodeParameter(
        "smoothing_time_constant_s",
        0.5,
        "Time constant of the average of each face's scores [s]: 63 % of a change after one, 90 % "
        "after 2.3; 0 turns it off.",
        limits=(0.0, 60.0),
    ),
    NodeParameter(
        "max_lost_s",
        1.0,
        "A face keeps its id when it is not seen for at most this long [s].",
        limits=(0.0, 60.0),
    ),
    NodeParameter(
        "event_dwell_s",
        EventConfig.dwell_s,
        "~/events tells of a face, or of another expression, when it has lasted for this long "
        "[s].",
        limits=(0.0, 60.0),
    ),
    NodeParameter(
        "event_held_s",
        EventConfig.held_s,
        "~/events tells once that an expression is held when it has lasted for this long [s]; 0 "
        "never.",
        limits=(0.0, 3600.0),
    ),
    NodeParameter(
        "threads",
        1,
        "CPU threads of the networks; they take turns, so that no more are ever busy. The native "
        "detector uses one.",
        limits=(1, 256),
    ),
)

# What each part of the pipeline is made of: a change of one of these makes the part anew.
DETECTOR_NAMES: Final = frozenset(
    {"detector", "detector_backend", "min_face_px", "detection_border", "threads"}
)
RECOGNIZER_NAMES: Final = frozenset({"model", "precision", "flip_average", "threads"})


def _key(values: Mapping[str, Any], names: Set[str]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, values[name]) for name in sorted(names))


def _detector(values: Mapping[str, Any], parts: SharedParts) -> FaceDetector:
    return parts.get(_key(values, DETECTOR_NAMES), lambda: _new_detector(values))


def _recognizer(values: Mapping[str, Any], parts: SharedParts) -> EmotionRecognizer:
    return parts.get(_key(values, RECOGNIZER_NAMES), lambda: _new_recognizer(values))


def _new_detector(values: Mapping[str, Any]) -> FaceDetector:
    config = MtcnnConfig(
        min_face_px=values["min_face_px"],
        border=values["detection_border"],
        backend=values["detector_backend"],
        threads=values["threads"],
    )
    return create_detector(values["detector"], config)


def _new_recognizer(values: Mapping[str, Any]) -> EmotionRecognizer:
    folder = find_model(values["model"], installed_models())
    precision = values["precision"]
    if precision == "auto":
        fast = multiplies_int8_fast() and "int8" in read_config(folder).graph_sha256
        precision = "int8" if fast else "float32"
    recognizer = EmotionRecognizer(
        load_model(folder, precision), values["flip_average"], values["threads"]
    )
    give_back_free_memory()
    return recognizer


def build_pipeline(values: Mapping[str, Any], parts: SharedParts | None = None) -> EmotionPipeline:
    """Return the pipeline for parameter ``values``.

    :param parts: of the pipelines that take turns with this one.
    :raises ValueError: a value is refused.
    :raises ModuleNotFoundError: a package that the detector needs is missing.
    :raises RuntimeError: the native detector was not built.
    :raises ~fer_perception.recognition.model_store.ModelError: the model cannot be loaded.
    """
    parts = parts or SharedParts()
    return EmotionPipeline(
        _detector(values, parts),
        _recognizer(values, parts),
        FaceTracker(_tracker_config(values)),
        ScoreSmoother(values["smoothing_time_constant_s"]),
        _pipeline_config(values),
    )


def _pipeline_config(values: Mapping[str, Any]) -> PipelineConfig:
    edges = (values[f"region_{edge}"] for edge in ("left", "top", "right", "bottom"))
    return PipelineConfig(
        min_detection_confidence=values["min_detection_confidence"],
        region=RegionOfInterest(*edges),
        follower=FollowerConfig(values["detection_interval"]),
        recognition_rate_hz=values["recognition_rate_hz"],
    )


def event_config(values: Mapping[str, Any]) -> EventConfig:
    """Return when something is an event; a face has left when its id is given up."""
    return EventConfig(values["event_dwell_s"], values["event_held_s"], values["max_lost_s"])


def _tracker_config(values: Mapping[str, Any]) -> TrackerConfig:
    return TrackerConfig(max_lost_s=values["max_lost_s"])


@dataclass(frozen=True)
class PipelineChange:
    """What changed parameters ask of a pipeline that runs; None leaves a part as it is.

    The faces that it follows stay known.
    """

    detector: FaceDetector | None
    recognizer: EmotionRecognizer | None
    tracker_config: TrackerConfig
    smoothing_time_constant_s: float
    config: PipelineConfig

    def apply_to(self, pipeline: EmotionPipeline) -> None:
        """Change ``pipeline``, between two frames."""
        pipeline.detector = self.detector or pipeline.detector
        pipeline.recognizer = self.recognizer or pipeline.recognizer
        pipeline.tracker.config = self.tracker_config
        pipeline.smoother.time_constant_s = self.smoothing_time_constant_s
        pipeline.config = self.config


def prepare_change(
    values: Mapping[str, Any], changed: Set[str], parts: SharedParts
) -> PipelineChange:
    """Return the change to parameter ``values``, of which those in ``changed`` are new.

    What takes time, as loading a model, is done here and not when the change is applied.

    :raises: what :func:`build_pipeline` raises.
    """
    return PipelineChange(
        _detector(values, parts) if changed & DETECTOR_NAMES else None,
        _recognizer(values, parts) if changed & RECOGNIZER_NAMES else None,
        _tracker_config(values),
        values["smoothing_time_constant_s"],
        _pipeline_config(values),
    )
