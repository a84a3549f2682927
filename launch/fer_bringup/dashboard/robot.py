# SPDX-License-Identifier: Apache-2.0
"""Messages and parameters of one robot's nodes."""

from __future__ import annotations

import math
import threading
import time
from datetime import datetime
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticArray
from fer_msgs.msg import EmotionArray, FaceEvent
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import ColorRGBA

from ambient_light_driver.selection.face_selection import BY_FACE_ID
from fer_bringup.dashboard import snapshot
from fer_bringup.dashboard.controls import (
    CONTROLS,
    LIGHT,
    PERCEPTION,
    describe,
    parameters_of,
    typed,
)
from fer_bringup.dashboard.driving import driving_faces, id_prefix
from fer_bringup.dashboard.freshness import SILENT_S, Heard, problems
from fer_bringup.dashboard.history import History
from fer_bringup.dashboard.remote_parameters import RemoteParameters
from fer_perception.images.decoding import ImageError
from fer_perception.nodes.image_messages import to_rgb

SAVED = ("camera", PERCEPTION, LIGHT)
"""Nodes whose parameters can be saved."""

_STALE_STATUS_S = 3.0
_IMAGE_PERIOD_S = 0.08
_MAX_IMAGE_WIDTH_PX = 960
_JPEG_QUALITY = 80


