# SPDX-License-Identifier: Apache-2.0
"""Settings of the mapping from faces to light."""

from __future__ import annotations

from dataclasses import dataclass

from ambient_light_driver.safety.flash_limiter import LATE_S, MAX_FLASHES
from ambient_light_driver.selection.face_selection import BY_FACE_ID, SELECTIONS
from ambient_light_driver.selection.fixed_light import FACES, SHOWN, parse_fixed_color
from fer_common.options import ConfigError, option


@dataclass(frozen=True, slots=True)
class LightSettings:
    """Settings of the mapping: the only place of defaults and ranges."""

    palette: str = option("default", "Name of a shipped palette or path of a palette's YAML file.")
    brightness: float = option(
        1.0, "Factor on the light of every colour; 0 is off.", minimum=0.0, maximum=1.0
    )
    sharpness: float = option(
        2.0,
        "Power on the probabilities before colours are mixed: 1 mixes by probability, more "
        "favours the most probable emotion.",
        minimum=0.1,
        maximum=20.0,
    )
    full_saturation_confidence: float = option(
        0.7,
        "Highest probability from which on the emotion's colour is shown in full; below, it "
        "fades towards the neutral colour.",
        minimum=0.2,
        maximum=1.0,
    )
    face_selection: str = option(
        "largest",
        "Face that the light follows when several are seen.",
        choices=(*SELECTIONS, BY_FACE_ID),
    )
    selected_face_id: str = option(
        "",
        "Face to follow when face_selection is face_id; TOPIC/ID where emotions_topics names "
        "several.",
    )
    face_dwell_s: float = option(
        0.3, "Time a face must be in view before it counts [s].", minimum=0.0, maximum=60.0
    )
    emotion_dwell_s: float = option(
        0.3,
        "Time another emotion must be the most probable one before the light turns to it [s].",
        minimum=0.0,
        maximum=60.0,
    )
    time_constant_s: float = option(
        0.4,
        "Time constant of the exponential fade, 63 % of the way to a new colour [s]; 0 jumps.",
        minimum=0.0,
        maximum=60.0,
    )
    idle_timeout_s: float = option(
        3.0,
        "Time without a face or a message before the light fades to idle [s].",
        minimum=0.1,
        maximum=3600.0,
    )
    idle: str = option(
        "palette",
        "Light while no face is seen: the palette's idle colour, or none.",
        choices=("palette", "dark"),
    )
    show: str = option(
        FACES,
        "What the light shows: the faces, nothing, fixed_color, the palette's idle colour, or an "
        "expression as if a face showed it; the flash limiter applies to all.",
        choices=SHOWN,
    )
    fixed_color: str = option(
        "rgb 255 255 255",
        "Colour while 'show' is color: rgb and three numbers of sRGB from 0 to 255.",
    )
    max_flashes: int = option(
        MAX_FLASHES,
        "General and red flashes allowed in any second (WCAG 2.3.1 allows 3 of each).",
        minimum=1,
        maximum=MAX_FLASHES,
    )
    late_s: float = option(
        LATE_S,
        "Longest time for which a receiver (MQTT, UDP) may stall and then show all its queued "
        "colours at once: no more flashes than allowed pass even then [s].",
        minimum=LATE_S,
        maximum=10.0,
    )
    shutdown_state: str = option(
        # Not "off", which YAML, and so 'ros2 param', reads as a boolean.
        "dark",
        "Light after the node stops: none, the palette's idle colour, or the current one.",
        choices=("dark", "idle", "hold"),
    )

    def __post_init__(self) -> None:
        """Check interdependent values."""
        parse_fixed_color(self.fixed_color)
        if self.face_selection == BY_FACE_ID and not self.selected_face_id:
            raise ConfigError(
                f"selected_face_id: expected a face id, since face_selection is {BY_FACE_ID}"
            )
