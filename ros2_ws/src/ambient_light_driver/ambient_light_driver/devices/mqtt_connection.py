# SPDX-License-Identifier: Apache-2.0
"""A connection to an MQTT broker, with one message in flight."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ambient_light_driver.devices.network import ANSWER_TIMEOUT_S, discard_queued
from ambient_light_driver.devices.optional_library import load_library

KEEPALIVE_S = 5


@dataclass(frozen=True)
class Broker:
    """Connection settings of a broker.

    :param host: name or IP address.
    :param client_id: empty takes a random one.
    :param username: empty for none.
    :param ca_file: certificate authority's file; empty takes the system's.
    :param last_will_topic: where the broker publishes ``offline`` after a lost connection; empty
        for none.
    """

    host: str
    port: int
    client_id: str = ""
    username: str = ""
    tls: bool = False
    ca_file: str = ""
    last_will_topic: str = ""

    def __str__(self) -> str:
        """Return the broker's name for errors."""
        return f"broker {self.host}:{self.port}"


class MqttConnection:
    """Publish messages, each confirmed by the broker.

    Supports paho-mqtt 1.6 (Ubuntu 24.04) and 2.

    :param on_message: called in another thread with payload and its retained flag.
    """

    def __init__(
        self, broker: Broker, password: str, on_message: Callable[[bytes, bool], None]
    ) -> None:
        self._broker = broker
        self._answered = threading.Event()
        self._refusal = ""
        self._failed = False
        mqtt = load_library("paho.mqtt.client", "python3-paho-mqtt", "paho-mqtt")
        self._connack_text: Callable[[int], str] = mqtt.connack_string
        # By itself the library would come back without the availability and the announcements that
        # a restarted broker has forgotten, and send an old message again.
        options = {"client_id": broker.client_id, "reconnect_on_failure": False}
        if hasattr(mqtt, "CallbackAPIVersion"):
            options["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION2
        self._client = mqtt.Client(**options)
        # Not connect_timeout, which paho-mqtt 1.6 does not have.
        self._client._connect_timeout = ANSWER_TIMEOUT_S
        self._client.on_connect = self._on_connect
        self._client.on_message = lambda client, data, message: on_message(
            message.payload, bool(message.retain)
        )
        if broker.username:
            self._client.username_pw_set(broker.username, password)
        if broker.tls:
            self._client.tls_set(ca_certs=broker.ca_file or None)
        if broker.last_will_topic:
            self._client.will_set(broker.last_will_topic, "offline", qos=1, retain=True)

    def open(self) -> None:
        """Connect.

        :raises Exception: when the broker cannot be reached or refuses.
        """
        self._client.connect(self._broker.host, self._broker.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()
        if not self._answered.wait(ANSWER_TIMEOUT_S):
            self._failed = True
            raise TimeoutError(f"{self._broker} accepts the connection but does not answer")
        if self._refusal:
            raise ConnectionError(f"{self._broker} refuses: {self._refusal}")

    def publish(self, topic: str, payload: str, qos: int, retain: bool) -> None:
        """Publish and wait for the broker's confirmation.

        :raises Exception: when the broker does not confirm in time.
        """
        if self._failed or not self._client.is_connected():
            raise ConnectionError(f"{self._broker} has closed the connection")
        self._failed = True  # until a response arrives
        message = self._client.publish(topic, payload, qos=qos, retain=retain)
        message.wait_for_publish(ANSWER_TIMEOUT_S)
        if not message.is_published():
            raise TimeoutError(f"{self._broker} does not answer")
        self._failed = False

    def subscribe(self, topic: str) -> None:
        """Subscribe to a topic."""
        self._client.subscribe(topic, qos=1)

    def close(self) -> None:
        """Disconnect and drop an undelivered message."""
        if self._failed:
            connection = self._client.socket()
            discard_queued(connection)
            with contextlib.suppress(AttributeError, OSError):
                connection.shutdown(socket.SHUT_RDWR)
        else:
            if self._client.is_connected() and self._broker.last_will_topic:
                topic = self._broker.last_will_topic
                self._client.publish(topic, "offline", qos=1, retain=True)
            self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: Any, data: Any, flags: Any, reason: Any, properties: Any = None
    ) -> None:
        if isinstance(reason, int):  # paho-mqtt 1.6
            self._refusal = self._connack_text(reason) if reason else ""
        else:
            self._refusal = str(reason) if reason.is_failure else ""
        self._answered.set()
