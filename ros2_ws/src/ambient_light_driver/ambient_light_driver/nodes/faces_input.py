# SPDX-License-Identifier: Apache-2.0
"""Receive the faces of one or more cameras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fer_msgs.msg import EmotionArray
from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.validate_full_topic_name import validate_full_topic_name

from ambient_light_driver.nodes.emotion_conversion import faces_from_message
from ambient_light_driver.selection.observation import FaceObservation
from fer_common.options import ConfigError

NEWEST_ONLY = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Best effort with depth 1: only the newest message counts."""


@dataclass(frozen=True, slots=True)
class InputCounts:
    """Counts of one topic since the start of the node.

    :param messages: emotion messages received.
    :param faces: usable faces in them.
    :param rejected_faces: faces whose scores were not a probability distribution.
    :param ignored_faces: faces beyond the limit per message.
    """

    messages: int = 0
    faces: int = 0
    rejected_faces: int = 0
    ignored_faces: int = 0

    def plus(self, faces: int, rejected: int, ignored: int) -> InputCounts:
        """Return the counts after one more message."""
        return replace(
            self,
            messages=self.messages + 1,
            faces=self.faces + faces,
            rejected_faces=self.rejected_faces + rejected,
            ignored_faces=self.ignored_faces + ignored,
        )


class FacesInput:
    """Convert and count emotion messages.

    :param observe: called with the usable faces of each message and its topic.
    :param warn: called with a message about unusable faces.
    """

    def __init__(
        self,
        observe: Callable[[Sequence[FaceObservation], str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._observe = observe
        self._warn = warn
        self.counts: dict[str, InputCounts] = {}
        """Full name of each topic -> its counts."""

    def follow(self, topics: Sequence[str]) -> None:
        """Count these topics and drop all others.

        :param topics: their full names.
        """
        self.counts = {name: self.counts.get(name, InputCounts()) for name in topics}

    def receive(self, topic: str, message: EmotionArray) -> None:
        """Convert a message; with several topics, prefix face ids by topic."""
        prefix = f"{topic}/" if len(self.counts) > 1 else ""
        converted = faces_from_message(message, prefix)
        self.counts[topic] = self.counts[topic].plus(
            len(converted.faces), converted.rejected, converted.ignored
        )
        if converted.rejected:
            self._warn(
                f"{topic}: {converted.rejected} faces with scores that are negative, not finite "
                "or all zero were left out"
            )
        self._observe(converted.faces, topic)


def resolve_topics(node: Node, topics: Sequence[str]) -> dict[str, str]:
    """Return full name -> given name, without duplicates.

    :raises ConfigError: when a topic name is invalid.
    """
    resolved = {}
    for topic in topics:
        try:
            name = node.resolve_topic_name(topic)
            validate_full_topic_name(name)  # check its length
            resolved[name] = topic
        except (RuntimeError, InvalidTopicNameException) as error:
            raise ConfigError(f"emotions_topics: {topic!r} is not a topic name") from error
    return resolved


def subscribe_faces(node: Node, topics: dict[str, str], faces: FacesInput) -> list[Any]:
    """Subscribe to the topics of :func:`resolve_topics`."""
    faces.follow(tuple(topics))
    return [
        node.create_subscription(
            EmotionArray,
            topic,
            partial(faces.receive, name),
            NEWEST_ONLY,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        for name, topic in topics.items()
    ]
