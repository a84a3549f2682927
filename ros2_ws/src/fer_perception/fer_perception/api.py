# SPDX-License-Identifier: Apache-2.0
"""Recognise apparent expressions from Python, without ROS."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from fer_common.options import build_config

from .face import RgbImage
from .face_emotion import FaceEmotion
from .images.decoding import ImageError
from .images.frame_source import open_frame_source
from .images.frames import DEFAULT_RATE_HZ, Frame
from .images.picture_files import is_picture, read_picture
from .recognition.installed_models import DEFAULT_MODEL
from .runtime.shared_parts import SharedParts
from .settings import PerceptionSettings, build_pipeline

__all__ = ["EmotionPipeline", "FrameEmotions"]


@dataclass(frozen=True, eq=False)
class FrameEmotions:
    """The faces of one frame.

    :ivar frame: its image, with its time in seconds since the first one.
    :ivar faces: largest first; each keeps its ``face_id`` while it is tracked.
    """

    frame: Frame
    faces: list[FaceEmotion]

    @property
    def time_s(self) -> float:
        """Return the frame's time in seconds since the first one."""
        return self.frame.time_s


class EmotionPipeline:
    """Detect, align and recognise faces, and track them over time.

    Create one with :meth:`from_pretrained`. Use it from one thread at a time.
    """

    def __init__(self, settings: PerceptionSettings) -> None:
        self._settings = settings
        # Detector and network, shared by a stream and single pictures.
        self._parts = SharedParts()
        self._single = build_pipeline(settings, self._parts)

    @classmethod
    def from_pretrained(cls, model: str | Path = DEFAULT_MODEL, **options: Any) -> EmotionPipeline:
        """Load a trained model and the face detector.

        :param model: name of an installed model, see :func:`~fer_perception.list_models`, or the
            folder of one.
        :param options: fields of :class:`~fer_perception.settings.PerceptionSettings`, such as
            ``min_face_px=24.0``, ``flip_average=True`` or ``execution_provider="cuda"``.
        :raises ValueError: when an option is unknown or its value is invalid.
        :raises ~fer_perception.ModelError: when the model is missing or cannot be loaded.
        """
        if not isinstance(model, (str, Path)):
            raise ValueError(
                "expected the name of a model, as list_models() returns them, or the path of its "
                f"folder, not {model!r}"
            )
        is_folder = isinstance(model, Path) or "/" in model
        name = str(Path(model).expanduser().resolve()) if is_folder else model
        return cls(build_config(PerceptionSettings, options | {"model": name}, "option"))

    @property
    def model_id(self) -> str:
        """Return NAME@HASH of the model in use."""
        return self._single.recognizer.model_id

    @property
    def execution_provider(self) -> str:
        """Return the execution provider of the network, such as "cpu" or "cuda"."""
        return self._single.recognizer.execution_provider

    def recognize(self, image: RgbImage | str | Path) -> list[FaceEmotion]:
        """Return the faces of a single picture, largest first.

        :param image: path of a picture, or H x W x 3 RGB array of uint8.
        :raises ~fer_perception.ImageError: when the file cannot be read.
        :raises ValueError: when the array has another shape or type.
        """
        if isinstance(image, (str, Path)):
            return self._single.recognize(_picture(Path(image).expanduser()))
        return self._single.recognize(_checked(image))

    def track(
        self,
        source: str | Path | int | Iterable[RgbImage | Frame],
        rate_hz: float = 0.0,
    ) -> Iterator[FrameEmotions]:
        """Yield the faces of each frame, with ids and smoothed scores.

        Each call starts with no known faces.

        :param source: path of a video, a camera's index, device or address, or the frames
            themselves: RGB arrays, or :class:`~fer_perception.Frame` with their times.
        :param rate_hz: frames per second, in place of a video's own times; 0 for these, and for 30
            with plain arrays.
        :raises ~fer_perception.FrameSourceError: when the source cannot be opened or read.
        :raises ValueError: when an array is not a picture, or a time or the rate is not a number.
        """
        if not _is_finite(rate_hz) or rate_hz < 0.0:
            raise ValueError(
                f"rate_hz is {rate_hz!r}: expected frames per second, or 0 for the source's times"
            )
        if isinstance(source, (str, Path, int)):
            with open_frame_source(str(source), rate_hz=rate_hz) as frames:
                yield from self._tracked(frames)
        else:
            yield from self._tracked(_timed(source, 1.0 / (rate_hz or DEFAULT_RATE_HZ)))

    def _tracked(self, frames: Iterable[Frame]) -> Iterator[FrameEmotions]:
        stream = build_pipeline(self._settings, self._parts)
        for frame in frames:
            yield FrameEmotions(frame, stream.track(frame.image, frame.time_s))


def _timed(frames: Iterable[RgbImage | Frame], period_s: float) -> Iterator[Frame]:
    for index, frame in enumerate(frames):
        place = f"frame {index}: "
        if not isinstance(frame, Frame):
            frame = Frame(frame, index * period_s)
        _checked(frame.image, place)
        if not _is_finite(frame.time_s):
            raise ValueError(
                f"{place}time_s is {frame.time_s!r}: expected seconds, a finite number"
            )
        yield frame


def _is_finite(value: object) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


def _picture(path: Path) -> RgbImage:
    if path.is_dir():
        raise ImageError(f"{path} is a folder: pass its pictures one by one")
    try:
        return read_picture(path).pixels
    except ImageError as error:
        if path.is_file() and not is_picture(path):
            raise ImageError(f"{error}; pass a video to track()") from None
        raise


def _checked(image: RgbImage, place: str = "") -> RgbImage:
    if not isinstance(image, np.ndarray):
        raise ValueError(
            f"{place}expected {'' if place else 'a path or '}an RGB array, not "
            f"{type(image).__name__}"
        )
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(
            f"{place}the array is {image.shape} of {image.dtype}: expected RGB, height x width x "
            "3, uint8"
        )
    return image
