# SPDX-License-Identifier: Apache-2.0
"""Python API of the light, without ROS."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from ambient_light_driver.color.palette import Palette, emotion_names, load_palette
from ambient_light_driver.devices.claims import overlaps_within
from ambient_light_driver.devices.device_registry import load_device_type
from ambient_light_driver.devices.device_set import DeviceSet, DeviceSpec
from ambient_light_driver.devices.device_worker import DevicePhase, DeviceStatus
from ambient_light_driver.light_state import LightState
from ambient_light_driver.pipeline import LightPipeline
from ambient_light_driver.selection.observation import FaceObservation, normalized_scores
from ambient_light_driver.settings import LightSettings
from fer_common.options import ConfigError, build_config

_logger = logging.getLogger(__name__)


def make_device(device: str, **options: object) -> DeviceSpec:
    """Describe a lamp by the name of its device and its options.

    :param device: a name of :func:`list_devices`, for example ``"sacn"``.
    :param options: its options, as in the README.
    :raises ConfigError: when the device or an option is unknown, or an option is invalid.
    """
    device_type = load_device_type(device)
    return DeviceSpec(device_type, build_config(device_type.config_type, options, device))


class AmbientLight:
    """A light that follows apparent expressions on any number of lamps.

    The flash limiter is always the last stage. Each lamp has its own thread; use the light in a
    ``with`` statement, or call :meth:`close`.

    :param devices: the lamps, by names or from :func:`make_device`; the first is ``"lamp 1"``.
    :param palette: name of a shipped palette, path of a palette's YAML file, or a palette.
    :param settings: all other settings.
    :param clock: a monotonic clock [s].
    :raises ConfigError: when a device or the palette is unknown, or two devices drive the same
        lamp.
    """

    def __init__(
        self,
        devices: Sequence[str | DeviceSpec] = (),
        palette: str | Palette = "default",
        settings: LightSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        loaded = load_palette(palette) if isinstance(palette, str) else palette
        self._pipeline = LightPipeline(loaded, settings or LightSettings())
        self._clock = clock
        by_name = {
            f"lamp {number}": make_device(device) if isinstance(device, str) else device
            for number, device in enumerate(devices, start=1)
        }
        for reason in overlaps_within({n: s.config.claims() for n, s in by_name.items()}).values():
            raise ConfigError(reason)
        self._lamps = DeviceSet(_log_change)
        self._lamps.apply(by_name)

    def show(self, emotions: Mapping[str, float] | None) -> LightState:
        """Show the emotions of one face and return the current light.

        The light fades: call this for each image, and :meth:`step` in between for a smoother fade.

        :param emotions: emotion -> probability, 0 for missing ones; None without a face.
        :raises ValueError: for an unknown emotion, or when the numbers are not probabilities.
        """
        if emotions is None:
            return self.show_faces(())
        if unknown := sorted(set(emotions) - set(emotion_names())):
            raise ValueError(
                f"unknown emotion {unknown[0]!r}, expected {', '.join(emotion_names())}"
            )
        values = [emotions.get(name, 0.0) for name in emotion_names()]
        scores = normalized_scores(values, len(values))
        if scores is None:
            raise ValueError(f"expected probabilities of which one is above 0, got {emotions}")
        return self.show_faces([FaceObservation("", scores, 1.0, 0.0)])

    def show_faces(self, faces: Sequence[FaceObservation]) -> LightState:
        """Show the face selected by the settings and return the current light."""
        self._pipeline.observe(faces, self._clock())
        return self.step()

    def step(self) -> LightState:
        """Advance the light to the current time and return it."""
        now_s = self._clock()
        for name in self._lamps.newly_lost():
            self._pipeline.lamp_went_out(now_s, name)
        state = self._pipeline.step(now_s, now_s)
        self._lamps.post(state)
        return state

    def statuses(self) -> dict[str, DeviceStatus]:
        """Return the status of each lamp."""
        return self._lamps.statuses()

    def close(self) -> None:
        """Leave the lamps in the shutdown state and stop their threads."""
        for name in self._lamps.stop(self._pipeline.shut_down(self._clock())):
            _logger.error("%s: hangs, its last colour may stay", name)

    def __enter__(self) -> Self:
        """Return the light."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the light."""
        self.close()


def _log_change(name: str, status: DeviceStatus) -> None:
    if status.phase is DevicePhase.LOST:
        _logger.error("%s: %s; trying again", name, status.reason)
    else:
        _logger.info("%s: connected again", name)
