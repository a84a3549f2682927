# SPDX-License-Identifier: Apache-2.0
"""Settings of the perception and the emotion node; pipeline built from them."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Final

from fer_common.options import ConfigError, option

from .detection import FaceDetector, create_detector
from .detection.mtcnn import BACKENDS, MtcnnConfig
from .images.region import RegionOfInterest
from .images.rotation import ROTATIONS_DEG, Rotation
from .inference.allocator import give_back_free_memory
from .inference.cpu_features import multiplies_int8_fast
from .inference.onnx_session import EXECUTION_PROVIDERS, used_provider
from .pipeline import FramePipeline, PipelineConfig
from .recognition.installed_models import DEFAULT_MODEL, find_model, installed_models
from .recognition.model_config import PRECISIONS, read_config
from .recognition.model_store import load_model
from .recognition.recognizer import EmotionRecognizer
from .runtime.shared_parts import SharedParts
from .tracking.detection_scheduler import DetectionSchedule
from .tracking.face_events import EventConfig
from .tracking.smoothing import ScoreSmoother
from .tracking.tracker import FaceTracker, TrackerConfig


@dataclass(frozen=True, slots=True)
class PerceptionSettings:
    """Settings of the perception: the only place of defaults and ranges."""

    detector: str = option(
        "mtcnn",
        "Face detector: mtcnn, or deepface:BACKEND for a detector of DeepFace.",
    )
    detector_backend: str = option(
        "auto",
        "What mtcnn runs on: native, the library in C++; onnxruntime, slower on a CPU; or auto, "
        "native where it was built and the execution provider is the CPU. Both find the same "
        "faces.",
        choices=BACKENDS,
    )
    min_face_px: float = option(
        40.0,
        "Side of the smallest face that mtcnn detects [px]; smaller costs more.",
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
    detection_interval_s: float = option(
        DetectionSchedule.detection_interval_s,
        "mtcnn searches the whole image at this interval [s], and at once when no face is known, "
        "one is lost or the scene changes; between, it follows the known faces. A face that "
        "appears beside others is found within it and one image. 0 searches every image.",
        minimum=0.0,
        maximum=60.0,
    )
    region_left: float = option(
        RegionOfInterest.left,
        "Left edge of the region in which faces are detected, as a share of the width.",
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
        "Maximum images processed per second; the others are skipped. 0 for all.",
        minimum=0.0,
        maximum=1000.0,
    )
    recognition_rate_hz: float = option(
        10.0,
        "Maximum recognitions of each face per second; in between it keeps its scores. 0 for "
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
        "Faces with a lower detector confidence are dropped.",
        minimum=0.0,
        maximum=1.0,
    )
    model: str = option(
        DEFAULT_MODEL,
        "Name of a model that fer_models installs, or path of its folder.",
    )
    precision: str = option(
        "auto",
        "Precision of the model: float32; int8, of the same accuracy within 0.1 points; or auto "
        "for int8 where the model has it and the processor is fast at it.",
        choices=("auto", *PRECISIONS),
    )
    flip_average: bool = option(
        False,
        "Average over each face and its mirror image: a little more accurate, twice the time.",
    )
    prior_adjustment: float = option(
        0.0,
        "How equally frequent the classes are assumed to be: 0 as in the training data, where "
        "disgust and fear are rare and so rarely predicted; 0.3 misses fewer of them for half a "
        "point of accuracy; 1 all alike.",
        minimum=0.0,
        maximum=1.0,
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
        "after 2.3. The label follows a clear change after about half of it, and does not follow "
        "one that is not likely to last; 0 turns both off.",
        minimum=0.0,
        maximum=60.0,
    )
    max_lost_s: float = option(
        TrackerConfig.max_lost_s,
        "A face that is not seen for at most this long [s] keeps its id, if it looks the same "
        "when it comes back; after that its look is deleted and it has left.",
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
    execution_provider: str = option(
        "cpu",
        "What the networks run on: cpu; auto for cuda where it is present; cuda, tensorrt or "
        "openvino, which need an ONNX Runtime built for them. A provider that is missing or does "
        "not start is replaced by the CPU, with a warning.",
        choices=EXECUTION_PROVIDERS,
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
    """Settings of the emotion node: perception, start and subscription."""

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
    idle_rate_hz: float = option(
        0.0,
        "Images processed per second while nobody is there, from two seconds after the last id "
        "has ended (max_lost_s) until the next face: it saves power, and a face is found within "
        "one period, half a second at 2. Other images then have no message on ~/emotions. At "
        "least 1, as a slower topic counts as silent. 0 processes all, as is always done with "
        "use_sim_time, so that a replayed bag is seen whole.",
        minimum=0.0,
        maximum=1000.0,
    )

    def __post_init__(self) -> None:
        """Refuse a rate at which subscribers take the node as silent.

        :raises ConfigError: when ``idle_rate_hz`` is between 0 and 1.
        """
        if 0.0 < self.idle_rate_hz < 1.0:
            raise ConfigError(
                f"idle_rate_hz: expected 0 or at least 1, got {self.idle_rate_hz:g}; the topic "
                "would count as silent between two images"
            )


# The settings of each part of the pipeline: changing one reloads the part.
DETECTOR_NAMES: Final = frozenset(
    {
        "detector",
        "detector_backend",
        "min_face_px",
        "detection_border",
        "execution_provider",
        "threads",
    }
)
RECOGNIZER_NAMES: Final = frozenset(
    {"model", "precision", "flip_average", "execution_provider", "threads"}
)


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
        execution_provider=settings.execution_provider,
    )
    return create_detector(settings.detector, config)


def _new_recognizer(settings: PerceptionSettings) -> EmotionRecognizer:
    folder = find_model(settings.model, installed_models())
    is_int8 = settings.precision == "int8" or (
        settings.precision == "auto"
        and used_provider(settings.execution_provider) == "cpu"
        and multiplies_int8_fast()
        and "int8" in read_config(folder).graph_sha256
    )
    recognizer = EmotionRecognizer(
        load_model(folder, "int8" if is_int8 else "float32"),
        settings.flip_average,
        settings.threads,
        settings.execution_provider,
    )
    give_back_free_memory()
    return recognizer


def _check_adjustable(settings: PerceptionSettings) -> None:
    if settings.prior_adjustment == 0.0:
        return
    folder = find_model(settings.model, installed_models())
    if not read_config(folder).class_shares:
        raise ValueError(
            f"{folder}/config.json has no class_shares, which prior_adjustment = "
            f"{settings.prior_adjustment} takes: export the model again, or set it to 0"
        )


def build_pipeline(
    settings: PerceptionSettings = PerceptionSettings(), parts: SharedParts | None = None
) -> FramePipeline:
    """Build the pipeline described by the settings.

    :param parts: cache shared with the pipelines that take turns with this one.
    :raises ValueError: a value is refused.
    :raises ModuleNotFoundError: a package required by the detector is missing.
    :raises RuntimeError: the native detector is not built.
    :raises ~fer_perception.inference.model_files.ModelError: the model cannot be loaded.
    """
    parts = parts or SharedParts()
    _check_adjustable(settings)
    return FramePipeline(
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
        detection_schedule=DetectionSchedule(settings.detection_interval_s),
        recognition_rate_hz=settings.recognition_rate_hz,
        prior_adjustment=settings.prior_adjustment,
    )


def event_config(settings: PerceptionSettings) -> EventConfig:
    """Return the event configuration; faces leave when their track ends."""
    return EventConfig(settings.event_dwell_s, settings.event_held_s, settings.max_lost_s)


def _tracker_config(settings: PerceptionSettings) -> TrackerConfig:
    return TrackerConfig(max_lost_s=settings.max_lost_s)


@dataclass(frozen=True)
class PipelineChange:
    """A prepared change of a running pipeline; None keeps a part.

    Tracked faces are kept.
    """

    detector: FaceDetector | None
    recognizer: EmotionRecognizer | None
    tracker_config: TrackerConfig
    smoothing_time_constant_s: float
    config: PipelineConfig

    def apply_to(self, pipeline: FramePipeline) -> None:
        """Apply the change to ``pipeline``, between two frames."""
        pipeline.detector = self.detector or pipeline.detector
        pipeline.recognizer = self.recognizer or pipeline.recognizer
        pipeline.tracker.config = self.tracker_config
        pipeline.smoother.time_constant_s = self.smoothing_time_constant_s
        pipeline.config = self.config


def prepare_change(
    settings: PerceptionSettings, changed: Set[str], parts: SharedParts
) -> PipelineChange:
    """Prepare the change to ``settings`` for the keys in ``changed``.

    Slow steps, such as loading a model, are done here and not when the change is applied.

    :raises: the exceptions of :func:`build_pipeline`.
    """
    _check_adjustable(settings)
    return PipelineChange(
        _detector(settings, parts) if changed & DETECTOR_NAMES else None,
        _recognizer(settings, parts) if changed & RECOGNIZER_NAMES else None,
        _tracker_config(settings),
        settings.smoothing_time_constant_s,
        _pipeline_config(settings),
    )
