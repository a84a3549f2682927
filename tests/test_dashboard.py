# SPDX-License-Identifier: Apache-2.0
"""The dashboard with a real graph, in a browser and against intruders."""

import asyncio
import json
import os
import re
import signal
import socket
import urllib.error
import urllib.request
from array import array

import aiohttp
import pytest
from fer_msgs.msg import EmotionArray, EmotionStamped
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from fer_perception.images.frame_source import PortraitSource
from fer_perception.nodes.image_messages import to_image_message

ANNOTATED = "/fer_perception/annotated"
TOKEN = "a-token-of-more-than-16-characters"


@pytest.fixture
def dashboard(start_node, peer):
    """``dashboard(arguments)`` starts it and returns (node, address)."""

    def run(*arguments):
        node = start_node(
            "fer_bringup", "dashboard", "dashboard", arguments=("--port", "0", *arguments)
        )
        peer.wait_until(
            lambda: re.search(r"dashboard: http://\S+:\d+", node.output) or not node.node.running,
            "the dashboard's address",
        )
        match = re.search(r"http://\S+:(\d+)", node.output)
        assert match, node.output
        return node, f"http://127.0.0.1:{match.group(1)}"

    return run


@pytest.fixture
def seen(peer):
    """``seen(emotion_index)`` publishes a face as the emotion node does."""
    publisher = peer.node.create_publisher(EmotionArray, "/fer_perception/emotions", 10)

    def publish(index, face_id="f0007"):
        message = EmotionArray(image_width=640, image_height=480)
        face = EmotionStamped(face_id=face_id, confidence=0.9)
        face.emotion = ["neutral", "happiness", "surprise", "sadness", "anger"][index]
        face.scores[index] = 0.9
        face.scores[6] = 0.1
        message.faces.append(face)
        publisher.publish(message)
        peer.spin(0.05)

    return publish


