# SPDX-License-Identifier: Apache-2.0
"""The node in a process of its own, seen over DDS."""

import importlib.util
import math
import os
import signal
import sys
import time

import pytest

pytest.importorskip("rclpy", reason="no ROS 2: the node itself was not tested")
pytest.importorskip("fer_msgs", reason="the packages are not built: run 'make build'")

from fer_msgs.msg import EmotionStamped  # noqa: E402
from lifecycle_msgs.msg import Transition  # noqa: E402

from ambient_light_driver.color.light_color import LightColor  # noqa: E402
from ambient_light_driver.color.palette import emotion_names, load_palette  # noqa: E402
from ambient_light_driver.devices.device_set import REST_S  # noqa: E402

QUICK = {"face_dwell_s": 0.0, "emotion_dwell_s": 0.0, "time_constant_s": 0.0}
PALETTE = load_palette("default")


class SameLight:
    """Equals the channels of any colour that emits the same light."""

    def __init__(self, color, factor=1.0):
        self._linear = [factor * value for value in color.linear_light()]

    def __eq__(self, channels):
        color = LightColor(*(min(1.0, value) for value in channels))
        return color.linear_light() == pytest.approx(self._linear, abs=4e-3)

    __hash__ = None


def shown(emotion):
    return SameLight(PALETTE.emotions[emotion])


def is_black(color):
    return color[3] == 0.0


def test_a_consumer_that_ignores_alpha_shows_the_same_light():
    from ambient_light_driver.nodes.emotion_conversion import message_from_color

    for color in (LightColor(1.0, 0.5, 0.2, 0.3), LightColor(0.0, 0.0, 0.0, 0.0)):
        message = message_from_color(color)
        without_alpha = LightColor(message.r, message.g, message.b, 1.0)
        assert without_alpha.linear_light() == pytest.approx(color.linear_light(), abs=1e-6)
        assert message.a == (1.0 if color.brightness else 0.0)


def test_palettes_and_messages_have_the_same_classes():
    constants = {
        name.lower()
        for name in dir(type(EmotionStamped))
        if name.isupper()
        and isinstance(getattr(EmotionStamped, name), int)
        and not name.startswith("QUALITY_")
    }
    assert constants == set(emotion_names())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_emotions_become_light_and_a_signal_ends_it_cleanly(
    start_light, graph, number, wait_until
):
    light = start_light(QUICK)
    for emotion in ("happiness", "fear"):
        graph.wait_until(
            lambda emotion=emotion: graph.colors and graph.colors[-1] == shown(emotion),
            f"the color of {emotion}",
            lambda emotion=emotion: graph.show(emotion),
        )
        wait_until(lambda emotion=emotion: f"lamp: {emotion}" in light.output(), "the lamp's line")
    assert light.stop(number) == 0
    graph.wait_until(lambda: is_black(graph.colors[-1]), "a last, black color")
    output = light.output()
    assert "Traceback" not in output
    assert output.rstrip().endswith("lamp: off #000000")


def test_a_late_joiner_gets_the_last_color_while_nothing_is_published(start_light, graph):
    light = start_light({"autostart": "false"})
    graph.wait_until(lambda: graph.state() == "unconfigured", "the node")
    assert graph.change_state(Transition.TRANSITION_CONFIGURE)
    assert graph.change_state(Transition.TRANSITION_ACTIVATE)
    graph.wait_until(lambda: graph.colors, "colors")
    assert graph.change_state(Transition.TRANSITION_DEACTIVATE)
    late = []
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from std_msgs.msg import ColorRGBA

    graph.node.create_subscription(
        ColorRGBA,
        "/ambient_light/color",
        late.append,
        QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL),
    )
    graph.wait_until(lambda: late, "the latched color")
    assert late[0].a == 0.0
    assert light.stop() == 0


