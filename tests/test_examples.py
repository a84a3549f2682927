# SPDX-License-Identifier: Apache-2.0
"""The examples work in their own graph, in front of an actor."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import types

import numpy as np
import pytest
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, RegionOfInterest
from std_msgs.msg import String

SMILE = """
timeline:
  3.0: {anna: neutral}
  4.0: {anna: happiness 0.9}
  7.0: {anna: neutral}
  8.0: {anna: happiness 0.9}
  11.0: {anna: leaves}
"""
CLOCK_STEP_S = 0.2
"""Time of the simulation in one turn of the test, which takes a tenth of it [s]."""


@pytest.fixture
def run_example(repository, tmp_path, ros_domain):
    started = []

    def run(name):
        log = (tmp_path / "example.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, repository / "examples" / name],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        started.append(process)
        return lambda: (tmp_path / "example.log").read_text()

    yield run
    for process in started:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in (0, -signal.SIGINT)
    assert "Traceback" not in (tmp_path / "example.log").read_text()


@pytest.fixture
def act(start_node, tmp_path):
    def start(text, **spec):
        script = tmp_path / "script.yaml"
        script.write_text(text)
        arguments = (str(script),)
        return start_node("fer_client", "actor", "fer_perception", arguments=arguments, **spec)

    return start


def test_see_emotions_prints_faces_and_nobody(run_example, peer, act):
    printed = run_example("see_emotions.py")
    act("loop: true\ntimeline:\n  0: {anna: surprise 0.75}\n  2: {anna: leaves}\n  4: end")
    peer.wait_until(lambda: re.search("f[0-9]{4} surprise 75%", printed()), "the face's line")
    peer.wait_until(lambda: "nobody" in printed(), "the empty line")


def test_attention_greets_a_smile_once_a_person(run_example, peer, act):
    printed = run_example("greet_smiles.py")
    said = peer.collect(String, "/attention/say")
    peer.wait_until(lambda: peer.node.get_publishers_info_by_topic("/attention/say"), "its voice")
    act(SMILE, parameters={"use_sim_time": True})
    clock = peer.node.create_publisher(Clock, "/clock", 1)
    peer.wait_until(clock.get_subscription_count, "the actor")
    time_ns = 10**12

    def is_parted():
        nonlocal time_ns
        time_ns += round(CLOCK_STEP_S * 1e9)
        clock.publish(Clock(clock=Time(nanoseconds=time_ns).to_msg()))
        peer.spin(CLOCK_STEP_S / 10.0)
        return any("Goodbye" in m.data for m in said)

    peer.wait_until(is_parted, "the farewell")
    sentences = ["Hello, f0001.", "Nice to see you smile, f0001.", "Goodbye, f0001."]
    assert [m.data for m in said] == sentences
    assert [line for line in printed().splitlines() if line in sentences] == sentences


def test_without_message_filters_the_reason_is_one_line(repository, tmp_path):
    if importlib.util.find_spec("message_filters"):
        pytest.skip("message_filters is installed: the message without it was not checked")
    done = subprocess.run(
        [sys.executable, repository / "examples" / "emotion_and_distance.py"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "needs message_filters" in line and "apt install" in line


def test_distance_is_the_median_depth_of_the_face(repository, monkeypatch):
    # Only the depth is tested here, for which no synchronizer is needed.
    stand_in = types.SimpleNamespace(ApproximateTimeSynchronizer=None, Subscriber=None)
    monkeypatch.setitem(sys.modules, "message_filters", stand_in)
    path = repository / "examples" / "emotion_and_distance.py"
    spec = importlib.util.spec_from_file_location("emotion_and_distance", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    depth = np.full((100, 100), 3000, np.uint16)
    depth[20:60, 20:60] = 1500
    depth[30:40, 30:40] = 0  # no answer from the sensor
    message = Image(height=100, width=100, encoding="16UC1", step=200)
    message.data = depth.tobytes()
    roi = RegionOfInterest(x_offset=20, y_offset=20, width=40, height=40)
    assert module.distance_m(message, roi) == pytest.approx(1.5)
