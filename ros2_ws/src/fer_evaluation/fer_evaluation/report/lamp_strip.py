# SPDX-License-Identifier: Apache-2.0
"""Simulate the light for the faces of a recording.

Requires the optional package ambient_light_driver; without it the report lacks the lamp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fer_perception.emotions import EMOTIONS

from ..scoring.predicted_face import PredictedFrame
from ..scoring.timeline import Rgb

if TYPE_CHECKING:
    from ambient_light_driver.pipeline import LightPipeline

_STEP_NS: Final = 20_000_000  # the default rate of the light node
# After a longer silence the light is idle and does not change.
_LONGEST_SILENCE_NS: Final = 60 * 10**9

MISSING: Final = (
    "no lamp: ambient_light_driver is not installed beside fer_perception (colcon build, then "
    "source install/setup.bash)"
)


class LampStrip:
    """Step the light's pipeline from frame to frame with default settings.

    :raises ImportError: when ambient_light_driver is not installed.
    """

    def __init__(self) -> None:
        from ambient_light_driver.color.palette import load_palette
        from ambient_light_driver.pipeline import LightPipeline
        from ambient_light_driver.settings import LightSettings

        settings = LightSettings()
        self._pipeline: LightPipeline = LightPipeline(load_palette(settings.palette), settings)
        self._now_ns: int | None = None
        self._lamps_ns = 0

    @property
    def interventions(self) -> int:
        """Number of times the flash limiter limited a colour."""
        return self._pipeline.interventions

    def add(self, frame: PredictedFrame) -> list[tuple[int, Rgb]]:
        """Pass the faces of a frame to the light.

        :returns: (stamp, sRGB colour for a screen) of the steps since the previous frame.
        """
        colors = self._steps_until(frame.stamp_ns)
        self._observe(frame)
        return colors

    def _steps_until(self, stamp_ns: int) -> list[tuple[int, Rgb]]:
        if self._now_ns is None or stamp_ns < self._now_ns:
            # The time of the lamps never goes back.
            self._now_ns = stamp_ns
        if stamp_ns - self._now_ns > _LONGEST_SILENCE_NS:
            self._now_ns = stamp_ns - _LONGEST_SILENCE_NS
        colors = []
        while self._now_ns + _STEP_NS <= stamp_ns:
            self._now_ns += _STEP_NS
            self._lamps_ns += _STEP_NS
            state = self._pipeline.step(self._now_ns * 1e-9, self._lamps_ns * 1e-9)
            colors.append((self._now_ns, state.color.displayed_rgb()))
        return colors

    def _observe(self, frame: PredictedFrame) -> None:
        from ambient_light_driver.color.palette import emotion_names
        from ambient_light_driver.selection.observation import observed_face

        faces = []
        for face in frame.faces:
            box = (face.box.x, face.box.y, face.box.width, face.box.height)
            scores = [float(face.scores[EMOTIONS.index(name)]) for name in emotion_names()]
            observed = observed_face(face.face_id, scores, box, frame.image_size)
            if observed is not None:
                faces.append(observed)
        self._pipeline.observe(faces, frame.stamp_ns * 1e-9)