def test_deactivation_darkens_the_lamp_and_activation_lights_it_again(start_light, graph):
    light = start_light(QUICK)
    graph.wait_until(
        lambda: graph.colors and graph.colors[-1] == shown("anger"),
        "anger",
        lambda: graph.show("anger"),
    )
    assert graph.change_state(Transition.TRANSITION_DEACTIVATE)
    graph.wait_until(lambda: is_black(graph.colors[-1]), "darkness")
    assert "lamp: off" in light.output()
    assert graph.change_state(Transition.TRANSITION_ACTIVATE)
    graph.wait_until(
        lambda: graph.colors[-1] == shown("anger"), "anger again", lambda: graph.show("anger")
    )
    assert graph.change_state(Transition.TRANSITION_DEACTIVATE)
    assert graph.change_state(Transition.TRANSITION_CLEANUP)
    assert graph.change_state(Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)
    assert light.stop() == 0
    assert "Traceback" not in light.output()


def test_two_topics_feed_one_light_and_each_keeps_its_faces(start_light, graph):
    from fer_msgs.msg import EmotionArray

    light = start_light(
        QUICK
        | {
            "emotions_topics": "[/robot1/emotions, /robot2/emotions]",
            "face_selection": "face_id",
            "selected_face_id": "/robot2/emotions/f0001",
        }
    )
    first, second = (
        graph.node.create_publisher(EmotionArray, f"/{robot}/emotions", 10)
        for robot in ("robot1", "robot2")
    )

    def both():
        second.publish(graph.emotions("fear", face_id="f0001"))
        first.publish(graph.emotions("anger", face_id="f0001"))
        graph.spin(0.01)
        first.publish(EmotionArray())

    graph.wait_until(lambda: graph.colors and graph.colors[-1] == shown("fear"), "fear", both)
    seen = len(graph.colors)
    graph.wait_until(lambda: len(graph.colors) > seen + 50, "more colors", both)
    assert all(color == shown("fear") for color in graph.colors[seen:])
    names = {f"ambient_light: input /{robot}/emotions" for robot in ("robot1", "robot2")}
    graph.wait_until(lambda: names <= graph.diagnostics.keys(), "both inputs' health", both)
    assert light.stop() == 0


def test_what_is_not_a_topic_name_leaves_the_node_unconfigured_with_one_error(start_light, graph):
    light = start_light({"emotions_topics": "['no topic']"})
    graph.wait_until(lambda: "no topic" in light.output(), "the error")
    assert graph.state() == "unconfigured"
    assert light.output().count("emotions_topics: 'no topic' is not a topic name") == 1
    assert light.stop() == 0
    assert "Traceback" not in light.output()


def test_without_messages_the_light_fades_to_idle(start_light, graph):
    start_light(QUICK | {"idle_timeout_s": 0.5})
    graph.wait_until(
        lambda: graph.colors and graph.colors[-1] == shown("surprise"),
        "surprise",
        lambda: graph.show("surprise"),
    )
    idle = SameLight(PALETTE.idle)
    graph.wait_until(lambda: graph.colors[-1] == idle, "the idle color")


def test_hostile_messages_are_counted_and_the_next_good_one_is_answered(start_light, graph):
    light = start_light(QUICK)
    graph.wait_until(lambda: graph.colors, "the node")
    hostile = []
    for value in (math.nan, math.inf, -1.0, 3e38):
        message = graph.emotions("anger")
        message.faces[0].scores = [value] * 7
        hostile.append(message)
    zero = graph.emotions("anger")
    zero.faces[0].scores = [0.0] * 7
    stamps = graph.emotions("anger")
    stamps.header.stamp.sec = -(2**31)
    stamps.header.stamp.nanosec = 2**32 - 1
    crowd = graph.emotions("anger")
    crowd.faces = list(crowd.faces) * 500
    long_id = graph.emotions("anger", face_id="x" * 100_000)
    empty = graph.emotions("anger")
    empty.image_width = empty.image_height = 0
    empty.faces[0].roi.width = 2**32 - 1
    hostile += [zero, stamps, crowd, long_id, empty]

    def counted(key):
        return int(graph.diagnostics.get("ambient_light: input", (0, 0, {}))[2].get(key, 0))

    def publish_all():
        for message in hostile:
            graph.publish(message)
            graph.spin(0.03)

    graph.wait_until(
        lambda: counted("rejected_faces") >= 4 and counted("ignored_faces") >= 436,
        "counts of refused faces in the diagnostics",
        publish_all,
    )
    graph.wait_until(
        lambda: graph.colors[-1] == shown("happiness"),
        "a good message",
        lambda: graph.show("happiness"),
    )
    assert all(0.0 <= channel <= 1.0 for color in graph.colors for channel in color)
    assert light.process.poll() is None
    assert light.output().count("faces with scores that are") <= 3, "one line each 10 s"


