# SPDX-License-Identifier: Apache-2.0
"""MQTT lamps against a real mosquitto."""

import json
import signal
import socket
import subprocess

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.device_worker import DevicePhase, DeviceWorker
from ambient_light_driver.devices.mqtt import MqttConfig, MqttDevice, light_command
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.options import ConfigError, build_config

mqtt = pytest.importorskip("paho.mqtt.client", reason="no paho-mqtt: MQTT was not tested")

ORANGE = LightState(LightColor(1.0, 0.5, 0.0, 0.5), "happiness")
TOPIC = "zigbee2mqtt/lamp/set"
COMMAND = {
    "state": "ON",
    "brightness": 128,
    "color": {"r": 255, "g": 128, "b": 0},
    "transition": 0.1,
}


@pytest.fixture
def subscribe(wait_until):
    """Subscribe to everything; return the list that messages are put into."""
    clients = []

    def start(broker, username=None, password=None, ca_file=None):
        messages = []
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        client.on_message = lambda c, u, m: messages.append((m.topic, m.payload.decode()))
        ready = []
        client.on_subscribe = lambda *_: ready.append(True)
        client.on_connect = lambda c, *_: c.subscribe("#", qos=1)
        if username:
            client.username_pw_set(username, password)
        if ca_file:
            client.tls_set(ca_certs=ca_file)
        client.connect("localhost", broker.port)
        client.loop_start()
        wait_until(lambda: ready, "the subscription")
        clients.append(client)
        return messages

    yield start
    for client in clients:
        client.disconnect()
        client.loop_stop()


def device(broker, **options):
    return MqttDevice("mqtt", MqttConfig(mqtt_port=broker.port, topic=TOPIC, **options))


def test_a_command_holds_state_brightness_color_and_transition():
    config = MqttConfig(topic=TOPIC)
    assert light_command(ORANGE.color, config) == COMMAND
    zigbee = MqttConfig(topic=TOPIC, schema="zigbee2mqtt", transition_s=0.0)
    white = light_command(LightColor(1.0, 1.0, 1.0, 1.0), zigbee)
    assert (white["brightness"], white["transition"]) == (254, 0.0)
    assert light_command(SWITCHED_OFF.color, config) == {"state": "OFF"}


def test_a_dark_color_is_sent_as_a_bright_one_that_is_dimmed():
    """A Zigbee lamp, which takes hue and saturation only, would show it at full power."""
    config = MqttConfig(topic=TOPIC)
    grey = light_command(LightColor(0.5, 0.5, 0.5, 1.0), config)
    assert grey["color"] == {"r": 255, "g": 255, "b": 255}
    assert grey["brightness"] == 55  # light of sRGB 0.5: 0.2140
    assert light_command(LightColor(0.01, 0.0, 0.0, 1.0), config) == {"state": "OFF"}


def test_the_broker_gets_commands_and_availability(start_broker, subscribe, wait_until):
    broker = start_broker()
    messages = subscribe(broker)
    lamp = device(broker)
    lamp.open()
    lamp.send(ORANGE)
    lamp.send(SWITCHED_OFF)
    lamp.close()
    wait_until(lambda: len(messages) >= 4, "all messages")
    availability = "ambient_light/availability"
    assert messages[0] == (availability, "online")
    assert (messages[1][0], json.loads(messages[1][1])) == (TOPIC, COMMAND)
    assert (messages[2][0], json.loads(messages[2][1])) == (TOPIC, {"state": "OFF"})
    assert messages[3] == (availability, "offline")


def test_the_last_will_tells_that_the_driver_has_died(start_broker, subscribe, wait_until):
    broker = start_broker()
    messages = subscribe(broker)
    lamp = device(broker)
    lamp.open()
    lamp._client.socket().shutdown(socket.SHUT_RDWR)
    wait_until(lambda: ("ambient_light/availability", "offline") in messages, "the last will")
    lamp.close()


def test_user_and_password_are_checked(start_broker, subscribe, program, tmp_path, wait_until):
    passwords = tmp_path / "passwords"
    make = program("mosquitto_passwd", "mosquitto", "MQTT with a password")
    subprocess.run([make, "-b", "-c", passwords, "robot", "let me in"], check=True)
    broker = start_broker("allow_anonymous false", f"password_file {passwords}")
    secret = tmp_path / "secret"
    secret.write_text("let me in\n")
    messages = subscribe(broker, "robot", "let me in")
    lamp = device(broker, username="robot", password_file=str(secret))
    lamp.open()
    lamp.send(ORANGE)
    wait_until(lambda: any(topic == TOPIC for topic, _ in messages), "the command")
    lamp.close()
    secret.write_text("wrong\n")
    with pytest.raises(ConnectionError, match="refuses: Not authorized") as caught:
        lamp.open()
    assert "wrong" not in str(caught.value)
    lamp.close()


def test_tls_is_spoken_and_an_unknown_certificate_refused(
    start_broker, subscribe, program, tmp_path, wait_until
):
    openssl = program("openssl", "openssl", "MQTT over TLS")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    broker = start_broker("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")
    messages = subscribe(broker, ca_file=str(certificate))
    lamp = device(broker, host="localhost", tls=True, ca_file=str(certificate))
    lamp.open()
    lamp.send(ORANGE)
    wait_until(lambda: any(topic == TOPIC for topic, _ in messages), "the command")
    lamp.close()
    distrustful = device(broker, host="localhost", tls=True)
    with pytest.raises(OSError, match="(?i)certificate"):
        distrustful.open()
    distrustful.close()


def test_a_broker_that_freezes_or_restarts_is_noticed_and_the_color_comes_back(
    start_broker, subscribe, wait_until
):
    broker = start_broker()
    worker = DeviceWorker(device(broker, refresh_s=0.1), lambda name, status: None)
    worker.start()
    worker.post(ORANGE)
    wait_until(lambda: worker.status().phase is DevicePhase.CONNECTED, "the broker")
    broker.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: worker.status().phase is DevicePhase.LOST, "the freeze to be noticed")
    assert "does not answer" in worker.status().reason
    broker.process.send_signal(signal.SIGCONT)
    wait_until(lambda: worker.status().phase is DevicePhase.CONNECTED, "the thaw")
    broker.stop()
    wait_until(lambda: worker.status().phase is DevicePhase.LOST, "the end to be noticed")
    broker.start()
    messages = subscribe(broker)
    wait_until(lambda: any(topic == TOPIC for topic, _ in messages), "the color after a restart")
    # The worker counts once it has heard that the broker took the color.
    wait_until(lambda: worker.status().recoveries == 2, "both recoveries to be counted")
    worker.request_stop(SWITCHED_OFF)
    assert worker.join(10.0)
    wait_until(lambda: (TOPIC, '{"state": "OFF"}') in messages, "darkness at the end")


@pytest.mark.parametrize("topic", ["", "zigbee2mqtt/+/set", "#"])
def test_a_topic_must_be_one_topic(topic):
    with pytest.raises(ConfigError, match=r"device\.lamp\.topic: expected a topic without wild"):
        build_config(MqttConfig, {"topic": topic}, "device.lamp")
