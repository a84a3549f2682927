# SPDX-License-Identifier: Apache-2.0
"""Messages from the graph and from pages to the dashboard."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from fer_msgs.msg import EmotionArray
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor, ParameterType
from std_msgs.msg import ColorRGBA

from ambient_light_driver.selection.face_selection import BY_FACE_ID, SELECTIONS
from fer_bringup.dashboard import snapshot
from fer_bringup.dashboard.access import Access
from fer_bringup.dashboard.controls import CONTROLS, describe, typed
from fer_bringup.dashboard.driving import driving_faces
from fer_bringup.dashboard.history import History

from ..mutation import nasty_float, nasty_text, nasty_value
from ..target import Target, Try, one_of
from .emotion_messages import hostile_face

_TOKEN = "0123456789abcdef"  # nosec B105
_TYPES = (
    ParameterType.PARAMETER_DOUBLE,
    ParameterType.PARAMETER_STRING,
    ParameterType.PARAMETER_BOOL,
    ParameterType.PARAMETER_INTEGER,
    ParameterType.PARAMETER_NOT_SET,
)


def _json(value: Any) -> None:
    """Encode JSON for browsers, which accept neither NaN nor infinity."""
    json.dumps(value, allow_nan=False)


def _faces(rng: Random) -> None:
    message = EmotionArray(faces=[hostile_face(rng) for _ in range(rng.randrange(3))])
    _json(snapshot.faces(message))
    history = History()
    history.add(snapshot.samples(message), 0.0, 0.0)
    _json(history.since(0, 0, 0.0))
    history.csv()
    driving_faces(message, rng.choice((*SELECTIONS, BY_FACE_ID)), nasty_text(rng), "")


def _lamp(rng: Random) -> None:
    with np.errstate(over="ignore"):
        values = [float(np.float32(nasty_float(rng))) for _ in range(4)]
    shown = snapshot.lamp(ColorRGBA(r=values[0], g=values[1], b=values[2], a=values[3]))
    _json(shown)
    assert all(0 <= value <= 255 for value in shown["rgb"])


def _status(rng: Random) -> None:
    status = DiagnosticStatus(
        level=bytes([rng.randrange(256)]),
        name=nasty_text(rng),
        message=nasty_text(rng),
        values=[KeyValue(key=nasty_text(rng), value=nasty_text(rng)) for _ in range(3)],
    )
    _json(snapshot.status(status))


def _control(rng: Random) -> None:
    descriptor = ParameterDescriptor(
        name=nasty_text(rng), type=rng.choice(_TYPES), additional_constraints=nasty_text(rng)
    )
    if rng.random() < 0.5:
        descriptor.floating_point_range = [FloatingPointRange(from_value=0.0, to_value=1.0)]
    _json(describe(rng.choice(CONTROLS), descriptor, 0.5))
    typed(nasty_value(rng), descriptor)


def _access(rng: Random) -> None:
    access = rng.choice((Access("127.0.0.1"), Access("0.0.0.0", _TOKEN)))  # nosec B104
    host = rng.choice(("127.0.0.1:8035", "[::1", "[", "localhost:", nasty_text(rng)))
    origin = rng.choice((None, f"http://{host}", nasty_text(rng), "http://[", "http://[::1"))
    access.allows_host(host)
    allowed = access.allows_origin(origin, host)
    assert not (allowed and origin and not origin.startswith(("http://", "https://"))), origin
    assert not (access.token and access.allows_token(nasty_text(rng)))


def _prepare() -> Try:
    return lambda rng: one_of(rng, _faces, _lamp, _status, _control, _access)


TARGETS = (Target("dashboard_messages", 100_000, _prepare, (ValueError,)),)
