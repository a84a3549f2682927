# SPDX-License-Identifier: Apache-2.0
"""Long run of the light under load with failing lamps.

Run it by hand; SOAK_SECONDS sets the length (600)::

    python3 -m pytest -s --timeout 3600 ros2_ws/src/ambient_light_driver/test/soak.py
"""

import os
import random
import signal
import statistics
import time

import pytest

pytest.importorskip("rclpy", reason="no ROS 2")
pytest.importorskip("paho.mqtt.client", reason="no paho-mqtt")

# Of the whole repository, which need not be there.
_OUTSIDE = "run this in the root of the repository"
FlashCounter = pytest.importorskip("robustness.soak.flashes", reason=_OUTSIDE).FlashCounter
Resources = pytest.importorskip("robustness.soak.resources", reason=_OUTSIDE).Resources

from ambient_light_driver.color.light_color import LightColor, relative_luminance  # noqa: E402
from ambient_light_driver.color.palette import emotion_names  # noqa: E402

SOAK_S = float(os.environ.get("SOAK_SECONDS", "600"))
OUTAGE_PERIOD_S = 10.0
OUTAGE_S = 2.0
MESSAGES_PER_S = 100.0


def test_soak(start_light, graph, start_broker):
    broker = start_broker()
    light = start_light(
        {
            "face_dwell_s": 0.0,
            "emotion_dwell_s": 0.0,
            "time_constant_s": 0.0,
            "devices": "[terminal, mqtt]",
            "device.mqtt.topic": "lamp/set",
            "device.mqtt.mqtt_port": broker.port,
        }
    )
    graph.wait_until(lambda: graph.colors, "the node")
    rng = random.Random(1)
    names = emotion_names()
    start_s = time.monotonic()
    next_outage_s, next_look_s, next_message_s = start_s + OUTAGE_PERIOD_S, start_s, start_s
    broker_returns_s = None
    outages, looks, colors, flashes = 0, [], 0, FlashCounter()
    while (now_s := time.monotonic()) < start_s + SOAK_S:
        if now_s >= next_message_s:
            graph.show(rng.choice(names), score=rng.uniform(0.2, 1.0))
            next_message_s += 1.0 / MESSAGES_PER_S
        graph.spin(0.002)
        for color in graph.colors:
            linear = LightColor(*(min(1.0, value) for value in color)).linear_light()
            flashes.see(time.monotonic(), linear, relative_luminance(linear))
        colors += len(graph.colors)
        graph.colors.clear()
        if broker_returns_s is not None and now_s >= broker_returns_s:
            broker.start()
            broker_returns_s = None
        if now_s >= next_outage_s and now_s < start_s + SOAK_S - OUTAGE_PERIOD_S:
            broker.process.send_signal(signal.SIGKILL)
            broker.process.wait()
            outages += 1
            broker_returns_s = now_s + OUTAGE_S
            next_outage_s += OUTAGE_PERIOD_S
        if now_s >= next_look_s:
            held = Resources.of(light.process.pid)
            looks.append((now_s - start_s, held.private_kib, held.files, held.threads))
            next_look_s += 1.0
    graph.spin(2.0)
    name = "ambient_light: device mqtt"
    values = graph.diagnostics[name][2]
    received = int(graph.diagnostics["ambient_light: input"][2]["messages"])
    interventions = graph.diagnostics["ambient_light: output"][2]["flash_limited"]
    warm = [look for look in looks if look[0] > 0.1 * SOAK_S]
    seconds = [look[0] for look in warm]
    slopes = [statistics.linear_regression(seconds, [x[i] for x in warm]).slope for i in (1, 2, 3)]
    print(
        f"\n{SOAK_S:.0f} s, {received / SOAK_S:.0f} messages/s, {colors} colors, "
        f"{outages} outages, {values['recoveries']} recoveries, "
        f"{interventions} interventions of the limiter, "
        f"at most {flashes.worst_flashes} flashes and {flashes.worst_red_flashes} red flashes in "
        "a second\n"
        f"memory {warm[0][1]} to {warm[-1][1]} KiB ({3600 * slopes[0]:+.0f} KiB/h), "
        f"files {warm[0][2]} to {warm[-1][2]}, threads {warm[0][3]} to {warm[-1][3]}"
    )
    assert int(values["recoveries"]) == outages
    assert values["phase"] == "connected"
    assert flashes.violations == 0
    assert warm[-1][1] < 1.1 * warm[0][1], "memory grows"
    assert warm[-1][2] <= warm[0][2] + 2, "files are left open"
    assert warm[-1][3] <= warm[0][3] + 1, "threads are left behind"
    assert light.stop(signal.SIGTERM) == 0
    assert "Traceback" not in light.output()
