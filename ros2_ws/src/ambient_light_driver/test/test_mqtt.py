# SPDX-License-Identifier: Apache-2.0
"""MQTT lamps against a real mosquitto."""

import json
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.claims import overlaps_within
from ambient_light_driver.devices.device_worker import DevicePhase, DeviceWorker
from ambient_light_driver.devices.hue import light_command as hue_command
from ambient_light_driver.devices.manual_off import SETTLE_S
from ambient_light_driver.devices.mqtt import MqttConfig, MqttDevice
from ambient_light_driver.devices.mqtt_connection import Broker, MqttConnection
from ambient_light_driver.devices.mqtt_schema import SCHEMAS, Command
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.options import ConfigError, build_config

mqtt = pytest.importorskip("paho.mqtt.client", reason="no paho-mqtt: MQTT was not tested")

ORANGE = LightState(LightColor(1.0, 0.5, 0.0, 0.5), "happiness")
TOPIC = "zigbee2mqtt/lamp/set"
AVAILABILITY = "ambient_light/zigbee2mqtt_lamp_set/availability"
COMMAND = {
    "state": "ON",
    "brightness": 188,  # sRGB of half the light
    "color": {"r": 255, "g": 128, "b": 0},
    "transition": 0,
}
DARK = {"state": "OFF", "transition": 0}


def new_client():
    """Return a client of whichever paho-mqtt is installed."""
    version = getattr(mqtt, "CallbackAPIVersion", None)
    return mqtt.Client(version.VERSION2) if version else mqtt.Client()


@pytest.fixture
def subscribe(wait_until):
    """Subscribe to everything; return the list that messages are put into."""
    clients = []

    def start(broker, username=None, password=None, ca_file=None):
        messages = []
        client = new_client()
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
    options = {"mqtt_port": broker.port, "topic": TOPIC} | options
    return MqttDevice("mqtt", MqttConfig(**options))


def shown(schema, color):
    return json.loads(SCHEMAS[schema].show(color).payload)


def test_a_command_holds_state_brightness_color_and_no_fade():
    assert shown("home_assistant", ORANGE.color) == COMMAND
    assert shown("zigbee2mqtt", LightColor(1.0, 1.0, 1.0, 1.0))["brightness"] == 254
    assert shown("home_assistant", SWITCHED_OFF.color) == DARK


def test_a_dark_color_is_sent_as_a_bright_one_that_is_dimmed():
    """A Zigbee lamp, which takes hue and saturation only, would show it at full power."""
    grey = shown("home_assistant", LightColor(0.5, 0.5, 0.5, 1.0))
    assert grey["color"] == {"r": 255, "g": 255, "b": 255}
    assert grey["brightness"] == 128
    assert shown("home_assistant", LightColor(0.001, 0.0, 0.0, 1.0)) == DARK


@pytest.mark.parametrize("brightness", [0.01, 0.1, 0.25, 0.5, 1.0])
def test_the_same_lamp_gets_the_same_level_by_zigbee2mqtt_and_by_hue(brightness):
    color = LightColor(1.0, 0.6, 0.2, brightness)
    hue = hue_command(color)["dimming"]["brightness"]
    assert shown("zigbee2mqtt", color)["brightness"] / 2.54 == pytest.approx(hue, abs=0.3)


def test_esphome_ends_its_effect_first_and_gets_a_whole_number_as_transition():
    """It ignores 0.0, and any transition in a command with an effect: it then fades for 1 s."""
    schema = SCHEMAS["esphome"]
    assert schema.takeover("") == [Command('{"effect": "None"}')]
    command = shown("esphome", ORANGE.color)
    assert type(command["transition"]) is int and "effect" not in command


def test_tasmota_gets_its_own_commands():
    schema = SCHEMAS["tasmota"]
    assert schema.takeover("") == [Command("0", "/Fade")]
    assert schema.show(LightColor(1.0, 0.5, 0.0, 1.0)) == Command("FF8000", "/Color")
    assert schema.show(SWITCHED_OFF.color) == Command("OFF", "/Power")
    assert schema.state_topic("cmnd/desk") == "stat/desk/RESULT"
    assert schema.reported_on(b'{"POWER":"OFF"}') is False
    assert schema.reported_on(b'{"Color":"FF8000"}') is None


def test_the_broker_gets_commands_and_availability(start_broker, subscribe, wait_until):
    broker = start_broker()
    messages = subscribe(broker)
    lamp = device(broker, effect="solid")
    lamp.open()
    lamp.send(ORANGE)
    lamp.send(SWITCHED_OFF)
    lamp.close()
    wait_until(lambda: len(messages) >= 5, "all messages")
    assert messages[0] == (AVAILABILITY, "online")
    assert messages[1] == (TOPIC, '{"effect": "solid"}')
    assert (messages[2][0], json.loads(messages[2][1])) == (TOPIC, COMMAND)
    assert (messages[3][0], json.loads(messages[3][1])) == (TOPIC, DARK)
    assert messages[4] == (AVAILABILITY, "offline")


