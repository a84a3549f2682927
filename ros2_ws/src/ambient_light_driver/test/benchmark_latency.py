# SPDX-License-Identifier: Apache-2.0
"""Latency from an EmotionArray to a real receiver, without smoothing.

And the processor time of a rig of 60 fixtures in three universes. Run it by hand, it asserts
nothing about time::

    python3 -m pytest -s ros2_ws/src/ambient_light_driver/test/benchmark_latency.py
"""

import select
import statistics
import threading
import time
from pathlib import Path

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.device_worker import DeviceWorker
from ambient_light_driver.devices.sacn import SacnConfig, SacnDevice
from ambient_light_driver.light_state import LightState

pytest.importorskip("rclpy", reason="no ROS 2")

CHANGES = 40
PAUSE_S = 1.9
"""Between two changes: the flash limiter counts up to three swings for each and lets six pass in
``1 + late_s`` seconds."""

UNSMOOTHED = {"face_dwell_s": 0.0, "emotion_dwell_s": 0.0, "time_constant_s": 0.0}


def measure(name, graph, read, is_shown):
    """Change the emotion, poll the receiver, print the percentiles of the delays.

    :param read: returns what the receiver has now.
    :param is_shown: returns from that and the emotion whether the emotion is shown.
    """
    delays_ms = []
    for i in range(-4, CHANGES):
        emotion = ("happiness", "sadness")[i % 2]
        message = graph.emotions(emotion)
        start_s = time.perf_counter()
        graph.publish(message)
        while not is_shown(read(), emotion):
            assert time.perf_counter() - start_s < 10.0, f"{name} never showed {emotion}"
        if i >= 0:  # before: everything is warmed up
            delays_ms.append(1e3 * (time.perf_counter() - start_s))
        # A phase of its own to the output timer for every change.
        graph.spin(PAUSE_S + 0.02 * (i % 7) / 7.0)
    percentiles = statistics.quantiles(delays_ms, n=20)
    print(
        f"\n{name}: emotion to light, {CHANGES} changes: median "
        f"{statistics.median(delays_ms):.1f} ms, p95 {percentiles[-1]:.1f} ms, "
        f"max {max(delays_ms):.1f} ms"
    )


def wait_for_light(graph):
    graph.wait_until(lambda: graph.colors, "the node")
    graph.spin(1.0)


def test_sacn_to_olad(start_light, graph, start_olad):
    olad = start_olad("e131")
    olad.listen(3)
    start_light(
        UNSMOOTHED
        | {
            "devices": "[sacn]",
            "device.sacn.destination": "127.0.0.1",
            "device.sacn.universe": 3,
        }
    )
    wait_for_light(graph)

    def is_shown(channels, emotion):
        return bool(channels) and (channels[0] > channels[2]) == (emotion == "happiness")

    measure("olad (E1.31, read by HTTP)", graph, lambda: olad.channels(3), is_shown)


def test_mqtt_to_mosquitto(start_light, graph, start_broker):
    mqtt = pytest.importorskip("paho.mqtt.client")
    broker = start_broker()
    received = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = lambda c, u, message: received.append(message.payload)
    client.on_connect = lambda c, *_: c.subscribe("lamp/set")
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    start_light(
        UNSMOOTHED
        | {
            "devices": "[mqtt]",
            "device.mqtt.topic": "lamp/set",
            "device.mqtt.mqtt_port": broker.port,
        }
    )
    wait_for_light(graph)

    def read():
        time.sleep(0.0005)
        return received[-1] if received else b""

    def is_shown(payload, emotion):
        return (b'"r": 255' in payload) == (emotion == "happiness")

    measure("mosquitto (MQTT, QoS 1)", graph, read, is_shown)
    client.disconnect()
    client.loop_stop()


def test_adalight_to_a_pty(start_light, graph, serial_pair):
    pytest.importorskip("serial")
    start_light(
        UNSMOOTHED | {"devices": "[adalight]", "device.adalight.port": str(serial_pair.port)}
    )
    wait_for_light(graph)
    frame = [bytes(9)]

    def read():
        while select.select([serial_pair.descriptor], [], [], 0.001)[0]:
            frame[0] = serial_pair.read(9)
        return frame[0]

    def is_shown(data, emotion):
        return (data[6] > data[8]) == (emotion == "happiness")

    measure("serial line (Adalight)", graph, read, is_shown)


RIG_S = 10.0
CLOCK_TICKS_PER_S = 100.0


def test_processor_time_of_a_rig(start_olad):
    olad = start_olad("e131")
    olad.listen(1)
    fixtures = tuple(f"{universe}/1:RGBW*20" for universe in (1, 2, 3))
    config = SacnConfig(destination="127.0.0.1", fixtures=fixtures)
    worker = DeviceWorker(SacnDevice("rig", config), lambda name, status: None)
    worker.start()
    [thread] = [thread for thread in threading.enumerate() if thread.name == "lamp rig"]
    stat = Path(f"/proc/self/task/{thread.native_id}/stat")

    def busy_s():
        return (
            sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13])) / CLOCK_TICKS_PER_S
        )

    before_s, start_s = busy_s(), time.monotonic()
    posts = 0
    while time.monotonic() - start_s < RIG_S:
        posts += 1
        worker.post(LightState(LightColor(1.0, 0.7, 0.1, posts % 100 / 100.0), "fade"))
        time.sleep(0.02)
    share = (busy_s() - before_s) / (time.monotonic() - start_s)
    sent = worker.status().sent
    worker.request_stop(LightState(LightColor(0.0, 0.0, 0.0, 0.0), "off"))
    assert worker.join(10.0)
    print(
        f"\n60 RGBW fixtures in three universes, one thread, {sent / RIG_S:.0f} colours/s: "
        f"{100.0 * share:.1f} % of a core"
    )
