# SPDX-License-Identifier: Apache-2.0
"""The messages carry every field from one process to another."""

import math
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fer_msgs.msg import EmotionArray, EmotionStamped, Point2D
from fer_msgs.srv import RecognizeEmotions

from fer_perception.emotions import EMOTIONS, UNKNOWN
from fer_perception.recognition.quality import Fault


@pytest.fixture
def echo(ros_domain: int) -> Iterator[None]:
    script = Path(__file__).with_name("echo_emotions.py")
    process = subprocess.Popen([sys.executable, str(script)])
    yield
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def two_faces() -> EmotionArray:
    array = EmotionArray(image_width=640, image_height=480)
    array.header.frame_id = "camera_optical_frame"
    array.header.stamp.sec, array.header.stamp.nanosec = 12, 345_678_901
    for i in range(2):
        face = EmotionStamped(
            header=array.header,
            face_id=f"f000{i}",
            emotion="fear",
            confidence=0.5,
            scores=[0.0625, 0.125, 0.0625, 0.125, 0.0625, 0.0625, 0.5],
            entropy=0.75,
            valence=-0.25,
            arousal=0.875,
            detection_confidence=0.96875,
            landmarks=[Point2D(x=10.5 * k, y=-2.25 * k) for k in range(5)],
            quality=0.625,
            quality_faults=EmotionStamped.QUALITY_SMALL | EmotionStamped.QUALITY_DARK,
            model_id="vgg_stn_msa@1f2e3d4c",
        )
        face.roi.x_offset, face.roi.y_offset, face.roi.width, face.roi.height = 1, 2, 3 + i, 4
        face.processing_latency.nanosec = 12_345_678
        array.faces.append(face)
    return array


def test_every_field_arrives_in_another_process(peer, echo):
    back = peer.collect(EmotionArray, "back")
    publisher = peer.node.create_publisher(EmotionArray, "there", 10)
    peer.wait_until(
        lambda: publisher.get_subscription_count() and peer.node.count_publishers("back"), "echo"
    )
    publisher.publish(two_faces())
    publisher.publish(EmotionArray())
    peer.wait_until(lambda: len(back) == 2, "both messages")
    assert back[0] == two_faces()
    assert back[1].faces == []


def test_unknown_values_arrive_as_nan(peer, echo):
    back = peer.collect(EmotionArray, "back")
    publisher = peer.node.create_publisher(EmotionArray, "there", 10)
    peer.wait_until(
        lambda: publisher.get_subscription_count() and peer.node.count_publishers("back"), "echo"
    )
    nan = math.nan
    face = EmotionStamped(valence=nan, arousal=nan, detection_confidence=nan)
    face.landmarks = [Point2D(x=nan, y=nan)] * 5
    publisher.publish(EmotionArray(faces=[face]))
    peer.wait_until(lambda: back, "the message")
    [arrived] = back[0].faces
    values = [arrived.valence, arrived.arousal, arrived.detection_confidence]
    assert all(map(math.isnan, values + [point.x for point in arrived.landmarks]))


def test_service_answers_from_another_process(peer, echo):
    client = peer.node.create_client(RecognizeEmotions, "recognize")
    request = RecognizeEmotions.Request()
    request.image.width, request.image.height, request.image.encoding = 3, 2, "mono8"
    answer = peer.call(client, request)
    assert answer.success
    assert (answer.message, answer.emotions.image_width) == ("mono8", 3)


def test_constants_give_the_order_of_the_scores():
    on_the_wire = {getattr(EmotionStamped, name.upper()): name for name in EMOTIONS}
    assert [on_the_wire[index] for index in range(len(EmotionStamped().scores))] == list(EMOTIONS)
    assert EmotionStamped.UNKNOWN == UNKNOWN
    assert {f"QUALITY_{fault.name}": fault.value for fault in Fault} == {
        name: getattr(EmotionStamped, name)
        for name in dir(type(EmotionStamped))
        if name.startswith("QUALITY_")
    }
