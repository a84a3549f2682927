# SPDX-License-Identifier: Apache-2.0
"""Show faces and the lamp's colour as a table or lines."""

from collections.abc import Sequence

from fer_msgs.msg import EmotionStamped
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ambient_light_driver.color.light_color import LightColor
from fer_perception.emotion_colors import hex_color
from fer_perception.emotions import EMOTIONS


def screen_color(color: LightColor) -> str:
    """Return the light as ``#rrggbb`` for a screen."""
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in color.displayed_rgb())


def faces_table(faces: Sequence[EmotionStamped], lamp: LightColor | None, title: str) -> Group:
    """Return a table of faces and lamp, at most 80 columns wide.

    :param lamp: None until a colour is received.
    """
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("face", min_width=5)
    table.add_column("expression", min_width=14)
    for emotion in EMOTIONS:
        table.add_column(emotion, justify="right")
    table.add_column("ms", justify="right", min_width=3)
    for face in faces:
        table.add_row(
            face.face_id,
            Text(f"{face.emotion} {face.confidence:.0%}", style=f"bold {hex_color(face.emotion)}"),
            *(_score(score, face.confidence) for score in face.scores),
            f"{_latency_ms(face):.0f}",
        )
    if not faces:
        table.add_row("", "no face", *[""] * (len(EMOTIONS) + 1))
    return Group(table, _swatch(lamp))


def faces_line(faces: Sequence[EmotionStamped], lamp: LightColor | None) -> str:
    """Return the same as one plain line, for logs."""
    seen = ", ".join(f"{face.face_id} {face.emotion} {face.confidence:.0%}" for face in faces)
    return f"{seen or 'no face'} | lamp {screen_color(lamp) if lamp else 'no colour yet'}"


def _score(score: float, best: float) -> Text:
    return Text(f"{score:.0%}", style="bold green" if score == best else "dim")


def _latency_ms(face: EmotionStamped) -> float:
    latency = face.processing_latency
    return 1e3 * latency.sec + 1e-6 * latency.nanosec


def _swatch(lamp: LightColor | None) -> Text:
    if lamp is None:
        return Text("lamp: no colour yet")
    color = screen_color(lamp)
    return Text.assemble("lamp: ", (" " * 24, f"on {color}"), f" {color}")
