# SPDX-License-Identifier: Apache-2.0
"""Hostile emotions to a running ``light_node`` that drives real counterparts."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from random import Random

import rclpy
import yaml
from fer_msgs.msg import EmotionArray, EmotionStamped
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter

from ambient_light_driver.color.palette import emotion_names, shipped_palettes
from fer_bringup import fast_dds
from fer_bringup.standalone.processes import NodeSpec, ParameterValue, start, stop
from robustness.soak.domain import own_domain

from .wire_lamps import Counterpart

_PATIENCE_S = 30.0
_UNSMOOTHED = (("face_dwell_s", 0.0), ("emotion_dwell_s", 0.0), ("time_constant_s", 0.0))


def _message(scores: list[float]) -> EmotionArray:
    face = EmotionStamped(face_id="f1", emotion=emotion_names()[scores.index(max(scores))])
    face.roi.x_offset, face.roi.y_offset = 270, 190
    face.roi.width = face.roi.height = 100
    face.scores = scores
    return EmotionArray(image_width=640, image_height=480, faces=[face])


def _hostile_palette(rng: Random, folder: Path) -> str:
    """Write a palette of extreme colours and return its path."""

    def color() -> dict[str, object]:
        return {
            "color": [rng.choice((0.0, 0.0, 0.5, 1.0)) for _ in range(3)],
            "brightness": rng.choice((1.0, 1.0, 0.4)),
            "source": "hostile",
        }

    path = folder / "hostile.yaml"
    content = {
        "source": "hostile",
        "emotions": {name: color() for name in emotion_names()},
        "idle": {"color": [1.0, 1.0, 1.0], "brightness": 0.2},
    }
    path.write_text(yaml.safe_dump(content))
    return str(path)


def attack_through_node(
    lamps: list[Counterpart], rng: Random, seconds: float, folder: Path
) -> None:
    """Start ``light_node`` with the devices of ``lamps`` and send it emotions."""
    devices = {name: device for lamp in lamps for name, device in lamp.devices.items()}
    parameters: list[tuple[str, ParameterValue]] = [("devices", list(devices)), *_UNSMOOTHED]
    for name, (kind, options) in devices.items():
        parameters.append((f"device.{name}.type", kind))
        parameters += [(f"device.{name}.{key}", value) for key, value in options.items()]
    spec = NodeSpec(
        "ambient_light_driver",
        "light_node",
        "ambient_light",
        parameters=tuple(parameters),
        remappings=(("emotions", "/hostile"),),
    )
    palettes = [*shipped_palettes(), _hostile_palette(rng, folder)]
    with own_domain(), tempfile.TemporaryFile() as log:
        nodes = start((spec,), fast_dds.variables(), log)
        rclpy.init()
        try:
            node = rclpy.create_node("attacker")
            executor = SingleThreadedExecutor()
            executor.add_node(node)
            publisher = node.create_publisher(EmotionArray, "/hostile", 10)
            client = node.create_client(SetParameters, "/ambient_light/set_parameters")
            if not client.wait_for_service(_PATIENCE_S):
                log.seek(0)
                raise TimeoutError(f"no light_node: {log.read().decode()[-2000:]}")
            time.sleep(2.0)  # until claims are granted
            end_s = time.monotonic() + seconds
            while time.monotonic() < end_s:
                name, value = rng.choice(
                    (
                        ("palette", rng.choice(palettes)),
                        ("brightness", rng.choice((1.0, 0.73, 0.3))),
                        ("sharpness", rng.choice((1.0, 4.0))),
                    )
                )
                request = SetParameters.Request()
                request.parameters = [Parameter(name, value=value).to_parameter_msg()]
                client.call_async(request)
                period_s = rng.choice((0.1, 0.02))
                pair = [_scores(rng) for _ in range(rng.choice((2, 2, 3)))]
                for i in range(round(2.0 / period_s)):
                    publisher.publish(_message(pair[i % len(pair)]))
                    step_s = time.monotonic() + period_s
                    while (left_s := step_s - time.monotonic()) > 0.0:
                        executor.spin_once(timeout_sec=left_s)
        finally:
            rclpy.shutdown()
            failures = stop(nodes, grace_s=_PATIENCE_S)
        if failures:
            log.seek(0)
            raise RuntimeError(f"{failures}: {log.read().decode()[-2000:]}")


def _scores(rng: Random) -> list[float]:
    """Return a certain emotion, or a mixture."""
    if rng.random() < 0.6:
        scores = [0.0] * len(emotion_names())
        scores[rng.randrange(len(scores))] = 1.0
        return scores
    parts = [rng.random() ** 4 for _ in emotion_names()]
    return [part / sum(parts) for part in parts]
