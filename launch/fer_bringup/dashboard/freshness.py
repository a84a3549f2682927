# SPDX-License-Identifier: Apache-2.0
"""Detect silent nodes by the age of their last messages."""

from __future__ import annotations

import math
from dataclasses import dataclass

SILENT_S = 1.2
"""Time without a message after which its sender counts as silent [s]."""

FORGET_S = 10.0
"""Time after which an old image is no longer shown at all, not even blurred [s]."""

_ANSWER_S = 1.1
"""Age of an answer up to which a node counts as alive [s]; nodes are asked twice a second."""


@dataclass(frozen=True)
class Heard:
    """What was received from the nodes of a robot, and who publishes.

    :ivar faces_s: age of the newest faces [s]; infinite without any. Likewise ``perception_s``
        of the perception's newest answer to a service, ``color_s`` of the newest colour,
        ``light_s`` of the light's newest answer.
    :ivar faces_topic: name of the topic of the faces.
    :ivar face_publishers: publishers of the faces; likewise ``color_publishers``.
    :ivar is_perceiving: whether the perception reports frames, as it does while it is active.
    :ivar image_topic: topic of the images; empty while unknown.
    :ivar image_publishers: names of its publishing nodes.
    """

    faces_s: float = math.inf
    perception_s: float = math.inf
    color_s: float = math.inf
    light_s: float = math.inf
    faces_topic: str = "fer_perception/emotions"
    face_publishers: int = 0
    color_publishers: int = 0
    is_perceiving: bool = True
    image_topic: str = ""
    image_publishers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """Something that the page must not hide.

    :ivar about: what is out of date: "faces" or "light".
    :ivar short: text of the badge, which names the silent node.
    :ivar text: one sentence with the topic.
    """

    about: str
    short: str
    text: str


def problems(heard: Heard) -> list[Problem]:
    """Return what is silent, the perception's side first.

    A light that was never received is not a problem: the lamp may be on another robot.
    """
    return [
        problem
        for problem in (_perception_problem(heard), _light_problem(heard))
        if problem is not None
    ]


def _perception_problem(heard: Heard) -> Problem | None:
    if heard.faces_s <= SILENT_S:
        return None
    if heard.perception_s <= _ANSWER_S:
        return _input_problem(heard)
    if math.isinf(heard.faces_s) and not heard.face_publishers:
        return Problem("faces", "no perception", f"nobody publishes {heard.faces_topic}")
    return Problem(
        "faces",
        "fer_perception is silent",
        f"fer_perception is silent: no faces on {heard.faces_topic}{_since(heard.faces_s)}",
    )


def _input_problem(heard: Heard) -> Problem:
    """Explain why a perception that answers sends no faces."""
    topic = heard.image_topic
    if not heard.is_perceiving or not topic:
        return Problem(
            "faces",
            "fer_perception is not active",
            "fer_perception answers, but is not active: it sends no faces",
        )
    if not heard.image_publishers:
        return Problem("faces", "no camera", f"no camera on {topic}: nobody publishes it")
    names = ", ".join(heard.image_publishers)
    return Problem(
        "faces",
        f"{names} is silent",
        f"no image on {topic}{_since(heard.faces_s)}: {names} publishes it, but is silent",
    )


def _light_problem(heard: Heard) -> Problem | None:
    if heard.color_s <= SILENT_S:
        return None
    if heard.light_s <= _ANSWER_S:
        return Problem(
            "light",
            "ambient_light is not active",
            "ambient_light answers, but is not active: it sends no colour",
        )
    if math.isinf(heard.color_s) and not heard.color_publishers:
        return None
    return Problem(
        "light",
        "ambient_light is silent",
        f"ambient_light is silent: no colour{_since(heard.color_s)}",
    )


def _since(age_s: float) -> str:
    return "" if math.isinf(age_s) else f" for {age_s:.0f} s"