class Robot:
    """The perception and the light in one namespace.

    Callbacks and :meth:`poll` run in the thread that spins the node; the other methods may be
    called from any.

    :param node: the dashboard's node.
    :param namespace: of the robot; "/" for none.
    """

    def __init__(self, node: Node, namespace: str) -> None:
        self.namespace = namespace
        self._node = node
        self._prefix = namespace.rstrip("/")
        self._lock = threading.Lock()
        self._history = History()
        self._message: EmotionArray | None = None
        self._frames = 0
        self._faces_s = self._color_s = self._image_s = self._encoded_s = -math.inf
        self._lamp: dict[str, Any] | None = None
        self._statuses: dict[str, tuple[float, dict[str, Any]]] = {}
        self._image = b""
        self._image_number = 0
        self._watchers = 0
        self._images: Any = None
        self._publishers: dict[str, tuple[str, ...]] = {}
        self._rule_before = "largest"
        self.parameters = {
            name: RemoteParameters(node, self._full(name), parameters_of(name)) for name in SAVED
        }
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        for message_type, topic, callback, qos in (
            (EmotionArray, f"{PERCEPTION}/emotions", self._on_emotions, 10),
            (FaceEvent, f"{PERCEPTION}/events", self._on_event, 10),
            (ColorRGBA, f"{LIGHT}/color", self._on_color, latched),
        ):
            node.create_subscription(message_type, self._full(topic), callback, qos)

    def _full(self, name: str) -> str:
        return f"{self._prefix}/{name}"

    # For the server

    def state(self) -> dict[str, Any]:
        """Return everything but the image, the history and the controls."""
        now_s = time.monotonic()
        with self._lock:
            heard = self._heard(now_s)
            found = problems(heard)
            knows_faces = heard.faces_s <= SILENT_S
            faces = snapshot.faces(self._message) if self._message and knows_faces else []
            health = [
                status if now_s - seen_s < _STALE_STATUS_S else status | {"level": "stale"}
                for seen_s, status in self._statuses.values()
            ]
            image_age_s = now_s - self._image_s
            return {
                "now_s": round(now_s, 2),
                "problems": [vars(problem) for problem in found],
                "is_found": not math.isinf(min(heard.faces_s, heard.color_s))
                or not math.isinf(min(heard.perception_s, heard.light_s)),
                "knows_faces": knows_faces,
                "frames": self._frames,
                "faces": faces,
                "driving": self._driving() if knows_faces and heard.color_s <= SILENT_S else [],
                "image": None
                if not self._image
                else {"age_s": round(image_age_s, 1), "is_fresh": image_age_s <= SILENT_S},
                "lamp": None
                if self._lamp is None
                else self._lamp
                | {"age_s": round(heard.color_s, 1), "is_fresh": heard.color_s <= SILENT_S},
                "lost": snapshot.lost_lamps(health),
                "health": health,
            }

    def history_since(self, sample: int, event: int) -> tuple[dict[str, Any], int, int]:
        """Return what :meth:`.history.History.since` does."""
        with self._lock:
            return self._history.since(sample, event, time.monotonic())

    def csv(self) -> str:
        """Return the faces of the last minutes as CSV."""
        with self._lock:
            return self._history.csv()

    def faces(self) -> EmotionArray | None:
        """Return the newest faces, unless they are out of date."""
        with self._lock:
            is_fresh = time.monotonic() - self._faces_s <= SILENT_S
            return self._message if is_fresh else None

    def controls(self) -> list[dict[str, Any]]:
        """Return the controls of the nodes that answered."""
        known = {name: parameters.known() for name, parameters in self.parameters.items()}
        return [
            describe(control, *known[control.node][control.parameter])
            for control in CONTROLS
            if control.parameter in known[control.node]
        ]

    def image(self) -> tuple[int, bytes]:
        """Return (number, JPEG) of the newest annotated image; 0 without one."""
        with self._lock:
            is_fresh = time.monotonic() - self._image_s <= SILENT_S
            return (self._image_number, self._image) if is_fresh else (0, b"")

    @property
    def image_topic(self) -> str:
        """The topic from which the perception reads images; empty while unknown."""
        with self._lock:
            return self._image_topic()

    def watch(self, difference: int) -> None:
        """Change the number of image viewers by +1 or -1.

        The images are subscribed to only while there are viewers.
        """
        with self._lock:
            self._watchers += difference

    async def set_parameter(self, key: str, value: object) -> str:
        """Set a parameter; return the reason of a refusal, else empty."""
        control = next((c for c in CONTROLS if c.key == key), None)
        known = self.parameters[control.node].known() if control else {}
        if control is None:
            return f"unknown control {key!r:.80}"
        if control.parameter not in known:
            return f"{control.node} does not answer"
        try:
            wanted = typed(value, known[control.parameter][0])
        except ValueError as error:
            return str(error)
        return await self.parameters[control.node].set({control.parameter: wanted})

    async def select(self, face_id: str) -> str:
        """Follow one face, or the previous rule; return why it was refused.

        :param face_id: the face; empty for the rule before.
        """
        with self._lock:
            seen = [] if self._message is None else [f.face_id for f in self._message.faces]
        if face_id and face_id not in seen:
            return f"no face {face_id!r:.80} is seen"
        light = self.parameters[LIGHT]
        rule = light.value("face_selection")
        if rule is None:
            return f"{LIGHT} does not answer"
        if not face_id:
            return await light.set({"face_selection": self._rule_before})
        if rule != BY_FACE_ID:
            self._rule_before = rule
        # In this order: the rule is refused without a face.
        wanted = {"selected_face_id": self._id_prefix() + face_id, "face_selection": BY_FACE_ID}
        return await light.set(wanted)

    async def reset(self) -> str:
        """Set all controls to their defaults; return why one was refused."""
        reasons = []
        for name in (LIGHT, PERCEPTION):
            known = self.parameters[name].known()
            defaults = {
                control.parameter: control.default
                for control in CONTROLS
                if control.node == name and control.parameter in known
            }
            if defaults:
                reasons.append(await self.parameters[name].set(defaults))
        return next(filter(None, reasons), "" if reasons else "no node answers")

    # In the thread of the node

    def poll(self) -> None:
        """Ask the nodes for their parameters, and the graph for publishers."""
        self._subscribe_images()
        for name in (LIGHT, PERCEPTION):
            self.parameters[name].poll()
        with self._lock:
            image_topic = self._image_topic()
        topics = [self._full(f"{PERCEPTION}/emotions"), self._full(f"{LIGHT}/color"), image_topic]
        publishers = {
            topic: tuple(
                dict.fromkeys(
                    info.node_name for info in self._node.get_publishers_info_by_topic(topic)
                )
            )
            for topic in filter(None, topics)
        }
        with self._lock:
            self._publishers = publishers

    def _on_emotions(self, message: EmotionArray) -> None:
        now_s = time.monotonic()
        samples = snapshot.samples(message)
        with self._lock:
            self._message, self._faces_s = message, now_s
            self._frames += 1
            self._history.add(samples, now_s, time.time())

    def _on_event(self, message: FaceEvent) -> None:
        event = snapshot.event(message) | {"time": f"{datetime.now():%H:%M:%S}"}
        with self._lock:
            self._history.add_event(event, time.monotonic())

    def _on_color(self, message: ColorRGBA) -> None:
        lamp = snapshot.lamp(message)
        with self._lock:
            self._lamp, self._color_s = lamp, time.monotonic()

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        """Keep the statuses of this robot's nodes."""
        now_s = time.monotonic()
        # Other robots' nodes have the same names in other namespaces.
        nodes = {self._full(name).lstrip("/") for name in (PERCEPTION, LIGHT)}
        with self._lock:
            for status in message.status:
                if status.name.partition(":")[0] in nodes:
                    self._statuses[status.name] = (now_s, snapshot.status(status))

    def _on_image(self, message: Image) -> None:
        now_s = time.monotonic()
        if now_s - self._encoded_s < _IMAGE_PERIOD_S:
            return
        self._encoded_s = now_s
        try:
            image = to_rgb(message)
        except ImageError as error:
            self._node.get_logger().error(f"annotated image: {error}", throttle_duration_sec=5.0)
            return
        height, width = image.shape[:2]
        if width > _MAX_IMAGE_WIDTH_PX:
            size = (_MAX_IMAGE_WIDTH_PX, max(1, height * _MAX_IMAGE_WIDTH_PX // width))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        is_encoded, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if is_encoded:
            with self._lock:
                self._image, self._image_number = jpeg.tobytes(), self._image_number + 1
                self._image_s = now_s

    def _subscribe_images(self) -> None:
        with self._lock:
            is_wanted = self._watchers > 0
        if is_wanted and self._images is None:
            self._images = self._node.create_subscription(
                Image,
                self._full(f"{PERCEPTION}/annotated"),
                self._on_image,
                qos_profile_sensor_data,
            )
        elif not is_wanted and self._images is not None:
            self._node.destroy_subscription(self._images)
            self._images = None
            with self._lock:
                self._image, self._image_s = b"", -math.inf

    # With the lock held

    def _heard(self, now_s: float) -> Heard:
        faces_topic = self._full(f"{PERCEPTION}/emotions")
        image_topic = self._image_topic()
        return Heard(
            faces_s=now_s - self._faces_s,
            perception_s=self.parameters[PERCEPTION].answer_age_s,
            color_s=now_s - self._color_s,
            light_s=self.parameters[LIGHT].answer_age_s,
            faces_topic=faces_topic,
            face_publishers=len(self._publishers.get(faces_topic, ())),
            color_publishers=len(self._publishers.get(self._full(f"{LIGHT}/color"), ())),
            is_perceiving=self._frames_status(now_s) is not None,
            image_topic=image_topic,
            image_publishers=self._publishers.get(image_topic, ()),
        )

    def _frames_status(self, now_s: float) -> dict[str, Any] | None:
        """Return the perception's report on its frames; None unless it is recent."""
        name = f"{self._full(PERCEPTION).lstrip('/')}: frames"
        seen_s, status = self._statuses.get(name, (-math.inf, {}))
        return status if now_s - seen_s < _STALE_STATUS_S else None

    def _image_topic(self) -> str:
        name = f"{self._full(PERCEPTION).lstrip('/')}: frames"
        _, status = self._statuses.get(name, (0.0, {"values": {}}))
        return str(status["values"].get("topic", ""))

    def _id_prefix(self) -> str:
        topics = self.parameters[LIGHT].value("emotions_topics", ())
        return id_prefix(topics, self._full(f"{PERCEPTION}/emotions"))

    def _driving(self) -> list[str]:
        light = self.parameters[LIGHT]
        if self._message is None or light.value("show", "faces") != "faces":
            return []
        rule, selected = light.value("face_selection", ""), light.value("selected_face_id", "")
        return driving_faces(self._message, rule, selected, self._id_prefix())
