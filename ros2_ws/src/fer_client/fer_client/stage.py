# SPDX-License-Identifier: Apache-2.0
"""Show the faces of a script at any moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_perception.emotions import EMOTIONS
from fer_perception.face import LANDMARK_NAMES, BoundingBox, Face
from fer_perception.face_emotion import FaceEmotion

from .script import Cue, Script, Stay

_SHARE_OF_HEIGHT: Final = 0.3
"""Size of a face where the script gives none, as part of the image's height."""

_NO_LANDMARKS: Final = np.full((len(LANDMARK_NAMES), 2), math.nan, np.float32)


@dataclass(frozen=True)
class Scene:
    """What the image of one moment shows.

    :ivar faces: largest first.
    :ivar names: face id -> person of the script.
    """

    faces: list[FaceEmotion]
    names: dict[str, str]


class Stage:
    """Play a script; the same moment always looks the same."""

    def __init__(self, script: Script) -> None:
        self._script = script
        people = list(dict.fromkeys(stay.name for stay in script.stays))
        width, height = script.image_size
        self._places = {
            name: (width * (index + 1.0) / (len(people) + 1.0), height / 2.0)
            for index, name in enumerate(people)
        }
        self._size = _SHARE_OF_HEIGHT * height

    def is_over(self, time_s: float) -> bool:
        """Return whether the script has ended.

        :param time_s: since its beginning.
        """
        end_s = self._script.end_s
        return end_s is not None and not self._script.loop and time_s >= end_s

    def scene(self, time_s: float) -> Scene:
        """Return the people in view.

        :param time_s: since the beginning of the script.
        """
        script = self._script
        turn = 0
        frame = math.floor(time_s * script.rate_hz + 0.5)
        if script.loop and script.end_s is not None:
            turn, time_s = int(time_s // script.end_s), time_s % script.end_s
        shown: list[tuple[FaceEmotion, str]] = []
        for index, stay in enumerate(script.stays):
            if stay.cues[0].time_s <= time_s < stay.end_s:
                number = turn * len(script.stays) + index + 1
                scores = _scores(stay, time_s)
                if script.noise > 0.0:
                    random = np.random.default_rng([script.seed, frame, number])
                    scores = _noisy(scores, random.normal(0.0, script.noise, len(scores)))
                face = Face(self._box(stay, time_s), 1.0, _NO_LANDMARKS)
                # The form of the perception's own ids.
                shown.append((FaceEmotion(f"f{number:04d}", face, scores), stay.name))
        shown.sort(key=lambda one: one[0].box.area, reverse=True)
        return Scene([face for face, _ in shown], {face.face_id: name for face, name in shown})

    def _box(self, stay: Stay, time_s: float) -> BoundingBox:
        """Return the box, which moves evenly between given places."""
        begin = stay.cues[0]
        places = [(begin.time_s, *(begin.at or self._places[stay.name]))]
        places += [(cue.time_s, *cue.at) for cue in stay.cues[1:] if cue.at is not None]
        sizes = [(begin.time_s, begin.size or self._size)]
        sizes += [(cue.time_s, cue.size) for cue in stay.cues[1:] if cue.size is not None]
        place_times_s, xs, ys = np.array(places).T
        size_times_s, widths = np.array(sizes).T
        x = float(np.interp(time_s, place_times_s, xs))
        y = float(np.interp(time_s, place_times_s, ys))
        size = float(np.interp(time_s, size_times_s, widths))
        return BoundingBox(x - size / 2.0, y - size / 2.0, size, size)


def _scores(stay: Stay, time_s: float) -> NDArray[np.float32]:
    """Return the probabilities: the rest is spread evenly over the other expressions."""
    cue: Cue = stay.cues[0]
    for next_cue in stay.cues:
        if next_cue.time_s <= time_s and next_cue.expression is not None:
            cue = next_cue
    rest = (1.0 - cue.confidence) / (len(EMOTIONS) - 1)
    scores = np.full(len(EMOTIONS), rest, np.float32)
    scores[EMOTIONS.index(cue.expression or "")] = cue.confidence
    return scores


def _noisy(scores: NDArray[np.float32], noise: NDArray[np.float64]) -> NDArray[np.float32]:
    logits = np.log(np.maximum(scores, 1e-6)) + noise
    odds = np.exp(logits - logits.max())
    return (odds / odds.sum()).astype(np.float32)
