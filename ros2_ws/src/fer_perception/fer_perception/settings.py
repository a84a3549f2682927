# SPDX-License-Identifier: Apache-2.0
"""The settings of the perception and of the emotion node, and the pipeline they describe."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Final

from fer_common.options import option

from .detection import FaceDetector, create_detector
from .detection.mtcnn import BACKENDS, MtcnnConfig
from .images.region import RegionOfInterest
from .images.rotation import ROTATIONS_DEG, Rotation
from .inference.allocator import give_back_free_memory
from .inference.cpu_features import multiplies_int8_fast
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
from .tracking.detection_scheduler import DetectionSchedule
from .tracking.face_events import EventConfig
from .tracking.smoothing import ScoreSmoother
from .tracking.tracker import FaceTracker, TrackerConfig


@dataclass(frozen=True, slots=True)
class PerceptionSettings:
    """Settings of the perception; defaults and ranges stand here and nowhere else."""

    detector: str = option(
        "mtcnn",
        "Face detector: mtcnn, or deepface:BACKEND for one of DeepFace's.",
    )
    detector_backend: str = option(
        "auto",
        "What mtcnn runs on: native, the library in C++; onnxruntime, slower; or auto for native "
        "where it was built. Both find the same faces.",
        choices=BACKENDS,
    )
    min_face_px: float = option(
        40.0,
        "Side of the smallest face that mtcnn looks for [px]; smaller costs more.",
        minimum=12.0,
        maximum=10000.0,
    )
    detection_border: float = option(
        0.0,
        "Border that mtcnn adds around the image, as a share of its size; finds faces cut by the "
        "edge.",
        minimum=0.0,
        maximum=1.0,
    )
    detection_interval: int = option(
        DetectionSchedule.detection_interval,
        "mtcnn searches the whole image every so many frames, and at once when no face is known, "
        "one is lost or the scene changes; between, it follows the known faces. A face that "
        "appears beside others is found within as many frames. 1 searches every frame.",
        minimum=1,
        maximum=1000,
    )
    region_left: float = option(
        RegionOfInterest.left,
        "Left edge of the region in which faces are looked for, as a share of the width.",
        minimum=0.0,
        maximum=1.0,
    )
    region_top: float = option(
        RegionOfInterest.top,
        "Top edge of the region, as a share of the height.",
        minimum=0.0,
        maximum=1.0,
    )
    region_right: float = option(
        RegionOfInterest.right,
        "Right edge of the region, as a share of the width.",
        minimum=0.0,
        maximum=1.0,
    )
    region_bottom: float = option(
        RegionOfInterest.bottom,
        "Bottom edge of the region, as a share of the height.",
        minimum=0.0,
        maximum=1.0,
    )
    rotation: int = option(
        0,
        "Turn that brings the images of a camera that is mounted sideways or upside down upright, "
        "clockwise [deg]. Boxes and landmarks stay those of the original image.",
        minimum=ROTATIONS_DEG[0],
        maximum=ROTATIONS_DEG[-1],
        choices=ROTATIONS_DEG,
    )
    processing_rate_hz: float = option(
        0.0,
        "Images processed a second at most; the others are passed over. 0 for all.",
        minimum=0.0,
        maximum=1000.0,
    )
    recognition_rate_hz: float = option(
        10.0,
        "How often a second each face is recognised at most; between, it keeps its scores. 0 for "
        "every image.",
        minimum=0.0,
        maximum=1000.0,
    )
    max_latency_s: float = option(
        0.1,
        "While images take longer than this on average [s], searches of the whole image and "
        "recognitions become rarer, down to an eighth; /diagnostics shows it. 0 turns it off.",
        minimum=0.0,
        maximum=10.0,
    )
    min_detection_confidence: float = option(
        0.9,
        "Faces of which the detector is less sure are left out.",
        minimum=0.0,
        maximum=1.0,
    )
    model: str = option(
        DEFAULT_MODEL,
        "Name of a model that fer_models installs, or path of its folder.",
    )
    precision: str = option(
        "auto",
        "How the model computes: float32; int8, of the same accuracy within 0.1 points; or auto "
        "for int8 where the model has it and the processor is fast at it.",
        choices=("auto", *PRECISIONS),
    )
    flip_average: bool = option(
        False,
        "Average over each face and its mirror image: a little more accurate, twice the time.",
    )
    min_confidence: float = option(
        0.0,
        "Faces with a lower confidence are labelled unknown.",
        minimum=0.0,
        maximum=1.0,
    )
    smoothing_time_constant_s: float = option(
        0.5,
        "Time constant of the average of each face's scores [s]: 63 % of a change after one, 90 % "
        "after 2.3; 0 turns it off.",
        minimum=0.0,
        maximum=60.0,
    )
    max_lost_s: float = option(
        1.0,
        "A face keeps its id when it is not seen for at most this long [s].",
        minimum=0.0,
        maximum=60.0,
    )
    event_dwell_s: float = option(
        EventConfig.dwell_s,
        "~/events reports a face, or another expression, when it has lasted for this long [s].",
        minimum=0.0,
        maximum=60.0,
    )
    event_held_s: float = option(
        EventConfig.held_s,
        "~/events reports once that an expression is held when it has lasted for this long [s]; 0 "
        "never.",
        minimum=0.0,
        maximum=3600.0,
    )
    threads: int = option(
        1,
        "CPU threads of the networks; they take turns, so that no more are ever busy. The native "
        "detector uses one.",
        minimum=1,
        maximum=256,
    )


@dataclass(frozen=True, slots=True)
class EmotionNodeSettings(PerceptionSettings):
    """Settings of the emotion node: those of the perception, and how it starts and subscribes."""

    autostart: bool = option(
        True,
        "Configure and activate at the start.",
        read_only=True,
    )
    image_transport: str = option(
        "raw",
        "raw: read sensor_msgs/Image from 'image'; compressed: read sensor_msgs/CompressedImage "
        "from 'image/compressed'.",
        choices=("raw", "compressed"),
    )


# What each part of the pipeline is made of: a change of one of these loads the part again.
DETECTOR_NAMES: Final = frozenset(
    {"detector", "detector_backend", "min_face_px", "detection_border", "threads"}
)
RECOGNIZER_NAMES: Final = frozenset({"model", "precision", "flip_average", "threads"})


def _key(settings: PerceptionSettings, names: Set[str]) -> tuple[tuple[str, object], ...]:
    return tuple((name, getattr(settings, name)) for name in sorted(names))


def _detector(settings: PerceptionSettings, parts: SharedParts) -> FaceDetector:
    return parts.get(_key(settings, DETECTOR_NAMES), lambda: _new_detector(settings))


def _recognizer(settings: PerceptionSettings, parts: SharedParts) -> EmotionRecognizer:
    return parts.get(_key(settings, RECOGNIZER_NAMES), lambda: _new_recognizer(settings))


def _new_detector(settings: PerceptionSettings) -> FaceDetector:
    config = MtcnnConfig(
        min_face_px=settings.min_face_px,
        border=settings.detection_border,
        backend=settings.detector_backend,
        threads=settings.threads,
    )
    return create_detector(settings.detector, config)


def _new_recognizer(settings: PerceptionSettings) -> EmotionRecognizer:
    folder = find_model(settings.model, installed_models())
    is_int8 = settings.precision == "int8" or (
        settings.precision == "auto"
        and multiplies_int8_fast()
        and "int8" in read_config(folder).graph_sha256
    )
    recognizer = EmotionRecognizer(
        load_model(folder, "int8" if is_int8 else "float32"),
        settings.flip_average,
        settings.threads,
    )
    give_back_free_memory()
    return recognizer


def build_pipeline(
    settings: PerceptionSettings = PerceptionSettings(), parts: SharedParts | None = None
) -> EmotionPipeline:
    """Return the pipeline that the settings ask for.

    :param parts: of the pipelines that take turns with this one.
    :raises ValueError: a value is refused.
    :raises ModuleNotFoundError: a package that the detector needs is missing.
    :raises RuntimeError: the native detector was not built.
    :raises ~fer_perception.recognition.model_store.ModelError: the model cannot be loaded.
    """
    parts = parts or SharedParts()
    return EmotionPipeline(
        _detector(settings, parts),
        _recognizer(settings, parts),
        FaceTracker(_tracker_config(settings)),
        ScoreSmoother(settings.smoothing_time_constant_s),
        _pipeline_config(settings),
    )


def _pipeline_config(settings: PerceptionSettings) -> PipelineConfig:
    return PipelineConfig(
        min_detection_confidence=settings.min_detection_confidence,
        region=RegionOfInterest(
            settings.region_left,
            settings.region_top,
            settings.region_right,
            settings.region_bottom,
        ),
        rotation=Rotation(settings.rotation),
        detection_schedule=DetectionSchedule(settings.detection_interval),
        recognition_rate_hz=settings.recognition_rate_hz,
    )


def event_config(settings: PerceptionSettings) -> EventConfig:
    """Return when something is an event; a face has left when its id is given up."""
    return EventConfig(settings.event_dwell_s, settings.event_held_s, settings.max_lost_s)


def _tracker_config(settings: PerceptionSettings) -> TrackerConfig:
    return TrackerConfig(max_lost_s=settings.max_lost_s)


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
    settings: PerceptionSettings, changed: Set[str], parts: SharedParts
) -> PipelineChange:
    """Return the change to ``settings``, of which those in ``changed`` are new.

    What takes time, as loading a model, is done here and not when the change is applied.

    :raises: what :func:`build_pipeline` raises.
    """
    return PipelineChange(
        _detector(settings, parts) if changed & DETECTOR_NAMES else None,
        _recognizer(settings, parts) if changed & RECOGNIZER_NAMES else None,
        _tracker_config(settings),
        settings.smoothing_time_constant_s,
        _pipeline_config(settings),
    )