def status_of(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_page_shows_faces_lamp_and_health_and_changes_the_palette(
    start_node, peer, dashboard, chromium, seen
):
    light = start_node(
        "ambient_light_driver",
        "light_node",
        "ambient_light",
        parameters={"face_dwell_s": 0.0, "emotion_dwell_s": 0.0, "time_constant_s": 0.05},
        remappings=(("emotions", "/fer_perception/emotions"),),
    )
    node, address = dashboard()
    tab = chromium.live(address)
    processes = (light.node, node.node)

    def until(expression, what, emotion=1):
        peer.wait_until(
            lambda: (seen(emotion), tab.evaluate(expression))[1], what, nodes=processes
        )

    until("document.querySelector('.face-id')?.textContent === 'f0007'", "the face's card")
    until("document.querySelector('.face-emotion').textContent === 'happiness'", "its emotion")
    until("document.getElementById('link').textContent === 'live'", "the badge")
    until("document.querySelectorAll('#health .ok').length >= 2", "the light's health")
    # The colour of happiness in the palette 'default': orange, less green than red, less blue.
    until(
        "(([r, g, b]) => r > 200 && g < 0.85 * r && b < 0.5 * g)"
        "(document.getElementById('lamp-hex').textContent.match(/[0-9a-f]{2}/g)"
        "?.map((digits) => parseInt(digits, 16)) ?? [0, 0, 0])",
        "the lamp's orange",
    )
    before = tab.evaluate("document.getElementById('lamp-hex').textContent")
    until("!document.getElementById('lamp-controls').hidden", "the controls")
    tab.evaluate("document.querySelector('#palettes [value=plutchik]').click()")
    until(f"document.getElementById('lamp-hex').textContent !== {before!r}", "another colour")
    assert tab.evaluate("document.getElementById('palette-refusal').textContent") == ""
    until("document.querySelector('.face-emotion').textContent === 'sadness'", "sadness", 3)
    # The time line is kept in the server: a second page starts with it.
    second = chromium.live(address)
    until("!document.getElementById('reading').textContent.startsWith('Point')", "values", 3)
    second.evaluate("document.getElementById('moment').value = -1")
    second.evaluate("document.getElementById('moment').oninput({ target: { value: -1 } })")
    peer.wait_until(
        lambda: (
            (
                seen(3),
                second.evaluate(
                    "document.getElementById('reading').textContent.includes('−1.0 s: ')"
                ),
            )[1]
            or "sadness" in second.evaluate("document.getElementById('reading').textContent")
        ),
        "the values of a second ago",
    )
    assert tab.complaints() == []
    assert tab.requests(address) == []


def test_page_fits_a_phone(dashboard, chromium, seen, peer):
    _, address = dashboard()
    tab = chromium.live(address, width_px=390, height_px=840)
    peer.wait_until(
        lambda: (seen(1), tab.evaluate("document.querySelectorAll('.face').length"))[1], "a face"
    )
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_others_are_refused(dashboard):
    _, address = dashboard()
    assert status_of(address) == 200
    assert status_of(address, Host="evil.example") == 403
    assert status_of(address, Origin="http://evil.example") == 403
    assert status_of(f"{address}/live", Origin="http://evil.example") == 403
    assert status_of(f"{address}/settings.yaml", Origin="http://evil.example") == 403
    assert status_of(f"{address}/live?robot=/nobody") == 404
    assert status_of(f"{address}/..%2f..%2fetc%2fpasswd") == 404
    assert status_of(f"{address}/page/../main.py") == 404


def test_a_token_is_asked_for_and_kept_in_a_cookie(dashboard, tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    node, address = dashboard("--token-file", str(tmp_path / "token"))
    assert TOKEN not in node.output
    assert status_of(address) == 401
    for path in ("live", "settings.yaml", "faces.csv", "snapshot.png", "main.js"):
        assert status_of(f"{address}/{path}") == 401
    assert status_of(f"{address}/?token=wrong") == 401
    assert status_of(address, Cookie=f"fer_dashboard_token={TOKEN}") == 200
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(f"{address}/?token={TOKEN}") as answer:
        assert answer.status == 200
        assert "token" not in answer.url


def test_listening_to_a_network_without_a_token_is_refused_in_one_line(start_node, peer):
    node = start_node("fer_bringup", "dashboard", "dashboard", arguments=("--host", "0.0.0.0"))
    peer.wait_until(lambda: not node.node.running, "the dashboard's end")
    assert "give a token" in node.output
    assert "Traceback" not in node.output


def test_nonsense_from_a_page_is_answered_and_the_server_lives(dashboard):
    node, address = dashboard()

    async def talk():
        answers = []
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{address}/live") as ws,
        ):
            for text in (
                "{",
                "[]",
                "7",
                '{"type": "set", "key": "fer_perception/autostart", "value": false}',
                '{"type": "set", "key": ["x"], "value": 1}',
                '{"type": "select", "face": "f1"}',
                '{"type": "select", "face": ["f1"]}',
                '{"type": "record", "images": "no"}',
                '{"type": "stop"}',
                '{"type": "dance"}',
                "[" * 2000,
            ):
                await ws.send_str(text)
                while True:
                    message = await ws.receive(timeout=30)
                    if message.type is aiohttp.WSMsgType.TEXT:
                        answer = json.loads(message.data)
                        if answer["type"] == "result":
                            break
                answers.append(answer["reason"])
            await ws.send_str("x" * 5000)  # more than a message may hold
            while (await ws.receive(timeout=30)).type is not aiohttp.WSMsgType.CLOSE:
                pass
        return answers

    answers = asyncio.run(talk())
    assert all(answers), answers
    assert "unknown control" in answers[3]
    assert status_of(address) == 200
    assert node.node.running


def test_a_page_that_reads_nothing_is_dropped(dashboard, peer):
    """Its images are not queued: the server drops it and serves the others."""
    _, address = dashboard()
    port = int(address.rpartition(":")[2])
    images = peer.node.create_publisher(
        Image, "/fer_perception/annotated", qos_profile_sensor_data
    )
    noise = to_image_message(PortraitSource().read(), EmotionArray().header)
    noise.data = array("B", os.urandom(len(noise.data)))
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(
            b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        peer.wait_until(images.get_subscription_count, "the subscription to images")

        def given_up():
            images.publish(noise)
            peer.spin(0.05)
            return not images.get_subscription_count()

        peer.wait_until(given_up, "the end of the slow page", timeout_s=120.0)


def test_images_are_read_only_while_a_page_is_open(dashboard, peer):
    _, address = dashboard()
    images = peer.node.create_publisher(
        Image, "/fer_perception/annotated", qos_profile_sensor_data
    )
    peer.spin(1.0)
    assert images.get_subscription_count() == 0

    async def watch():
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{address}/live") as ws,
        ):
            while True:
                peer.spin(0.05)
                images.publish(to_image_message(PortraitSource().read(), EmotionArray().header))
                message = await ws.receive(timeout=30)
                if message.type is aiohttp.WSMsgType.BINARY:
                    return message.data

    assert asyncio.run(watch()).startswith(b"\xff\xd8")
    peer.wait_until(lambda: images.get_subscription_count() == 0, "the end of the subscription")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_with_a_page_open(dashboard, number):
    node, address = dashboard()

    async def watch():
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{address}/live") as ws,
        ):
            await ws.receive(timeout=30)
            node.node.process.send_signal(number)
            while (await ws.receive(timeout=30)).type not in (
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            ):
                pass

    asyncio.run(watch())
    assert node.node.process.wait(30) == 0
    assert "Traceback" not in node.output
