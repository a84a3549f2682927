# SPDX-License-Identifier: Apache-2.0
"""Latency from an EmotionArray to a real receiver, without smoothing.

Run it by hand, it asserts nothing about time::

    python3 -m pytest -s ros2_ws/src/ambient_light_driver/test/benchmark_latency.py
"""

import select
import statistics
import time

import pytest

pytest.importorskip("rclpy", reason="no ROS 2")

CHANGES = 60
PAUSE_S = 0.45
"""Between two changes: one flash in 0.9 s, which the flash limiter lets pass."""

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