def test_parameters_act_at_once_and_wrong_ones_are_refused_with_a_reason(
    start_light, graph, tmp_path
):
    light = start_light(QUICK)
    graph.wait_until(
        lambda: graph.colors and graph.colors[-1] == shown("anger"),
        "anger",
        lambda: graph.show("anger"),
    )
    assert "max_flashes" in graph.set_parameter("max_flashes", 4)
    assert "brightness" in graph.set_parameter("brightness", 1.5)
    assert "'nope'" in graph.set_parameter("palette", "nope")
    assert "expected one of largest, center" in graph.set_parameter("face_selection", "tallest")
    assert "selected_face_id" in graph.set_parameter("face_selection", "face_id")
    assert "unknown device 'laser'" in graph.set_parameter("devices", ["laser"])
    assert graph.set_parameter("device.terminal.width", 0) != ""
    assert graph.set_parameter("brightness", 0.5) == ""
    dimmed = SameLight(PALETTE.emotions["anger"], 0.5)
    graph.wait_until(
        lambda: graph.colors[-1] == dimmed, "half the light", lambda: graph.show("anger")
    )
    assert graph.set_parameter("palette", "plutchik") == ""
    graph.wait_until(
        lambda: graph.colors[-1] == SameLight(load_palette("plutchik").emotions["anger"], 0.5),
        "plutchik's red",
        lambda: graph.show("anger"),
    )
    assert graph.set_parameter("output_rate_hz", 10.0) == ""
    assert graph.set_parameter("devices", [""]) == ""
    graph.wait_until(lambda: "lamp: off" in light.output(), "a dropped lamp to go out")
    assert light.stop() == 0


def test_a_lamp_is_added_while_the_node_runs(start_light, graph, start_olad, wait_until):
    pytest.importorskip("sacn", reason="no Python module sacn: E1.31 was not tested")
    olad = start_olad("e131")
    olad.listen(3)
    light = start_light(
        QUICK
        | {
            "devices": "['']",
            "device.sacn.destination": "127.0.0.1",
            "device.sacn.universe": 3,
            "device.sacn.start_address": 2,
        }
    )
    graph.wait_until(lambda: graph.colors, "the node")
    assert graph.set_parameter("devices", ["sacn"]) == ""
    anger = [round(255 * v) for v in PALETTE.emotions["anger"].linear_light()]

    def at_olad():
        return olad.channels(3)[:4]

    def near(channels):
        return len(channels) == 4 and all(
            abs(a - b) <= 1 for a, b in zip(channels, [0, *anger], strict=True)
        )

    graph.wait_until(lambda: near(at_olad()), "anger at olad", lambda: graph.show("anger"))
    assert "sacn" in str(graph.diagnostics) or graph.wait_until(
        lambda: "ambient_light: device sacn" in graph.diagnostics, "the lamp's diagnostics"
    )
    assert light.stop(signal.SIGTERM) == 0
    wait_until(lambda: not any(at_olad()), "darkness after the node has ended")


