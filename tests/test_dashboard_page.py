# SPDX-License-Identifier: Apache-2.0
"""What the dashboard's page shows and does, with real nodes in a real browser."""

import asyncio
import contextlib
import json
import os
import re
import signal
import urllib.error
import urllib.request
from pathlib import Path

import aiohttp
import pytest
import yaml
from fer_msgs.msg import EmotionArray, EmotionStamped
from rcl_interfaces.srv import GetParameters

from fer_evaluation.bags.bag_reader import OpenBag
from fer_perception.emotions import EMOTIONS

AXE = "node_modules/axe-core/axe.min.js"
CROWD = (("f0001", "happiness", 120), ("f0002", "sadness", 80), ("f0010", "anger", 60))
# What the Tab key must reach; of radio buttons one of a group.
CONTROLS = """(() => {
    const seen = (element) => element.checkVisibility() && !element.disabled;
    const names = [...document.querySelectorAll(
        'button, select, input:not([type=radio]), summary, a[href], [tabindex="0"]')].filter(seen);
    names.forEach((element, index) => (element.dataset.stop = index));
    return names.length;
})()"""


@pytest.fixture
def dashboard(start_node, peer, tmp_path):
    """``dashboard(arguments)`` starts it and returns its address."""

    def run(*arguments):
        words = ("--port", "0", "--record-folder", str(tmp_path), *arguments)
        node = start_node("fer_bringup", "dashboard", "dashboard", arguments=words)
        address = re.compile(r"dashboard: (http://\S+:\d+)/")
        peer.wait_until(lambda: address.search(node.output), "the address", nodes=(node.node,))
        run.node = node
        return address.search(node.output).group(1)

    return run


@pytest.fixture
def light(start_node):
    """``light(parameters, namespace, ...)`` starts a light node that follows at once."""

    def run(parameters=None, namespace="", **spec):
        direct = {"face_dwell_s": 0.0, "emotion_dwell_s": 0.0, "time_constant_s": 0.05}
        return start_node(
            "ambient_light_driver",
            "light_node",
            "ambient_light",
            parameters=direct | (parameters or {}),
            remappings=(("emotions", "fer_perception/emotions"),),
            namespace=namespace,
            **spec,
        )

    return run


@pytest.fixture
def crowd(peer):
    """``crowd()`` publishes three faces, the largest first."""
    publisher = peer.node.create_publisher(EmotionArray, "/fer_perception/emotions", 10)

    def publish(faces=CROWD):
        message = EmotionArray(image_width=640, image_height=480)
        for name, emotion, size in faces:
            face = EmotionStamped(face_id=name, emotion=emotion, confidence=1.0, valence=0.5)
            face.scores[EMOTIONS.index(emotion)] = 1.0
            face.roi.width = face.roi.height = size
            message.faces.append(face)
        publisher.publish(message)
        peer.spin(0.05)

    return publish


