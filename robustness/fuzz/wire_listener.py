# SPDX-License-Identifier: Apache-2.0
"""Killable process at the lamp's end of a network link.

``python -m robustness.fuzz.wire_listener KIND PORT`` prints a line for each message: the monotonic
time of its arrival [s], its topic (MQTT) or a dash, and its bytes in hexadecimal.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from random import Random
from typing import Any

LATE_S = 1.3
"""A late lamp obeys after this time, when the light has given the command up [s]."""

_LATE_SHARE = 0.1


def _tell(topic: str, data: bytes) -> None:
    print(f"{time.monotonic():.6f} {topic} {data.hex()}", flush=True)


def listen_to_udp(port: int) -> None:
    """Print each packet, such as one of DDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.bind(("127.0.0.1", port))
        while True:
            _tell("-", receiver.recv(65536))


def listen_to_mqtt(port: int) -> None:
    """Subscribe everything and print each message; outlives the broker."""
    import paho.mqtt.client as mqtt

    client: Any
    if hasattr(mqtt, "CallbackAPIVersion"):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    else:
        client = mqtt.Client()
    client.on_message = lambda _client, _data, message: _tell(message.topic, message.payload)
    client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", port)
    client.loop_forever()


class _Wled(BaseHTTPRequestHandler):
    """WLED's JSON interface, as far as a light needs it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Print a state and accept it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        _tell("-", body)
        self._answer({"success": True})

    def do_GET(self) -> None:
        """Answer that the lamp is on."""
        self._answer({"on": True, "seg": [{"id": 0, "on": True}]})

    def _answer(self, body: dict[str, object]) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_args: object) -> None:
        """Print no log, which would stand between the messages."""


def listen_to_wled(port: int) -> None:
    """Serve WLED's JSON interface and print each state."""
    HTTPServer(("127.0.0.1", port), _Wled).serve_forever()


class _LateWled(_Wled):
    """WLED's JSON interface that sometimes executes commands after the client's timeout."""

    rng = Random(0)

    def do_POST(self) -> None:
        """Print a state, perhaps late, and accept it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.rng.random() < _LATE_SHARE:
            time.sleep(LATE_S)
        _tell("-", body)
        with contextlib.suppress(OSError):  # the client has given up
            self._answer({"success": True})


def listen_to_late_wled(port: int) -> None:
    """Serve WLED's JSON interface like one whose commands overtake each other."""
    ThreadingHTTPServer(("127.0.0.1", port), _LateWled).serve_forever()


KINDS = {
    "udp": listen_to_udp,
    "mqtt": listen_to_mqtt,
    "wled": listen_to_wled,
    "late_wled": listen_to_late_wled,
}

if __name__ == "__main__":
    KINDS[sys.argv[1]](int(sys.argv[2]))