def test_a_new_lamp_is_added_first_and_set_up_then(start_light, graph):
    light = start_light({"devices": "['']", "device.mine.type": "terminal"})
    graph.wait_until(lambda: graph.colors, "the node")
    assert graph.set_parameter("devices", ["adalight"]) == ""
    name = "ambient_light: device adalight"
    graph.wait_until(lambda: name in graph.diagnostics, "the lamp in the diagnostics")
    assert "device.adalight.port: expected a serial port" in graph.diagnostics[name][1]
    assert graph.set_parameter("device.adalight.port", "/dev/no-such-port") == ""
    graph.wait_until(
        lambda: "/dev/no-such-port" in graph.diagnostics[name][1], "an attempt at the port"
    )
    assert light.output().count("device adalight: /dev/no-such-port") == 1, "one line a loss"
    assert light.stop() == 0


def test_a_wrong_start_leaves_a_node_that_starts_once_it_is_set_right(start_light, graph):
    light = start_light({"palette": "missing.yaml", "brightness": 7.0, "output_rate_hz": "fast"})
    graph.wait_until(lambda: graph.state() == "unconfigured", "the node")
    assert "output_rate_hz: expected a number, got 'fast'" in light.output()
    assert graph.set_parameter("output_rate_hz", 20.0) == ""
    graph.wait_until(lambda: "brightness" in light.output(), "the next error")
    assert graph.set_parameter("brightness", 0.5) == ""
    graph.wait_until(lambda: "'missing.yaml': cannot be read" in light.output(), "the last error")
    assert graph.state() == "unconfigured"
    assert graph.set_parameter("palette", "default") == ""
    graph.wait_until(lambda: graph.colors, "colors")
    assert graph.state() == "active"
    assert light.stop() == 0
    assert "Traceback" not in light.output()


def test_values_of_another_yaml_type_are_taken_where_they_are_clear(start_light, graph):
    light = start_light(
        {"brightness": 1, "devices": "terminal", "device.terminal.width": 30.0, "relays": "''"}
    )
    graph.wait_until(lambda: graph.colors, "colors")
    graph.wait_until(lambda: "lamp: idle" in light.output(), "the lamp's line")
    assert light.stop() == 0


def test_an_unknown_device_is_reported_and_the_light_is_published_all_the_same(start_light, graph):
    light = start_light({"devices": "[laser, terminal]"})
    graph.wait_until(
        lambda: "ambient_light: device laser" in graph.diagnostics, "diagnostics of the laser"
    )
    level, text, _ = graph.diagnostics["ambient_light: device laser"]
    assert level == b"\x02"
    assert "unknown device 'laser', expected one of" in text
    graph.wait_until(lambda: graph.colors, "colors")
    assert light.output().count("unknown device 'laser'") == 1


def test_a_relay_without_its_messages_says_what_to_install(start_light, graph):
    if importlib.util.find_spec("irobot_create_msgs"):
        pytest.skip("irobot_create_msgs is installed: its absence was not tested")
    light = start_light({"relays": "[irobot_lightring]"})
    graph.wait_until(lambda: graph.state() == "unconfigured", "the node")
    assert "sudo apt install ros-$ROS_DISTRO-irobot-create-msgs" in light.output()
    assert "Traceback" not in light.output()
    assert light.stop() == 0


def test_the_light_ring_of_a_robot_gets_the_color_and_is_given_back(start_light, graph):
    messages = pytest.importorskip(
        "irobot_create_msgs.msg",
        reason="no irobot_create_msgs: the light ring of the Create 3 was not tested",
    )
    rings = []
    graph.node.create_subscription(messages.LightringLeds, "/cmd_lightring", rings.append, 10)
    light = start_light(QUICK | {"relays": "[irobot_lightring]"})
    red, green, blue = (round(255 * v) for v in PALETTE.emotions["anger"].linear_light())

    def is_shown():
        if not rings or not rings[-1].override_system:
            return False
        return all(
            abs(led.red - red) <= 1 and abs(led.green - green) <= 1 and abs(led.blue - blue) <= 1
            for led in rings[-1].leds
        )

    graph.wait_until(is_shown, "anger on the ring", lambda: graph.show("anger"))
    assert graph.set_parameter("brightness", 0.0) == ""
    dark = [0] * 6
    graph.wait_until(lambda: [led.red for led in rings[-1].leds] == dark, "a dark ring")
    assert all(ring.override_system for ring in rings), "the robot's own light came through"
    assert light.stop() == 0
    graph.wait_until(lambda: not rings[-1].override_system, "the ring to be given back")
    assert all(led.red == led.green == led.blue == 0 for led in rings[-1].leds)
    assert sum(not ring.override_system for ring in rings) == 1


