# SPDX-License-Identifier: Apache-2.0
"""The measured bytes of a stream are those of its messages."""

from fer_msgs.msg import EmotionArray, EmotionStamped
from rclpy.serialization import serialize_message

from bench.streams import StreamMeter


def test_messages_of_the_namespace_are_counted_with_their_bytes(peer):
    meter = StreamMeter(peer.node, "robot1")
    message = EmotionArray(faces=[EmotionStamped(face_id="f0001")] * 3)
    publishers = [
        peer.node.create_publisher(EmotionArray, f"/{name}/fer_perception/emotions", 10)
        for name in ("robot1", "robot10")
    ]

    def counted():
        meter.look()
        for publisher in publishers:
            publisher.publish(message)
        return any(found.messages >= 3 for found in meter.streams.values())

    peer.wait_until(counted, "three messages")
    [(topic, stream)] = meter.streams.items()
    assert topic == "/robot1/fer_perception/emotions"
    assert stream.size == stream.messages * len(serialize_message(message))
