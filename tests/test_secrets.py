# SPDX-License-Identifier: Apache-2.0
"""Secrets do not appear in logs, messages, parameters or command lines."""

import http.client
import re
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Log
from rcl_interfaces.srv import GetParameters, ListParameters

HUE_KEY = "hue-key-0123456789abcdefghij"
PASSWORD = "mqtt-password-of-the-broker"
TOKEN = "dashboard-token-0123456789"
NOWHERE = 9  # the port 'discard', without a listener


@pytest.fixture
def secret(tmp_path):
    def write(name, text):
        file = tmp_path / name
        file.write_text(text + "\n")
        return str(file)

    return write


def test_the_light_shows_none_of_its_secrets(start_node, peer, secret):
    logs = peer.collect(Log, "/rosout", 100)
    health = peer.collect(DiagnosticArray, "/diagnostics", 10)
    light = start_node(
        "ambient_light_driver",
        "light_node",
        "ambient_light",
        parameters={
            "devices": ["hue", "mqtt"],
            "device.hue.host": "127.0.0.1",
            "device.hue.https_port": NOWHERE,
            "device.hue.light_id": "00000000-0000-0000-0000-000000000000",
            "device.hue.verify": False,
            "device.hue.key_file": secret("key", HUE_KEY),
            "device.mqtt.topic": "lamp/set",
            "device.mqtt.mqtt_port": NOWHERE,
            "device.mqtt.username": "robot",
            "device.mqtt.password_env": "LAMP_PASSWORD",
        },
        variables={"LAMP_PASSWORD": PASSWORD},
        ros_arguments=("--log-level", "debug"),
    )
    peer.wait_until(
        lambda: all(f"device {n}: " in light.output for n in ("hue", "mqtt")),
        "both losses",
        nodes=(light.node,),
    )
    peer.wait_until(
        lambda: any("mqtt" in s.name for m in health for s in m.status), "the lamps' health"
    )
    listing = peer.node.create_client(ListParameters, "/ambient_light/list_parameters")
    names = peer.call(listing, ListParameters.Request()).result.names
    reading = peer.node.create_client(GetParameters, "/ambient_light/get_parameters")
    values = peer.call(reading, GetParameters.Request(names=names)).values
    commands = Path(f"/proc/{light.pid}/cmdline").read_bytes().decode()
    shown = "\n".join([light.output, str(logs), str(health), str(values), commands])
    assert "device.mqtt.username" in commands
    for word in (HUE_KEY, PASSWORD):
        assert word not in shown


def test_the_dashboard_shows_no_token_right_or_wrong(start_node, peer, secret):
    page = start_node(
        "fer_bringup",
        "dashboard",
        "dashboard",
        arguments=("--port", "0", "--token-file", secret("token", TOKEN)),
        ros_arguments=("--log-level", "debug"),
    )
    address = re.compile(r"dashboard: http://127\.0\.0\.1:(\d+)")
    peer.wait_until(lambda: address.search(page.output), "the address", nodes=(page.node,))
    port = int(address.search(page.output).group(1))
    bodies = []
    for token in (TOKEN, TOKEN[:-1], TOKEN + "x"):
        for headers in ({}, {"Cookie": f"fer_dashboard_token={token}"}):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/" if headers else f"/?token={token}", headers=headers)
            answer = connection.getresponse()
            bodies.append((answer.status, answer.read().decode()))
            connection.close()
    assert [status for status, _ in bodies] == [303, 200, 401, 401, 401, 401]
    assert page.stop() == 0
    for text in (page.output, *(body for _, body in bodies)):
        assert TOKEN[:-1] not in text