def test_each_lamp_has_an_availability_of_its_own(start_broker, subscribe, wait_until):
    """With a common one the last lamp's 'offline' stood while the other was driven."""
    broker = start_broker()
    first, second = device(broker, topic="a/set"), device(broker, topic="b/set")
    messages = subscribe(broker)
    first.open()
    second.open()
    second.close()
    wait_until(lambda: ("ambient_light/b_set/availability", "offline") in messages, "the end of b")
    assert ("ambient_light/a_set/availability", "offline") not in messages
    first.close()
    shared = [MqttConfig(topic=topic, availability_topic="mine") for topic in ("a/set", "b/set")]
    assert overlaps_within({"a": shared[0].claims(), "b": shared[1].claims()}).keys() == {"b"}


def test_tasmota_is_driven_below_its_topic(start_broker, subscribe, wait_until):
    broker = start_broker()
    messages = subscribe(broker)
    lamp = device(broker, topic="cmnd/desk", schema="tasmota", availability_topic="")
    lamp.open()
    lamp.send(LightState(LightColor(0.0, 0.0, 1.0, 1.0), "sadness"))
    lamp.close()
    wait_until(lambda: len(messages) >= 2, "the commands")
    assert messages == [
        ("cmnd/desk/Fade", "0"),
        ("cmnd/desk/Color", "0000FF"),
    ]


def test_a_lamp_switched_off_by_hand_stays_off_until_it_is_switched_on(
    start_broker, subscribe, wait_until, monkeypatch
):
    broker = start_broker()
    messages = subscribe(broker)
    lamp = device(broker, schema="zigbee2mqtt", respect_manual_off=True)
    bulb = new_client()
    bulb.connect("localhost", broker.port)
    bulb.loop_start()
    lamp.open()
    lamp.send(ORANGE)
    monkeypatch.setattr("ambient_light_driver.devices.manual_off.SETTLE_S", -SETTLE_S)
    bulb.publish("zigbee2mqtt/lamp", '{"state": "OFF", "brightness": 188}', qos=1)
    wait_until(lambda: lamp.remark, "the report")
    lamp.send(ORANGE)
    bulb.publish("zigbee2mqtt/lamp", '{"state": "ON"}', qos=1)
    wait_until(lambda: not lamp.remark, "the other report")
    commands = [topic for topic, _ in messages].count(TOPIC)
    assert commands == 1
    lamp.send(ORANGE)
    wait_until(lambda: [topic for topic, _ in messages].count(TOPIC) == 2, "light again")
    lamp.close()
    # Switched off while disconnected: the state is requested.
    bulb.on_message = lambda client, *_: client.publish("zigbee2mqtt/lamp", '{"state": "OFF"}')
    bulb.subscribe("zigbee2mqtt/lamp/get", qos=1)
    lamp.open()
    wait_until(lambda: lamp.remark, "the answer")
    lamp.close()
    bulb.disconnect()
    bulb.loop_stop()


@pytest.mark.parametrize("schema", ["zigbee2mqtt", "tasmota"])
def test_home_assistant_discovers_a_light_and_a_sensor(
    start_broker, subscribe, wait_until, schema
):
    broker = start_broker()
    messages = subscribe(broker)
    topic = {"zigbee2mqtt": TOPIC, "tasmota": "cmnd/desk"}[schema]
    lamp = device(broker, topic=topic, schema=schema, discovery_prefix="homeassistant")
    lamp.open()
    lamp.send(ORANGE)
    lamp.close()
    wait_until(lambda: any(payload == "offline" for _, payload in messages), "the end")
    found = dict(messages)
    lamp_word = topic.replace("/", "_")
    light, sensor = (
        json.loads(found[f"homeassistant/{kind}/ambient_light_{lamp_word}/config"])
        for kind in ("light", "sensor")
    )
    assert light["device"] == sensor["device"] and light["unique_id"] != sensor["unique_id"]
    assert light["command_topic"].startswith(topic)
    assert sensor["availability_topic"] in found
    assert found[sensor["state_topic"]] == "happiness"
    state = json.loads(found[light["state_topic"]])
    assert (state["state"], state["brightness"], state["color"]["r"]) == ("ON", 188, 255)


def test_nothing_is_announced_unless_it_is_asked_for(start_broker, subscribe, wait_until):
    broker = start_broker()
    messages = subscribe(broker)
    lamp = device(broker)
    lamp.open()
    lamp.send(ORANGE)
    lamp.close()
    wait_until(lambda: (AVAILABILITY, "offline") in messages, "the end")
    assert {topic for topic, _ in messages} == {AVAILABILITY, TOPIC}
    assert not any("happiness" in payload for _, payload in messages)


