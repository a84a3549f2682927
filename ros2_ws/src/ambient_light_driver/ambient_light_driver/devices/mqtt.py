# SPDX-License-Identifier: Apache-2.0
"""Lamps behind an MQTT broker: Home Assistant's JSON light schema and zigbee2mqtt."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.light_device import (
    DeviceConfig,
    DeviceUnavailableError,
    LightDevice,
)
from ambient_light_driver.devices.optional_library import load_library
from ambient_light_driver.devices.secret import read_secret
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, option

LIBRARY = "'paho-mqtt>=2'"
ANSWER_TIMEOUT_S = 1.0
FULL_BRIGHTNESS = {"home_assistant": 255, "zigbee2mqtt": 254}
"""Schema -> number that stands for full brightness."""


@dataclass(frozen=True, kw_only=True)
class MqttConfig(DeviceConfig):
    """Options of :class:`MqttDevice`."""

    max_rate_hz: float = option(
        10.0, "Most messages per second; radio lamps take few.", minimum=0.1, maximum=100.0
    )
    refresh_s: float = option(
        1.0, "Time after which an unchanged colour is sent again [s].", minimum=0.05, maximum=3600
    )
    host: str = option("127.0.0.1", "Name or IP address of the broker.")
    mqtt_port: int = option(1883, "TCP port of the broker.", minimum=1, maximum=65535)
    topic: str = option("", "Command topic of the lamp, for example zigbee2mqtt/lamp/set.")
    schema: str = option(
        "home_assistant",
        "Form of the command; they differ in the number for full brightness.",
        choices=tuple(FULL_BRIGHTNESS),
    )
    transition_s: float = option(
        0.1, "Time in which the lamp is to fade to a new colour [s].", minimum=0.0, maximum=10.0
    )
    qos: int = option(1, "MQTT quality of service of the commands.", minimum=0, maximum=2)
    retain: bool = option(False, "Let the broker keep the last command for lamps that come late.")
    availability_topic: str = option(
        "ambient_light/availability",
        "Where online and offline are published, retained, also as last will; empty for none.",
    )
    client_id: str = option("", "MQTT client id; empty takes a random one.")
    username: str = option("", "User name; empty for none.")
    password_file: str = option("", "File whose first line is the password.")
    password_env: str = option("", "Environment variable that holds the password.")
    tls: bool = option(False, "Encrypt, and check the broker's certificate.")
    ca_file: str = option("", "Certificate authority's file; empty takes the system's.")

    def __post_init__(self) -> None:
        """Check the topic."""
        if not self.topic or "#" in self.topic or "+" in self.topic:
            raise ConfigError(f"topic: expected a topic without wildcards, got {self.topic!r}")


class MqttDevice(LightDevice[MqttConfig]):
    """Publishes one command for each colour and waits until the broker has it."""

    config_type = MqttConfig

    def __init__(self, name: str, config: MqttConfig) -> None:
        super().__init__(name, config)
        self._client: Any = None
        self._answered = threading.Event()
        self._refusal = ""

    def open(self) -> None:
        """Connect to the broker.

        :raises Exception: when it cannot be reached or refuses.
        """
        config = self.config
        mqtt = load_library("paho.mqtt.client", LIBRARY)
        if not hasattr(mqtt, "CallbackAPIVersion"):
            raise DeviceUnavailableError(f"paho-mqtt is older than 2: pip install {LIBRARY}")
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=config.client_id)
        self._client.connect_timeout = ANSWER_TIMEOUT_S
        self._client.on_connect = self._on_connect
        if config.username:
            password = read_secret(config.password_file, config.password_env)
            self._client.username_pw_set(config.username, password)
        if config.tls:
            self._client.tls_set(ca_certs=config.ca_file or None)
        if config.availability_topic:
            self._client.will_set(config.availability_topic, "offline", qos=1, retain=True)
        self._answered.clear()
        self._client.connect(config.host, config.mqtt_port, keepalive=5)
        self._client.loop_start()
        if not self._answered.wait(ANSWER_TIMEOUT_S):
            raise TimeoutError(f"{self._broker()} accepts and does not answer")
        if self._refusal:
            raise ConnectionError(f"{self._broker()} refuses: {self._refusal}")
        if config.availability_topic:
            self._publish(config.availability_topic, "online", retain=True)

    def send(self, state: LightState) -> None:
        """Publish the colour as a command to the lamp."""
        command = light_command(state.color, self.config)
        self._publish(self.config.topic, json.dumps(command), retain=self.config.retain)

    def close(self) -> None:
        """Say that no more commands will come, and disconnect."""
        client, self._client = self._client, None
        if client is None:
            return
        if client.is_connected() and self.config.availability_topic:
            client.publish(self.config.availability_topic, "offline", qos=1, retain=True)
        client.disconnect()
        client.loop_stop()

    def _on_connect(
        self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        self._refusal = str(reason) if reason.is_failure else ""
        self._answered.set()

    def _publish(self, topic: str, payload: str, retain: bool) -> None:
        if self._client is None or not self._client.is_connected():
            raise ConnectionError(f"{self._broker()} has closed the connection")
        message = self._client.publish(topic, payload, qos=self.config.qos, retain=retain)
        message.wait_for_publish(ANSWER_TIMEOUT_S)
        if not message.is_published():
            raise TimeoutError(f"{self._broker()} does not answer")

    def _broker(self) -> str:
        return f"broker {self.config.host}:{self.config.mqtt_port}"


def light_command(color: LightColor, config: MqttConfig) -> dict[str, object]:
    """Return the JSON command that shows ``color``.

    Zigbee lamps take only hue and saturation from the colour: it is sent at its brightest.
    """
    shown = color.normalized()
    brightness = round(shown.brightness * FULL_BRIGHTNESS[config.schema])
    if brightness == 0:
        return {"state": "OFF"}
    red, green, blue = (round(255.0 * value) for value in shown.rgb)
    return {
        "state": "ON",
        "brightness": brightness,
        "color": {"r": red, "g": green, "b": blue},
        "transition": config.transition_s,
    }
