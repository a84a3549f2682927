# SPDX-License-Identifier: Apache-2.0
"""Inject faults into a :class:`~robustness.soak.world.World`.

Each fault is over when its function returns; the time to recovery starts then.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from .camera import ENCODINGS
from .world import LIGHT, PERCEPTION, World

_PAUSE_S = 2.5
SIZES = ((640, 480), (320, 240), (1280, 720))
"""Resolutions that the camera changes to."""

_FRAMES = ("camera_optical_frame", "other_optical_frame", "", "a b/c\u00e4")

Fault = Callable[[World, random.Random], None]


def camera_stops(world: World, _rng: random.Random) -> None:
    """Stop sending images for a while."""
    world.camera.change(running=False)
    time.sleep(_PAUSE_S)
    world.camera.change(running=True)


def camera_changes(world: World, rng: random.Random) -> None:
    """Change resolution, encoding and frame_id in mid-stream."""
    before = world.camera.mode
    world.camera.change(
        size=rng.choice([size for size in SIZES if size != before.size]),
        encoding=rng.choice([name for name in ENCODINGS if name != before.encoding]),
        frame_id=rng.choice([name for name in _FRAMES if name != before.frame_id]),
    )


def clock_jumps_back(world: World, _rng: random.Random) -> None:
    """Set the camera's clock and a simulation's back by an hour."""
    world.camera.change(clock_offset_s=world.camera.mode.clock_offset_s - 3600.0)


def clock_jumps_forward(world: World, _rng: random.Random) -> None:
    """Set the clock ahead by an hour."""
    world.camera.change(clock_offset_s=world.camera.mode.clock_offset_s + 3600.0)


def perception_is_killed(world: World, _rng: random.Random) -> None:
    """Kill the perception by SIGKILL; it is restarted."""
    world.kill(PERCEPTION)


def light_is_killed(world: World, _rng: random.Random) -> None:
    """Kill the light by SIGKILL with the lamp on; it is restarted."""
    world.kill(LIGHT)


def perception_stands_still(world: World, _rng: random.Random) -> None:
    """Suspend the perception's process for a while, as by swapping."""
    world.signal(PERCEPTION, signal.SIGSTOP)
    time.sleep(_PAUSE_S)
    world.signal(PERCEPTION, signal.SIGCONT)


def model_is_removed(world: World, _rng: random.Random) -> None:
    """Remove the model: the loaded one keeps working; a reload fails.

    :raises AssertionError: when it is reloaded, or the reason of the failure is missing.
    """
    away = world.model_folder.with_name("away")
    world.model_folder.rename(away)
    try:
        world.wait_for_recovery()
        reason = world.set_parameter(PERCEPTION, "flip_average", True)
        assert str(world.model_folder) in reason, reason or "a removed model was loaded"
    finally:
        away.rename(world.model_folder)


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.__name__: fault
        for fault in (
            camera_stops,
            camera_changes,
            clock_jumps_back,
            clock_jumps_forward,
            perception_stands_still,
            model_is_removed,
            perception_is_killed,
            light_is_killed,
        )
    }
)
"""By name."""