def test_a_relay_publishes_on_the_topic_that_is_set(start_light, graph):
    from std_msgs.msg import ColorRGBA

    shown_colors = []
    graph.node.create_subscription(ColorRGBA, "/head/leds", shown_colors.append, 100)
    light = start_light(
        QUICK
        | {
            "relays": "head",
            "relay.head.type": "color_topic",
            "relay.head.topic": "/head/leds",
            "relay.head.gamma": 2,
        }
    )
    red = PALETTE.emotions["anger"].linear_light()[0] ** 0.5
    graph.wait_until(
        lambda: shown_colors and shown_colors[-1].r == pytest.approx(red, abs=2e-3),
        "anger at the head",
        lambda: graph.show("anger"),
    )
    assert light.stop() == 0
    graph.wait_until(lambda: shown_colors[-1].r == 0.0, "a dark head")


def test_wrong_names_and_requests_are_refused_and_the_node_lives(start_light, graph):
    light = start_light({"relays": "[foo]", "device.terminal.widht": 30})
    graph.wait_until(lambda: graph.state() == "unconfigured", "the node")
    graph.wait_until(lambda: "unknown parameter" in light.output(), "the warning")
    assert "(did you mean 'device.terminal.width'?)" in light.output()
    assert "relay.foo.type: expected one of color_topic, " in light.output()
    assert graph.set_parameter("relay.foo.type", "color_topic") == ""
    graph.wait_until(lambda: graph.state() == "active", "a relay of a known kind")
    assert "unknown relay 'bar'" in graph.set_parameter("relays", ["foo", "bar"])
    assert graph.set_parameter("relays", ["kobuki_led"]) == ""
    assert "'device.terminal.widht' (did" in graph.set_parameter("device.terminal.widht", 9)
    assert not graph.change_state(Transition.TRANSITION_ACTIVATE)
    assert graph.state() == "active"
    assert "transition 3 refused" in light.output()
    assert light.stop() == 0


def test_two_relays_of_one_topic_are_refused_with_both_names(start_light, graph):
    light = start_light(
        {
            "relays": "[left, right]",
            "relay.left.type": "color_topic",
            "relay.right.type": "color_topic",
        }
    )
    graph.wait_until(lambda: "ambient_light: relay right" in graph.diagnostics, "the refusal")
    text = graph.diagnostics["ambient_light: relay right"][1]
    assert "relay left" in text and "topic://led_color" in text
    assert light.stop() == 0


@pytest.mark.parametrize(
    "fault",
    [
        "FacesInput.receive = fail",
        "FacesInput.receive = lambda *_: setattr(ColorOutput, 'publish', fail)\n"
        "ColorOutput.publish_last = fail",
    ],
    ids=["input", "output"],
)
def test_the_lamp_goes_out_also_when_the_node_dies_of_an_error(start_light, graph, fault):
    program = (
        "from ambient_light_driver.nodes import light_node\n"
        "from ambient_light_driver.nodes.color_output import ColorOutput\n"
        "from ambient_light_driver.nodes.faces_input import FacesInput\n"
        "def fail(*_): raise RuntimeError('made to fail')\n"
        f"{fault}\n"
        "light_node.main()\n"
    )
    light = start_light(QUICK, command=[sys.executable, "-c", program])
    graph.wait_until(lambda: graph.colors, "the node")
    graph.wait_until(
        lambda: light.process.poll() is not None, "the error", lambda: graph.show("anger")
    )
    assert light.process.returncode != 0
    assert "lamp: off #000000" in light.output()
    assert "made to fail" in light.output()


