# SPDX-License-Identifier: Apache-2.0
"""Lamps behind an MQTT broker, such as zigbee2mqtt, ESPHome and Tasmota."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ambient_light_driver.devices.claims import Claim, network_resource
from ambient_light_driver.devices.home_assistant import Announcement, topic_word
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.devices.manual_off import ManualOff
from ambient_light_driver.devices.mqtt_connection import Broker, MqttConnection
from ambient_light_driver.devices.mqtt_schema import SCHEMAS, Command, LampSchema
from ambient_light_driver.devices.secret import read_secret
from ambient_light_driver.light_state import LightState
from fer_common.options import ConfigError, option

LAMP = "{lamp}"
"""Placeholder of the command topic in the availability topic."""

ANNOUNCED_EVERY_S = 1.0
"""Minimum interval of colours for Home Assistant, to limit its history [s]."""


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
    topic: str = option(
        "",
        "Command topic of the lamp, for example zigbee2mqtt/lamp/set; of Tasmota cmnd/lamp.",
    )
    schema: str = option(
        "home_assistant", "Form of the commands, by the lamp's firmware.", choices=tuple(SCHEMAS)
    )
    effect: str = option(
        "",
        "Name of the state without an effect, sent once to end a running one, for "
        "example solid for ESPixelStick; ESPHome and Tasmota need no name.",
    )
    qos: int = option(
        1, "MQTT quality of service of the commands; 0 could bring old ones.", minimum=1, maximum=2
    )
    retain: bool = option(
        False, "Let the broker keep the last command for lamps that connect later."
    )
    respect_manual_off: bool = option(
        False, "Leave a lamp off that a person has switched off, until it is switched on again."
    )
    state_topic: str = option(
        "",
        "Where the lamp reports its state, for respect_manual_off; empty takes the firmware's "
        "usual one beside topic.",
    )
    availability_topic: str = option(
        f"ambient_light/{LAMP}/availability",
        "Where online and offline are published, retained, also as last will; {lamp} stands for "
        "topic with _ for /. Empty for none.",
    )
    discovery_prefix: str = option(
        "",
        "Home Assistant's discovery prefix, usually homeassistant: the lamp appears there as a "
        "light, with a sensor of the apparent expression. Empty announces nothing.",
    )
    client_id: str = option("", "MQTT client id; empty takes a random one.")
    username: str = option("", "User name; empty for none.")
    password_file: str = option("", "File whose first line is the password.")
    password_env: str = option("", "Environment variable that holds the password.")
    tls: bool = option(False, "Encrypt, and check the broker's certificate.")
    ca_file: str = option("", "Certificate authority's file; empty takes the system's.")

    def __post_init__(self) -> None:
        """Check the topics."""
        if not self.topic or "#" in self.topic or "+" in self.topic:
            raise ConfigError(f"topic: expected a topic without wildcards, got {self.topic!r}")
        if self.respect_manual_off and not self.reports_topic:
            raise ConfigError(
                "state_topic: expected the topic where the lamp reports its state, since "
                "respect_manual_off is true, got ''"
            )

    @property
    def lamp_schema(self) -> LampSchema:
        """Form of the commands."""
        return SCHEMAS[self.schema]

    @property
    def reports_topic(self) -> str:
        """Topic of the lamp's state reports; empty if unknown."""
        return self.state_topic or self.lamp_schema.state_topic(self.topic)

    @property
    def own_availability_topic(self) -> str:
        """Topic of online and offline for this lamp; may be empty."""
        return self.availability_topic.replace(LAMP, topic_word(self.topic))

    @property
    def broker(self) -> Broker:
        """Connection settings of the broker."""
        return Broker(
            self.host,
            self.mqtt_port,
            self.client_id,
            self.username,
            self.tls,
            self.ca_file,
            self.own_availability_topic,
        )

    def claims(self) -> tuple[Claim, ...]:
        """Return the topics reserved for this lamp's driver."""
        topics = [self.topic, self.own_availability_topic]
        return tuple(
            Claim(network_resource("mqtt", self.host, self.mqtt_port, topic))
            for topic in topics
            if topic
        )


class MqttDevice(LightDevice[MqttConfig]):
    """Publish a command and wait until the broker has it."""

    config_type = MqttConfig

    def __init__(self, name: str, config: MqttConfig) -> None:
        super().__init__(name, config)
        self._connection: MqttConnection | None = None
        self._manual_off = ManualOff(config.respect_manual_off)
        self._announcement = Announcement(
            config.discovery_prefix,
            name,
            config.topic,
            config.schema,
            config.own_availability_topic,
        )
        self._announced: dict[str, str] = {}
        self._announced_s = 0.0

    @property
    def remark(self) -> str:
        """Whether the lamp was switched off by hand."""
        return self._manual_off.remark

    def open(self) -> None:
        """Connect to the broker and end the lamp's effects.

        :raises Exception: when it cannot be reached or refuses.
        """
        config = self.config
        password = ""  # nosec B105: none
        if config.username:
            password = read_secret(config.password_file, config.password_env)
        self._connection = MqttConnection(config.broker, password, self._on_report)
        self._connection.open()
        if config.respect_manual_off:
            self._connection.subscribe(config.reports_topic)
            # Changes while disconnected were not received.
            if question := config.lamp_schema.question(config.topic):
                self._publish(*question, retain=False)
        if config.own_availability_topic:
            self._publish(config.own_availability_topic, "online", retain=True)
        if config.discovery_prefix:
            for topic, payload in self._announcement.configurations().items():
                self._publish(topic, payload, retain=True)
        for command in config.lamp_schema.takeover(config.effect):
            self._command(command, retain=False)
        self._announced = {}

    def send(self, state: LightState) -> None:
        """Publish the colour as a command to the lamp.

        :raises Exception: when the broker does not accept it in time.
        """
        if not self._manual_off.holds(state):
            command = self.config.lamp_schema.show(state.color)
            self._command(command, retain=self.config.retain)
            self._manual_off.sent(state)
        if self.config.discovery_prefix:
            self._announce(state)

    def close(self) -> None:
        """Publish offline and disconnect."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _announce(self, state: LightState) -> None:
        messages = self._announcement.messages(state)
        topic = self._announcement.expression_topic
        is_urgent = messages[topic] != self._announced.get(topic)
        if messages == self._announced:
            return
        if is_urgent or time.monotonic() - self._announced_s >= ANNOUNCED_EVERY_S:
            for topic, payload in messages.items():
                self._publish(topic, payload, retain=True)
            self._announced, self._announced_s = messages, time.monotonic()

    def _on_report(self, payload: bytes, retained: bool) -> None:
        """Record a report of the lamp; runs in the connection's thread."""
        is_on = self.config.lamp_schema.reported_on(payload)
        # A retained report may be older than our last command.
        if is_on is not None and (is_on or not retained):
            self._manual_off.reported(is_on, is_new=False)

    def _command(self, command: Command, retain: bool) -> None:
        self._publish(self.config.topic + command.suffix, command.payload, retain)

    def _publish(self, topic: str, payload: str, retain: bool) -> None:
        if self._connection is None:
            raise ConnectionError("not open")
        self._connection.publish(topic, payload, self.config.qos, retain)