def test_the_last_will_tells_that_the_driver_has_died(start_broker, subscribe, wait_until):
    broker = start_broker()
    messages = subscribe(broker)
    driver = f"""
import os
from ambient_light_driver.devices.mqtt import MqttConfig, MqttDevice
MqttDevice("mqtt", MqttConfig(mqtt_port={broker.port}, topic={TOPIC!r})).open()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", driver], check=True)
    wait_until(lambda: (AVAILABILITY, "offline") in messages, "the last will")


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
    with pytest.raises(ConnectionError, match="refuses: .*(?i:not authori[sz]ed)") as caught:
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
    wait_until(lambda: (TOPIC, json.dumps(DARK)) in messages, "darkness at the end")


def test_a_restarted_broker_hears_again_that_a_resting_lamp_is_driven(
    start_broker, subscribe, wait_until
):
    """MQTT's library came back by itself, to a broker that had forgotten what was retained."""
    broker = start_broker()
    worker = DeviceWorker(device(broker, refresh_s=4.0), lambda name, status: None)
    worker.start()
    worker.post(ORANGE)
    wait_until(lambda: worker.status().sent, "the color")
    broker.stop()
    broker.start()
    messages = subscribe(broker)
    wait_until(lambda: (AVAILABILITY, "online") in messages, "the availability")
    worker.request_stop(SWITCHED_OFF)
    assert worker.join(10.0)


def test_a_broker_that_was_frozen_gets_no_queue_of_old_colors(start_broker, subscribe, wait_until):
    broker = start_broker()
    messages = subscribe(broker)
    worker = DeviceWorker(device(broker, refresh_s=0.1), lambda name, status: None)
    worker.start()
    worker.post(ORANGE)
    wait_until(lambda: worker.status().phase is DevicePhase.CONNECTED, "the broker")
    broker.process.send_signal(signal.SIGSTOP)
    before = len([1 for topic, _ in messages if topic == TOPIC])
    i = 0

    def lost():
        nonlocal i
        i += 1
        worker.post(LightState(LightColor(1.0, 1.0, 1.0, i % 200 / 200.0), "neutral"))
        return worker.status().failures >= 2

    wait_until(lost, "the freeze to be noticed twice")
    last = LightState(LightColor(0.0, 0.0, 1.0, 1.0), "sadness")
    worker.post(last)
    broker.process.send_signal(signal.SIGCONT)
    wait_until(
        lambda: messages and '"b": 255' in messages[-1][1] and messages[-1][0] == TOPIC, "it"
    )
    late = [p for topic, p in messages if topic == TOPIC][before:]
    wrong = [p for p in late if '"r": 255, "g": 255' in p]
    assert len(wrong) <= 1, "the one in flight may come late, no other"
    worker.request_stop(SWITCHED_OFF)
    assert worker.join(10.0)


def test_both_apis_of_paho_are_spoken(monkeypatch, start_broker):
    """Ubuntu 24.04 has 1.6, without CallbackAPIVersion and with numbers for reasons."""
    made = []
    version = getattr(mqtt, "CallbackAPIVersion", None)
    if version is None:
        pytest.skip("paho-mqtt 1 is installed, which all other tests of this file use")

    class OldClient(mqtt.Client):
        def __init__(self, client_id="", clean_session=None, reconnect_on_failure=True):
            made.append(client_id)
            super().__init__(
                version.VERSION1, client_id=client_id, reconnect_on_failure=reconnect_on_failure
            )

    old = SimpleNamespace(Client=OldClient, connack_string=mqtt.connack_string)
    place = "ambient_light_driver.devices.mqtt_connection.load_library"
    monkeypatch.setattr(place, lambda *_: old)

    def connection(port):
        return MqttConnection(Broker("127.0.0.1", port, "robot"), "", lambda *_: None)

    accepted = connection(start_broker().port)
    accepted.open()
    accepted.publish(TOPIC, "on", 1, False)
    accepted.close()
    refused = connection(start_broker("allow_anonymous false").port)
    with pytest.raises(ConnectionError, match="refuses: .*not authorised"):
        refused.open()
    refused.close()
    assert made == ["robot", "robot"]


def test_a_lamp_that_does_not_report_cannot_be_respected():
    values = {"topic": "porch/command", "respect_manual_off": True}
    with pytest.raises(ConfigError, match=r"lamp\.state_topic: expected the topic where the lamp"):
        build_config(MqttConfig, values, "device.lamp")
    assert build_config(MqttConfig, values | {"state_topic": "porch"}, "device.lamp")
    esphome = MqttConfig(topic="porch/light/x/command", schema="esphome", respect_manual_off=True)
    assert esphome.reports_topic == "porch/light/x/state"


@pytest.mark.parametrize("topic", ["", "zigbee2mqtt/+/set", "#"])
def test_a_topic_must_be_one_topic(topic):
    with pytest.raises(ConfigError, match=r"device\.lamp\.topic: expected a topic without wild"):
        build_config(MqttConfig, {"topic": topic}, "device.lamp")