THIRD_PARTY = """
import threading
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice

class Lamp(LightDevice[DeviceConfig]):
    config_type = DeviceConfig
    def open(self): pass
    def send(self, state): pass
    def close(self): pass

class Hanging(Lamp):
    def send(self, state): threading.Event().wait()

class Throwing(Lamp):
    def send(self, state): raise ZeroDivisionError("made to throw")
"""


@pytest.fixture
def third_party(tmp_path, monkeypatch):
    """Install a package with devices of its own for the node to find."""
    folder = tmp_path / "site"
    (folder / "bad_lamps-1.0.dist-info").mkdir(parents=True)
    (folder / "bad_lamps.py").write_text(THIRD_PARTY)
    (folder / "bad_lamps-1.0.dist-info" / "METADATA").write_text("Name: bad_lamps\nVersion: 1.0\n")
    (folder / "bad_lamps-1.0.dist-info" / "entry_points.txt").write_text(
        "[ambient_light_driver.devices]\nhanging = bad_lamps:Hanging\n"
        "throwing = bad_lamps:Throwing\nimpostor = os.path:join\nbroken = nowhere:Lamp\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")


def test_lamps_of_others_that_hang_or_throw_neither_stop_nor_delay_the_rest(
    start_light, graph, third_party, wait_until
):
    light = start_light(
        QUICK | {"devices": "[hanging, throwing, impostor, broken, terminal]", "max_flashes": 3}
    )

    def diagnosed(device, text):
        level, message, _ = graph.diagnostics.get(f"ambient_light: device {device}", (b"", "", {}))
        return level == b"\x02" and text in message

    expected = {
        "hanging": "no answer for",
        "throwing": "made to throw",
        "impostor": "is not a LightDevice",
        "broken": "cannot be loaded: No module named 'nowhere'",
    }
    graph.wait_until(
        lambda: all(diagnosed(*item) for item in expected.items()), f"diagnostics of {expected}"
    )
    for emotion in ("anger", "happiness"):
        graph.wait_until(
            lambda emotion=emotion: graph.colors[-1] == shown(emotion),
            f"the color of {emotion}",
            lambda emotion=emotion: graph.show(emotion),
        )
        wait_until(lambda emotion=emotion: f"lamp: {emotion}" in light.output(), "the lamp's line")
    graph.wait_until(
        lambda: graph.diagnostics["ambient_light: output"][0] == b"\x00",
        "colours at the wanted rate",
    )
    output = light.output()
    assert output.count("device throwing: made to throw; trying again") == 1
    assert output.count("device hanging: no answer for") == 1
    assert light.stop(signal.SIGTERM) == 0
    assert "device hanging: hangs, its last colour may stay" in light.output()
    assert "lamp: off #000000" in light.output()
    assert "Traceback" not in light.output()


def test_options_that_change_all_the_time_leave_a_lamp_dark(start_light, graph):
    light = start_light(QUICK)
    graph.wait_until(
        lambda: "lamp: happiness" in light.output(), "happiness", lambda: graph.show("happiness")
    )
    start_s = time.monotonic()
    for width in range(10, 30):
        assert graph.set_parameter("device.terminal.width", width) == ""
    duration_s = time.monotonic() - start_s
    assert 1 <= light.output().count("lamp: off") <= 1 + duration_s / REST_S
    graph.wait_until(
        lambda: light.output().rstrip().rpartition("\n")[2].startswith("lamp: happiness"),
        "happiness again",
        lambda: graph.show("happiness"),
    )


