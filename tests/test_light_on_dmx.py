# SPDX-License-Identifier: Apache-2.0
"""The graph, started as on a machine without ROS 2, drives a DMX receiver by E1.31."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import ColorRGBA, Header

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.color.palette import load_palette
from fer_perception.images.frame_source import PortraitSource
from fer_perception.nodes.image_messages import to_image_message
from real_peers import program_fixture, start_olad_fixture  # noqa: F401

UNIVERSE = 7
PARAMETERS = f"""
/**/ambient_light:
  ros__parameters:
    idle_timeout_s: 1.0
    device.sacn.destination: "127.0.0.1"
    device.sacn.universe: {UNIVERSE}
    device.sacn.start_address: 4
"""
NOBODY = np.full((480, 640, 3), 90, np.uint8)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class StartedGraph:
    """The start script as a process of its own."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self._log = log
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fer_bringup.start", "fer_light", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def stop(self, signum: int) -> int:
        self.process.send_signal(signum)
        return self.process.wait(30.0)


@pytest.fixture
def start_graph(ros_domain, tmp_path):
    """Start the graph with launch arguments; it ends with the test."""
    running = []

    def start(*arguments: str) -> StartedGraph:
        running.append(StartedGraph(tmp_path / "graph.log", *arguments))
        return running[-1]

    yield start
    for graph in running:
        if graph.process.poll() is None:
            graph.stop(signal.SIGTERM)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_dmx_lamp_follows_the_face_and_goes_out_at_the_end(
    start_olad, start_graph, peer, tmp_path, signum
):
    olad = start_olad("e131")
    olad.listen(UNIVERSE)
    params_file = tmp_path / "lamp.yaml"
    params_file.write_text(PARAMETERS)
    colors = peer.collect(ColorRGBA, "/ambient_light/color", LATCHED)
    images = peer.node.create_publisher(Image, "/camera/image_raw", qos_profile_sensor_data)
    graph = start_graph("camera:=false", "device:=sacn", f"params_file:={params_file}")

    def expected() -> list[int]:
        last = colors[-1]
        return [round(255 * v) for v in LightColor(last.r, last.g, last.b, last.a).linear_light()]

    def at_olad() -> list[int]:
        """The fixture's three channels; those around it must stay 0."""
        channels = olad.channels(UNIVERSE)
        assert not any(channels[:3]) and not any(channels[6:])
        return channels[3:6]

    def shows_what_is_published() -> bool:
        dmx = at_olad()
        return len(dmx) == 3 and all(abs(a - b) <= 1 for a, b in zip(dmx, expected(), strict=True))

    def show_until(image, condition, what) -> None:
        message = to_image_message(image, Header(frame_id="camera_optical_frame"))

        def shown() -> bool:
            assert graph.process.poll() is None and "node failed" not in graph.output, graph.output
            message.header.stamp = peer.node.get_clock().now().to_msg()
            images.publish(message)
            peer.spin(0.1)
            return bool(colors) and condition() and shows_what_is_published()

        peer.wait_until(shown, what)

    happiness = load_palette("default").emotions["happiness"]
    idle = [round(255 * v) for v in load_palette("default").idle.linear_light()]

    def is_happy() -> bool:
        red, green, blue = at_olad()
        wanted = [255 * v for v in happiness.linear_light()]
        return abs(red - wanted[0]) < 40 and abs(green - wanted[1]) < 40 and blue < 60

    def is_idle() -> bool:
        return at_olad() == pytest.approx(idle, abs=1)

    show_until(NOBODY, is_idle, "the idle light at olad")
    show_until(PortraitSource().read(), is_happy, "the portrait's happiness at olad")
    show_until(NOBODY, is_idle, "the idle light at olad again")
    show_until(PortraitSource().read(), is_happy, "the portrait's happiness at olad again")
    assert graph.stop(signum) == 0
    assert "Traceback" not in graph.output
    peer.wait_until(lambda: not any(at_olad()), "darkness at olad")