@contextlib.contextmanager
def stopped(node):
    os.kill(node.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(node.pid, signal.SIGCONT)


def text(name):
    return f"document.getElementById('{name}').textContent"


def test_silence_is_shown_as_silence_and_names_the_silent_node(
    start_node, peer, dashboard, chromium, light
):
    camera = start_node(
        "fer_perception", "camera_node", "camera", parameters={"source": "portrait"}
    )
    perception = start_node(
        "fer_perception",
        "emotion_node",
        "fer_perception",
        remappings=(("image", "camera/image_raw"),),
    )
    lamp = light()
    address = dashboard()
    tab = chromium.live(address)

    def until(expression, what):
        peer.wait_until(lambda: tab.evaluate(expression), what)

    clear = f"{text('link')} === 'live' && !document.querySelector('#picture.stale')"
    blurred = "getComputedStyle(document.getElementById('image')).filter.includes('blur')"
    with_image = f"{clear} && !document.getElementById('image').hidden && !({blurred})"
    until(with_image, "the image")
    with stopped(camera):
        until(f"{text('link')} === 'camera is silent'", "the silent camera")
        until(f"{blurred} && !document.getElementById('age').hidden", "the old image's mark")
        assert "/camera/image_raw" in tab.evaluate(text("banner"))
        assert tab.evaluate(text("nobody")).startswith("Not known who is there")
        assert tab.evaluate("document.querySelectorAll('.face').length") == 0
        # A new page does not get the old image at all.
        assert asyncio.run(_images_in_states(address, 15)) == 0
        until("document.getElementById('image').hidden", "the old image's end")
        assert not tab.evaluate("document.getElementById('image').hasAttribute('src')")
    until(with_image, "the image again")
    with stopped(perception):
        until(f"{text('link')} === 'fer_perception is silent'", "the silent perception")
        assert not tab.evaluate(text("nobody")).startswith("Nobody")
    until(with_image, "the image again")
    with stopped(lamp):
        until(f"{text('link')} === 'ambient_light is silent'", "the silent light")
        until("document.querySelector('#disc.hollow') !== null", "the hollow disc")
        assert tab.evaluate(text("lamp-hex")) == "–"
    until(f"{with_image} && !document.querySelector('#disc.hollow')", "the light again")
    with stopped(dashboard.node):
        until(f"{text('link')} === 'no connection'", "the silent dashboard")
        assert tab.evaluate("document.querySelector('#picture.stale #image') !== null")
        assert tab.evaluate("document.querySelector('#disc.hollow') !== null")
    until(f"{with_image} && !document.querySelector('#disc.hollow')", "the dashboard again")
    assert camera.stop() == 0
    until(f"{text('banner')}.endsWith('nobody publishes it')", "the camera's end")
    assert tab.complaints() == []


async def _images_in_states(address, count):
    """Return how many images a new page gets with ``count`` states."""
    images = 0
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{address}/live") as ws:
        while count:
            message = await ws.receive(timeout=30)
            images += message.type is aiohttp.WSMsgType.BINARY
            count -= (
                message.type is aiohttp.WSMsgType.TEXT
                and json.loads(message.data)["type"] == "state"
            )
    return images


def test_a_click_selects_a_face_and_the_lamp_can_be_tried_without_any(
    peer, dashboard, chromium, crowd, light
):
    light()
    tab = chromium.live(dashboard())

    def until(expression, what):
        peer.wait_until(lambda: (crowd(), tab.evaluate(expression))[1], what)

    driving = "[...document.querySelectorAll('.face.driving .face-id')].map((e) => e.textContent)"
    until(f"{driving}.join() === 'f0001'", "the mark of the largest face")
    order = "[...document.querySelectorAll('.face-id')].map((e) => e.textContent).join()"
    assert tab.evaluate(order) == "f0001,f0002,f0010"
    tab.evaluate("document.querySelectorAll('.face')[1].click()")
    until(f"{driving}.join() === 'f0002' && {text('lamp-label')} === 'sadness'", "the other face")
    assert tab.evaluate("document.querySelectorAll('[aria-pressed=true].face').length") == 1
    tab.evaluate("document.getElementById('follow-rule').click()")
    until(f"{driving}.join() === 'f0001' && {text('lamp-label')} === 'happiness'", "the rule")

    # By hand: no face drives the lamp, whatever is seen.
    tab.evaluate("document.querySelector('#tries [data-emotion=anger]').click()")
    until(f"{text('lamp-hex')}.startsWith('#f') && {driving}.length === 0", "the colour of anger")
    until(f"{text('lamp-label')} === 'anger, by hand'", "its name")
    tab.evaluate(
        "(() => { const c = document.getElementById('fixed-color'); c.value = '#0080ff';"
        " c.dispatchEvent(new Event('change')); })()"
    )
    until(f"{text('lamp-hex')} === '#0080ff'", "the fixed colour")
    tab.evaluate("document.getElementById('power').click()")
    until(f"{text('lamp-hex')} === '#000000' && {text('power')} === 'Off'", "darkness")
    tab.evaluate("document.getElementById('power').click()")
    until(f"{driving}.join() === 'f0001'", "the faces again")

    # A refused value jumps back, and the reason stands beside it.
    control = "document.querySelector('[data-key=\"ambient_light/face_selection\"]')"
    tab.evaluate(
        f"(() => {{ const s = {control}.querySelector('select');"
        " s.add(new Option('tallest')); s.value = 'tallest'; s.onchange(); })()"
    )
    until(f"{control}.querySelector('.refusal').textContent.includes('tallest')", "the reason")
    assert tab.evaluate(f"{control}.querySelector('select').value") == "largest"
    assert tab.complaints() == []


@pytest.mark.parametrize(("size_px", "scheme"), [((1400, 900), "dark"), ((390, 844), "light")])
def test_it_is_accessible(peer, dashboard, chromium, crowd, light, repository, size_px, scheme):
    """axe-core finds nothing, and Tab reaches every control."""
    light()
    tab = chromium.live(dashboard(), *size_px)
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    tab.call("Emulation.setEmulatedMedia", features=media)
    tab.evaluate(
        "globalThis.said = []; new MutationObserver(() => said.push(performance.now()))"
        ".observe(document.getElementById('announcement'), { childList: true })"
    )
    others = tuple((name, EMOTIONS[-1 - i], size) for i, (name, _, size) in enumerate(CROWD))

    def until(expression, what):
        peer.wait_until(lambda: (crowd(CROWD), crowd(others), tab.evaluate(expression))[2], what)

    until("document.querySelectorAll('.face').length === 3", "the faces")
    until("document.querySelectorAll('.control').length >= 3", "the controls")
    tab.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    _check_layout(tab, *size_px)
    _check_keyboard(tab, until)
    # Faces change all the time; what a screen reader says does not.
    until("said.length >= 2", "two announcements")
    at_ms = tab.evaluate("said")
    assert all(b - a >= 5000 for a, b in zip(at_ms, at_ms[1:], strict=False)), at_ms
    path = Path(os.environ.get("AXE_CORE", repository / AXE))
    if not path.is_file():
        pytest.skip(f"no {path}: npm install --no-save axe-core; its rules were not checked")
    tab.evaluate(path.read_text() + "; 0")
    tab.evaluate(
        "axe.run().then(({ violations }) => (globalThis.found = violations.map("
        "({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`))); 0"
    )
    until("globalThis.found !== undefined", "the end of axe-core")
    assert tab.evaluate("found") == []


def _check_layout(tab, width_px, height_px):
    """All that matters is in sight: at once on a desk, within two screens on a phone."""
    tab.evaluate("document.getElementById('picture').style.aspectRatio = '4 / 3'")
    is_phone = width_px < 600
    parts = ("view", "people", "lamp", "time-line", "event-list" if is_phone else "settings")
    bottoms = {
        part: tab.evaluate(f"document.getElementById('{part}').getBoundingClientRect().bottom")
        for part in parts
    }
    assert max(bottoms.values()) <= height_px * (2 if is_phone else 1), bottoms
    assert tab.evaluate("document.documentElement.scrollWidth") == width_px


def _check_keyboard(tab, until):
    count = tab.evaluate(CONTROLS)
    reached = set()
    for _ in range(count + 10):
        _press(tab, "Tab", 9)
        reached.add(tab.evaluate("document.activeElement.dataset.stop ?? ''"))
    missed = tab.evaluate(
        "[...document.querySelectorAll('[data-stop]')].filter((element) => element.isConnected)"
        ".map((element) => [element.dataset.stop, element.outerHTML])"
    )
    assert [html for number, html in missed if number not in reached] == []
    tab.evaluate("document.querySelectorAll('.face')[1].focus()")
    _press(tab, " ", 32)
    until("document.querySelectorAll('.face')[1].ariaPressed === 'true'", "the selected face")


def _press(tab, key, code):
    words = {"key": key, "windowsVirtualKeyCode": code}
    words |= {"text": key} if len(key) == 1 else {}
    tab.call("Input.dispatchKeyEvent", type="keyDown", **words)
    tab.call("Input.dispatchKeyEvent", type="keyUp", **words)


def test_robots_are_told_apart_and_a_missing_one_is_hinted_at(peer, dashboard, chromium, light):
    light(namespace="/robot2")
    address = dashboard("--namespace", "robot1")
    tab = chromium.live(address)

    def until(expression, what):
        peer.wait_until(lambda: tab.evaluate(expression), what)

    until(f"{text('no-image-text')}.startsWith('Nothing answers in /robot1')", "the hint")
    until("document.querySelector('#others a')?.textContent === '/robot2'", "the other robot")
    assert tab.evaluate("document.title") == "robot1 – fer_light"
    tab.evaluate("document.querySelector('#others a').click()")
    until(f"document.title === 'robot2 – fer_light' && {text('lamp-label')} === 'idle'", "robot2")
    options = "[...document.getElementById('robot').options].map((o) => o.value).join()"
    until(f"{options} === '/robot1,/robot2'", "the choice of robots")


def test_settings_saved_by_the_page_start_a_light_and_reset(
    peer, dashboard, light, crowd, tmp_path
):
    node = light({"brightness": 0.25, "palette": "plutchik"})
    address = dashboard()

    def get(name):
        try:
            with urllib.request.urlopen(f"{address}/{name}") as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    assert get("snapshot.png")[0] == 503
    saved = tmp_path / "saved.yaml"

    def is_saved():
        code, content = get("settings.yaml")
        saved.write_bytes(content)
        return code == 200

    peer.wait_until(is_saved, "the settings")
    values = yaml.safe_load(saved.read_text())["/**/ambient_light"]["ros__parameters"]
    assert values["brightness"] == 0.25 and values["devices"] == ["terminal"]
    assert b"Did not answer" in saved.read_bytes()  # the perception
    peer.wait_until(lambda: (crowd(), b"f0010" in get("faces.csv")[1])[1], "the faces as CSV")
    peer.wait_until(lambda: (crowd(), get("snapshot.png")[0] == 200)[1], "a picture")

    unseen = {"type": "select", "face": "f9999"}
    assert asyncio.run(_ask(address, unseen)) == "no face 'f9999' is seen"
    reset = {"type": "reset"}
    peer.wait_until(lambda: asyncio.run(_ask(address, reset)) == "", "the reset")
    assert _parameter(peer, "brightness").double_value == 1.0
    assert node.stop() == 0
    restarted = light(params_files=(saved,))
    peer.wait_until(lambda: "lamp:" in restarted.output, "the lamp", nodes=(restarted.node,))
    assert _parameter(peer, "brightness").double_value == 0.25
    assert _parameter(peer, "palette").string_value == "plutchik"


def _parameter(peer, name):
    client = peer.node.create_client(GetParameters, "/ambient_light/get_parameters")
    return peer.call(client, GetParameters.Request(names=[name])).values[0]


async def _ask(address, *requests, meanwhile=lambda: None):
    """Send requests and return the reason of the last one; ``meanwhile`` between them."""
    reason = ""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{address}/live") as ws:
        for request in requests:
            await ws.send_json(request)
            while True:
                message = await ws.receive(timeout=60)
                if message.type is aiohttp.WSMsgType.TEXT:
                    answer = json.loads(message.data)
                    if answer["type"] == "result":
                        break
            reason = answer["reason"]
            meanwhile()
    return reason


def test_the_page_records_emotions_but_no_image_it_was_not_asked_for(
    peer, dashboard, crowd, tmp_path
):
    address = dashboard()
    assert "has not named its image topic" in asyncio.run(
        _ask(address, {"type": "record", "images": True})
    )

    def faces_for_a_while():
        for _ in range(100):
            crowd()

    begin, end = {"type": "record", "images": False}, {"type": "stop"}
    assert asyncio.run(_ask(address, begin, end, meanwhile=faces_for_a_while)) == ""
    [folder] = [path for path in tmp_path.iterdir() if path.name.startswith("recording_")]
    with OpenBag(folder) as bag:
        assert "/fer_perception/emotions" in bag.topics
        assert not [t for t in bag.topics.values() if "Image" in t.type_name]
    assert asyncio.run(_ask(address, end)) == "nothing is being recorded"