def test_a_composed_node_starts_itself(graph):
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    from ambient_light_driver.nodes.light_node import LightNode

    node = LightNode(
        context=graph.context, parameter_overrides=[rclpy.Parameter("devices", value=[""])]
    )
    executor = SingleThreadedExecutor(context=graph.context)
    executor.add_node(node)
    try:
        graph.wait_until(lambda: graph.colors, "colors", lambda: executor.spin_once(0.01))
        node.close()
        graph.wait_until(lambda: is_black(graph.colors[-1]), "a last, black color")
    finally:
        executor.shutdown()
        node.destroy_node()


CLAIMING = """
import socket
from dataclasses import dataclass
from ambient_light_driver.devices.claims import Claim
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from fer_common.options import option

@dataclass(frozen=True, kw_only=True)
class Config(DeviceConfig):
    first: int = option(1, "First channel.")
    last: int = option(1, "Last channel.")
    max_rate_hz: float = option(20.0, "Rate.")

    def claims(self):
        return (Claim("test://lamp", self.first, self.last),)

class Lamp(LightDevice[Config]):
    config_type = Config
    def open(self): print(self.name, "opened", flush=True)
    def send(self, state): pass
    def close(self): print(self.name, "closed", flush=True)
"""


@pytest.fixture
def claiming(tmp_path, monkeypatch):
    """Install a device that claims channels."""
    folder = tmp_path / "claiming"
    (folder / "claiming-1.0.dist-info").mkdir(parents=True)
    (folder / "claiming.py").write_text(CLAIMING)
    (folder / "claiming-1.0.dist-info" / "METADATA").write_text("Name: claiming\nVersion: 1.0\n")
    (folder / "claiming-1.0.dist-info" / "entry_points.txt").write_text(
        "[ambient_light_driver.devices]\nclaiming = claiming:Lamp\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")


def test_of_two_devices_on_one_channel_the_later_one_is_refused(start_light, graph, claiming):
    light = start_light(
        {
            "devices": "[par1, par2]",
            "device.par1.type": "claiming",
            "device.par1.last": 4,
            "device.par2.type": "claiming",
            "device.par2.first": 4,
            "device.par2.last": 7,
        }
    )
    graph.wait_until(lambda: "par1 opened" in light.output(), "the first lamp")
    name = "ambient_light: device par2"
    graph.wait_until(lambda: graph.diagnostics.get(name, [b""])[0] == b"\x02", "the refusal")
    for part in ("which par1 drives", "par2: drives", "test://lamp channels 4 to 7"):
        assert part in graph.diagnostics[name][1]
    assert "par2 opened" not in light.output()
    assert graph.set_parameter("device.par2.first", 5) == ""
    graph.wait_until(
        lambda: "par2 opened" in light.output(), "the lamp with an address of its own"
    )
    refusal = graph.set_parameter("device.par1.last", 5)
    assert "par1" in refusal and "par2" in refusal
    assert light.stop() == 0


def test_a_lamp_has_one_owner_and_another_node_takes_it_over_when_that_one_dies(
    start_light, graph, claiming
):
    def start(name):
        return start_light({"devices": "claiming"}, arguments=("-r", f"__node:={name}"))

    first = start("first_light")
    graph.wait_until(lambda: "claiming opened" in first.output(), "the first node's lamp")
    second = start("second_light")
    status = "second_light: device claiming"
    graph.wait_until(lambda: graph.diagnostics.get(status, [b""])[0] == b"\x02", "the refusal")
    assert "driven by claiming of the node /first_light" in graph.diagnostics[status][1]
    assert "claiming opened" not in second.output()
    first.kill()
    graph.wait_until(lambda: "claiming opened" in second.output(), "the take-over")
    third = start("third_light")
    status = "third_light: device claiming"
    graph.wait_until(lambda: graph.diagnostics.get(status, [b""])[0] == b"\x02", "the refusal")
    assert second.stop() == 0
    graph.wait_until(lambda: "claiming opened" in third.output(), "the release")
    assert third.stop() == 0
