# SPDX-License-Identifier: Apache-2.0
"""Receive the faces of one or several cameras."""

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
"""Only the newest message counts, and any publisher's reliability will do."""


@dataclass(frozen=True, slots=True)
class InputCounts:
    """What one topic has brought since the node was started.

    :param messages: emotion messages received.
    :param faces: usable faces in them.
    :param rejected_faces: faces whose scores were not a probability distribution.
    :param ignored_faces: faces beyond the number that is read from one message.
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
    """Convert emotion messages and counts them.

    :param observe: called with the usable faces of each message and its topic.
    :param warn: called with a text when faces cannot be used.
    """

    def __init__(
        self,
        observe: Callable[[Sequence[FaceObservation], str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._observe = observe
        self._warn = warn
        self.counts: dict[str, InputCounts] = {}
        """Full name of each topic -> what it has brought."""

    def follow(self, topics: Sequence[str]) -> None:
        """Count these topics and drop all others.

        :param topics: their full names.
        """
        self.counts = {name: self.counts.get(name, InputCounts()) for name in topics}

    def receive(self, topic: str, message: EmotionArray) -> None:
        """Convert one message of ``topic``; with several topics, face ids start with theirs."""
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
    """Return full name -> name as given, each once.

    :raises ConfigError: when one is not a topic name.
    """
    resolved = {}
    for topic in topics:
        try:
            name = node.resolve_topic_name(topic)
            validate_full_topic_name(name)  # that it is not too long
            resolved[name] = topic
        except (RuntimeError, InvalidTopicNameException) as error:
            raise ConfigError(f"emotions_topics: {topic!r} is not a topic name") from error
    return resolved


def subscribe_faces(node: Node, topics: dict[str, str], faces: FacesInput) -> list[Any]:
    """Subscribe to topics, from :func:`resolve_topics`, and return the subscriptions."""
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
