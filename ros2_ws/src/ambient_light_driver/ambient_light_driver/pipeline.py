# SPDX-License-Identifier: Apache-2.0
"""Pipeline from faces to a colour: select, mix, dwell, fade, limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ambient_light_driver.color.fading import DwellGate, ExponentialFade
from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.color.mixing import mixed_light
from ambient_light_driver.color.palette import Palette, emotion_names
from ambient_light_driver.color.root_light import RootLight
from ambient_light_driver.light_state import IDLE, OFF_LABEL, LightState
from ambient_light_driver.safety.flash_limiter import FlashLimiter
from ambient_light_driver.selection.face_presence import FacePresence
from ambient_light_driver.selection.face_selection import Scores, select_scores
from ambient_light_driver.selection.fixed_light import fixed_light
from ambient_light_driver.selection.observation import FaceObservation
from ambient_light_driver.settings import LightSettings
from fer_common.resettable_clock import Stopwatch


class _Source:
    """The faces of one camera.

    :param now_s: time of its first message [s].
    """

    def __init__(self, now_s: float) -> None:
        self._presence = FacePresence()
        self._message_age = Stopwatch(now_s)

    def observe(self, faces: Sequence[FaceObservation], now_s: float) -> None:
        """Set the faces of its newest image."""
        self._presence.observe(faces, now_s)
        self._message_age.restart(now_s)

    def silence_s(self, now_s: float) -> float:
        """Return the time since its last image [s]."""
        return self._message_age.seconds(now_s)

    def counted(self, dwell_s: float, now_s: float) -> tuple[FaceObservation, ...]:
        """Return its faces that have been in view for ``dwell_s``."""
        return self._presence.counted(dwell_s, now_s)


class LightPipeline:
    """Convert observed faces to a colour, step by step.

    :param palette: colours of the emotions.
    :param settings: all other settings; both may be replaced at any time.
    """

    def __init__(self, palette: Palette, settings: LightSettings) -> None:
        self.palette = palette
        self.settings = settings
        self._limiter = FlashLimiter()
        self._forget_faces()

    @property
    def interventions(self) -> int:
        """How often the flash limiter limited a colour."""
        return self._limiter.interventions

    def observe(self, faces: Sequence[FaceObservation], now_s: float, source: str = "") -> None:
        """Set the faces of the newest image, possibly none.

        :param source: their camera. Its faces are kept until its next message, or for
            ``idle_timeout_s`` without one.
        """
        self._sources.setdefault(source, _Source(now_s)).observe(faces, now_s)

    def step(self, now_s: float, monotonic_s: float) -> LightState:
        """Return the light to show now.

        :param now_s: time of the faces, possibly of a simulation or recording, which may pause and
            jump [s].
        :param monotonic_s: monotonic time of the lamps, for the flash limiter [s].
        """
        target, label = self._target(now_s)
        light = self._fade.step(target, self.settings.time_constant_s, now_s)
        self._limiter.late_s = self.settings.late_s
        limited = self._limiter.step(
            light.to_color(), monotonic_s, self.settings.max_flashes, target.to_color()
        )
        return LightState(limited.color, label)

    def lamp_went_out(self, monotonic_s: float, lamp: str = "") -> None:
        """Count a flash of one lamp that is caused outside the pipeline.

        :param lamp: its name; empty where it may be any.
        """
        self._limiter.count_outage(monotonic_s, lamp)

    def shut_down(self, monotonic_s: float) -> LightState:
        """Return the shutdown light and drop all faces.

        Darkness is immediate; a later start fades in from it.
        """
        state = self.settings.shutdown_state
        if state == "hold":
            shown = LightState(self._limiter.shown, self._followed.kind)
        elif state == "idle":
            idle = self._idle_light().to_color()
            limited = self._limiter.step(idle, monotonic_s, self.settings.max_flashes)
            if limited.limited:  # it would stay unchanged permanently
                shown = LightState(self._limiter.switch_off(monotonic_s), OFF_LABEL)
            else:
                shown = LightState(limited.color, IDLE)
        else:
            shown = LightState(self._limiter.switch_off(monotonic_s), OFF_LABEL)
        self._forget_faces()
        return shown

    def _forget_faces(self) -> None:
        self._sources: dict[str, _Source] = {}
        self._face_age = Stopwatch(0.0)
        self._followed: DwellGate[Scores | None] = DwellGate(IDLE, None)
        self._fade = ExponentialFade(RootLight.from_color(self._limiter.shown))

    def _target(self, now_s: float) -> tuple[RootLight, str]:
        """Return the light to fade to, and its label."""
        scores = self._followed_scores(now_s)
        fixed = fixed_light(self.settings.show, self.settings.fixed_color, self.palette)
        if fixed is not None:
            color, label = fixed
            return self._dimmed(color, self.settings.brightness), label
        light = self._idle_light() if scores is None else self._emotion_light(scores)
        return light, self._followed.kind

    def _followed_scores(self, now_s: float) -> Scores | None:
        """Return the scores to show, or None for the idle light."""
        settings = self.settings
        heard = [
            source
            for source in self._sources.values()
            if source.silence_s(now_s) < settings.idle_timeout_s
        ]
        if not heard:
            return self._followed.adopt(IDLE, None)
        seen = {source: source.counted(settings.face_dwell_s, now_s) for source in heard}
        faces = [face for counted in seen.values() for face in counted]
        scores = select_scores(faces, settings.face_selection, settings.selected_face_id)
        if scores is None:
            expired = self._face_age.seconds(now_s) >= settings.idle_timeout_s
            return self._followed.adopt(IDLE, None) if expired else self._followed.value
        # Limited by the last message about faces: a stopped source has not confirmed them since.
        silence_s = min(source.silence_s(now_s) for source, counted in seen.items() if counted)
        self._face_age.restart(now_s - silence_s)
        emotion = emotion_names()[scores.index(max(scores))]
        if self._followed.kind == IDLE:
            return self._followed.adopt(emotion, scores)
        return self._followed.step(emotion, scores, settings.emotion_dwell_s, now_s)

    def _emotion_light(self, scores: Scores) -> RootLight:
        settings = self.settings
        light = mixed_light(
            self.palette, scores, settings.sharpness, settings.full_saturation_confidence
        )
        return self._dimmed(light.to_color(), settings.brightness)

    def _idle_light(self) -> RootLight:
        is_dark = self.settings.idle == "dark"
        return self._dimmed(self.palette.idle, 0.0 if is_dark else self.settings.brightness)

    def _dimmed(self, color: LightColor, factor: float) -> RootLight:
        return RootLight.from_color(replace(color, brightness=color.brightness * factor))
