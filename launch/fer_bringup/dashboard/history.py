# SPDX-License-Identifier: Apache-2.0
"""The last minutes of a robot: samples, events, and both as CSV."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fer_perception.emotions import EMOTIONS

SAMPLE_PERIOD_S = 0.2
"""Time between samples [s]."""

KEPT_S = 300.0
"""Time that is kept [s]."""

SHOWN_S = 60.0
"""Length of the page's time line [s]."""

_LEAST_DISTANCE_S = 0.9 * SAMPLE_PERIOD_S  # messages come at irregular times
_MAX_EVENTS = 200


@dataclass(frozen=True, slots=True)
class FaceSample:
    """One face at one time.

    :ivar label: its class or "unknown".
    :ivar scores: probability of each class, in thousandths.
    :ivar valence: in [-1, 1], in hundredths; None where it is unknown.
    """

    label: str
    scores: tuple[int, ...]
    valence: int | None


class History:
    """Samples and events, numbered so that a page requests new ones."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float, Mapping[str, FaceSample]]] = deque(
            maxlen=round(KEPT_S / SAMPLE_PERIOD_S)
        )
        self._sample_count = 0
        self._events: deque[tuple[float, Mapping[str, Any]]] = deque(maxlen=_MAX_EVENTS)
        self._event_count = 0

    def add(self, faces: Mapping[str, FaceSample], steady_s: float, time_s: float) -> None:
        """Append a sample unless the last one is too recent.

        :param faces: id -> face.
        :param steady_s: steady time [s].
        :param time_s: time since the epoch [s].
        """
        if self._samples and steady_s - self._samples[-1][0] < _LEAST_DISTANCE_S:
            return
        self._samples.append((steady_s, time_s, faces))
        self._sample_count += 1

    def add_event(self, event: Mapping[str, Any], steady_s: float) -> None:
        """Append an event."""
        self._events.append((steady_s, event))
        self._event_count += 1

    def since(self, sample: int, event: int, steady_s: float) -> tuple[dict[str, Any], int, int]:
        """Return (new entries for the page, next sample, next event).

        :param sample: number of the first sample that the page lacks; likewise ``event``.
        :param steady_s: now; entries older than :data:`SHOWN_S` are left out.
        """
        samples = _newest(self._samples, self._sample_count - sample)
        events = _newest(self._events, self._event_count - event)
        entries = {
            "samples": [
                {
                    "at_s": round(at_s, 2),
                    "faces": {
                        name: [face.label, face.scores, face.valence]
                        for name, face in faces.items()
                    },
                }
                for at_s, _, faces in samples
                if steady_s - at_s <= SHOWN_S
            ],
            "events": [{"at_s": round(at_s, 2)} | dict(content) for at_s, content in events],
        }
        return entries, self._sample_count, self._event_count

    def csv(self) -> str:
        """Return all samples as CSV, one line per face and sample."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["time", "face_id", "apparent_expression", *EMOTIONS, "valence"])
        for _, time_s, faces in self._samples:
            moment = datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds")
            for name, face in faces.items():
                valence = "" if face.valence is None else face.valence / 100
                scores = (score / 1000 for score in face.scores)
                writer.writerow([moment, _cell(name), _cell(face.label), *scores, valence])
        return text.getvalue()


def _newest(entries: deque[Any], count: int) -> list[Any]:
    return list(entries)[-count:] if count > 0 else []


def _cell(text: str) -> str:
    """Return text that a spreadsheet does not evaluate as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
