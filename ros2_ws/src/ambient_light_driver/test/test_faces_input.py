# SPDX-License-Identifier: Apache-2.0
"""Receiving faces, without a graph."""

import pytest

pytest.importorskip("fer_msgs", reason="the packages are not built: run 'make build'")

from fer_msgs.msg import EmotionArray, EmotionStamped  # noqa: E402

from ambient_light_driver.nodes.emotion_conversion import MAX_FACES  # noqa: E402
from ambient_light_driver.nodes.faces_input import FacesInput, InputCounts  # noqa: E402
from ambient_light_driver.nodes.light_diagnostics import LightReport  # noqa: E402


class Receiver:
    def __init__(self, *topics):
        self.seen, self.warnings = [], []
        self.faces = FacesInput(self._observe, self.warnings.append)
        self.faces.follow(topics)

    def _observe(self, faces, topic):
        self.seen.append((topic, [face.face_id for face in faces]))


def message(*scores, face_id="f1"):
    faces = [EmotionStamped(face_id=face_id, scores=list(values)) for values in scores]
    return EmotionArray(image_width=64, image_height=64, faces=faces)


GOOD = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
BAD = (0.0,) * 7


def test_ids_of_several_cameras_start_with_their_topics():
    receiver = Receiver("/a", "/b")
    receiver.faces.receive("/b", message(GOOD))
    assert receiver.seen == [("/b", ["/b/f1"])]


def test_the_ids_of_one_camera_are_left_alone():
    receiver = Receiver("/a")
    receiver.faces.receive("/a", message(GOOD))
    assert receiver.seen == [("/a", ["f1"])]


def test_an_image_without_usable_faces_is_news_and_what_is_left_out_is_counted():
    receiver = Receiver("/a")
    receiver.faces.receive("/a", message(BAD, BAD))
    receiver.faces.receive("/a", message(*[GOOD] * (MAX_FACES + 3)))
    assert receiver.seen[0] == ("/a", [])
    assert len(receiver.warnings) == 1 and "/a: 2 faces" in receiver.warnings[0]
    assert receiver.faces.counts["/a"] == InputCounts(2, MAX_FACES, 2, 3)


def test_counts_of_a_topic_outlast_a_reconfiguration():
    receiver = Receiver("/a")
    receiver.faces.receive("/a", message(GOOD))
    receiver.faces.follow(["/b", "/a"])
    assert receiver.faces.counts == {"/b": InputCounts(), "/a": InputCounts(1, 1)}


def test_the_report_is_of_what_came_since_the_last_one():
    report = LightReport("/ns/light", 2.0)
    first = report.inputs({"/a": InputCounts(messages=4, faces=4, rejected_faces=1)})[0]
    assert first.name == "ns/light: input" and "1 faces without" in first.message
    second = report.inputs({"/a": InputCounts(messages=10, faces=10, rejected_faces=1)})[0]
    assert second.message == "3.0 messages/s"
    silent = report.inputs({"/a": InputCounts(messages=10, faces=10, rejected_faces=1)})[0]
    assert silent.message == "no emotion messages on /a" and silent.level == b"\x01"
