# SPDX-License-Identifier: Apache-2.0
"""Play people from a script in place of the perception.

Behaviours, lamps and palettes are developed and tested with it without camera, face or network.
The node is named fer_perception and publishes the same topics; with ``use_sim_time`` the script
runs by /clock.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Final

import rclpy
from fer_msgs.msg import EmotionArray, EmotionStamped, FaceEvent
from rclpy.duration import Duration
from rclpy.node import Node
from std_msgs.msg import Header

from fer_common.nodes.command_line import own_words
from fer_common.nodes.runner import run_nodes
from fer_common.nodes.world_time import world_time_s
from fer_common.resettable_clock import Stopwatch
from fer_perception.nodes.emotion_messages import to_emotion_array
from fer_perception.nodes.event_publisher import EventPublisher

from ..script import Script, ScriptError, read_script, shipped_scripts
from ..stage import Scene, Stage

FRAME_ID: Final = "camera_optical_frame"
MODEL_ID: Final = "actor"
_LAST_MESSAGES_S: Final = 0.5
"""Timeout for subscribers to acknowledge the last messages [s]."""


class ActorNode(Node):
    """Publish ``~/emotions``, ``~/emotion`` and ``~/events`` as the perception does."""

    def __init__(self, script: Script, **kwargs: Any) -> None:
        super().__init__("fer_perception", **kwargs)
        self._script = script
        self._stage = Stage(script)
        self._emotions = self.create_publisher(EmotionArray, "~/emotions", 10)
        self._emotion = self.create_publisher(EmotionStamped, "~/emotion", 10)
        self._event_publisher = self.create_publisher(FaceEvent, "~/events", 50)
        self._events = EventPublisher(self._event_publisher.publish, lambda: world_time_s(self))
        self._since: Stopwatch | None = None
        self._there: dict[str, str] = {}
        self._has_warned = False
        self.create_timer(1.0 / script.rate_hz, self._publish)

    def close(self) -> None:
        """Let the subscribers receive the last messages."""
        if self.context.ok():
            self._emotions.wait_for_all_acked(Duration(seconds=_LAST_MESSAGES_S))

    def _publish(self) -> None:
        now = self.get_clock().now()
        if now.nanoseconds == 0:  # no /clock yet
            return
        now_s = now.nanoseconds * 1e-9
        if self._since is None:
            self._since = Stopwatch(now_s)
        time_s = self._since.seconds(now_s)
        if self._stage.is_over(time_s):
            self.get_logger().info("the script has ended")
            self.close()
            rclpy.try_shutdown(context=self.context)
            return
        scene = self._stage.scene(time_s)
        self._note(scene)
        header = Header(stamp=now.to_msg(), frame_id=FRAME_ID)
        message = to_emotion_array(
            scene.faces,
            header,
            self._script.image_size,
            MODEL_ID,
            self._script.min_confidence,
            latency_s=0.0,
        )
        self._emotions.publish(message)
        for face in message.faces:
            self._emotion.publish(face)
        self._events.update(message, now_s)

    def _note(self, scene: Scene) -> None:
        """Log who comes and leaves, and a second publisher once."""
        for face_id, name in scene.names.items():
            if face_id not in self._there:
                self.get_logger().info(f"{name} comes as {face_id}")
        for face_id, name in self._there.items():
            if face_id not in scene.names:
                self.get_logger().info(f"{name} leaves ({face_id})")
        self._there = scene.names
        topic = self._emotions.topic_name
        if not self._has_warned and self.count_publishers(topic) > 1:
            self._has_warned = True
            self.get_logger().warning(
                f"another node publishes {topic} as well, a camera's perception or an actor: stop "
                "it, or start this one in a namespace of its own: --ros-args -r __ns:=/robot1"
            )


def main(args: list[str] | None = None) -> None:
    """Play a script until its end, SIGINT or SIGTERM.

    :raises SystemExit: with code 2 and one line when the script cannot be played.
    """
    parser = argparse.ArgumentParser(prog="actor", description=__doc__)
    parser.add_argument(
        "script",
        help="a YAML file, or one of those that come with it: " + ", ".join(shipped_scripts()),
    )
    options = parser.parse_args(list(filter(None, own_words(args))))
    try:
        script = read_script(options.script)
    except ScriptError as error:
        print(f"actor: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    run_nodes(lambda: [ActorNode(script)], args)


if __name__ == "__main__":
    main()
