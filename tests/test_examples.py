# SPDX-License-Identifier: Apache-2.0
"""The examples work in their own graph."""

import os
import signal
import subprocess
import sys

import pytest
from fer_msgs.msg import EmotionArray, EmotionStamped, FaceEvent
from std_msgs.msg import String


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


def test_see_emotions_prints_faces_and_nobody(run_example, peer):
    printed = run_example("see_emotions.py")
    publisher = peer.node.create_publisher(EmotionArray, "/fer_perception/emotions", 10)

    def shown(text, faces):
        publisher.publish(EmotionArray(faces=faces))
        peer.spin(0.05)
        return text in printed()

    face = EmotionStamped(face_id="f0003", emotion="surprise", confidence=0.75)
    peer.wait_until(lambda: shown("f0003 surprise 75%", [face]), "the face's line")
    peer.wait_until(lambda: shown("nobody", []), "the empty line")


def test_attention_greets_a_smile_once_a_person(run_example, peer):
    run_example("greet_smiles.py")
    said = peer.collect(String, "/attention/say")
    events = peer.node.create_publisher(FaceEvent, "/fer_perception/events", 50)
    peer.wait_until(events.get_subscription_count, "the behaviour")
    peer.wait_until(lambda: peer.node.get_publishers_info_by_topic("/attention/say"), "its voice")
    peer.spin(0.5)
    for kind, emotion in (
        (FaceEvent.FACE_APPEARED, "neutral"),
        (FaceEvent.EMOTION_CHANGED, "happiness"),
        (FaceEvent.EMOTION_HELD, "happiness"),
        (FaceEvent.EMOTION_HELD, "neutral"),
        (FaceEvent.EMOTION_HELD, "happiness"),
        (FaceEvent.FACE_LEFT, "happiness"),
    ):
        events.publish(FaceEvent(kind=kind, emotion=emotion, face_id="f0001"))
    peer.wait_until(lambda: any("Goodbye" in m.data for m in said), "the farewell")
    assert [m.data for m in said] == [
        "Hello, f0001.",
        "Nice to see you smile, f0001.",
        "Goodbye, f0001.",
    ]


def test_distance_is_the_median_depth_of_the_face(repository):
    pytest.importorskip(
        "message_filters", reason="message_filters is missing: faces and depth were not combined"
    )
    import importlib.util

    import numpy as np
    from sensor_msgs.msg import Image, RegionOfInterest

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
