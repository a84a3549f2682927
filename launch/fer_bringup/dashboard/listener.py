# SPDX-License-Identifier: Apache-2.0
"""Node of the dashboard: keep the newest messages and set parameters."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import cv2
from diagnostic_msgs.msg import DiagnosticArray
from fer_msgs.msg import EmotionArray
from rcl_interfaces.msg import ParameterDescriptor
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import ColorRGBA

from fer_bringup.dashboard import snapshot
from fer_bringup.dashboard.controls import CONTROLS, describe, typed
from fer_perception.images.decoding import ImageError
from fer_perception.nodes.image_messages import to_rgb

_POLL_S = 0.5
_STALE_S = 3.0
_ANSWER_S = 5.0
_IMAGE_PERIOD_S = 0.08
_MAX_IMAGE_WIDTH_PX = 960
_JPEG_QUALITY = 80


class DashboardListener(Node):
    """Subscribe to perception and light in this node's namespace.

    Its callbacks run in the thread that spins it; the other methods may be called from any.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("dashboard", **kwargs)
        self._lock = threading.Lock()
        self._faces: list[dict[str, Any]] = []
        self._frames = 0
        self._faces_s = self._encoded_s = -_STALE_S
        self._lamp: dict[str, Any] | None = None
        self._statuses: dict[str, tuple[float, dict[str, Any]]] = {}
        self._image: bytes = b""
        self._image_number = 0
        self._watchers = 0
        self._images: Any = None
        self._control_descriptors: dict[str, ParameterDescriptor] = {}
        self._control_values: dict[str, Any] = {}
        self._parameter_clients = {
            node: (
                self.create_client(DescribeParameters, f"{node}/describe_parameters"),
                self.create_client(GetParameters, f"{node}/get_parameters"),
                self.create_client(SetParameters, f"{node}/set_parameters"),
            )
            for node in dict.fromkeys(control.node for control in CONTROLS)
        }
        self.create_subscription(EmotionArray, "fer_perception/emotions", self._on_emotions, 10)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(ColorRGBA, "ambient_light/color", self._on_color, latched)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        # Steady clock: works also while the simulation is paused.
        self.create_timer(_POLL_S, self._poll, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Do nothing: the node holds no resources."""

    # For the server

    def state(self) -> str:
        """Return everything but the image as JSON."""
        now_s = time.monotonic()
        with self._lock:
            state = {
                "is_live": now_s - self._faces_s < _STALE_S,
                "frames": self._frames,
                "faces": self._faces if now_s - self._faces_s < _STALE_S else [],
                "lamp": self._lamp,
                "health": [
                    status if now_s - seen_s < _STALE_S else status | {"level": "stale"}
                    for seen_s, status in self._statuses.values()
                ],
            }
        return json.dumps({"type": "state"} | state)

    def controls(self) -> list[dict[str, Any]]:
        """Return the controls of the nodes that answered."""
        with self._lock:
            return [
                describe(
                    control,
                    self._control_descriptors[control.key],
                    self._control_values[control.key],
                )
                for control in CONTROLS
                if control.key in self._control_descriptors and control.key in self._control_values
            ]

    def image(self) -> tuple[int, bytes]:
        """Return (number, JPEG) of the newest annotated image; number 0 without."""
        with self._lock:
            return self._image_number, self._image

    def watch(self, difference: int) -> None:
        """Change the number of image viewers by +1 or -1.

        The images are subscribed to only while there are viewers.
        """
        with self._lock:
            self._watchers += difference

    async def set_parameter(self, key: str, value: object) -> str:
        """Set a parameter; return the reason of a refusal, else empty."""
        control = next((c for c in CONTROLS if c.key == key), None)
        with self._lock:
            descriptor = self._control_descriptors.get(key)
        if control is None or descriptor is None:
            return f"unknown control {key!r:.80}"
        try:
            wanted = typed(value, descriptor)
        except ValueError as error:
            return str(error)
        parameter = Parameter(control.parameter, value=wanted).to_parameter_msg()
        client = self._parameter_clients[control.node][2]
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Any] = loop.create_future()

        def resolve(answer: Any) -> None:
            if not answered.done():
                answered.set_result(answer)

        future = client.call_async(SetParameters.Request(parameters=[parameter]))
        future.add_done_callback(lambda f: loop.call_soon_threadsafe(resolve, f.result()))
        try:
            response = await asyncio.wait_for(answered, _ANSWER_S)
        except TimeoutError:
            client.remove_pending_request(future)
            return f"{control.node} does not answer"
        [result] = response.results
        if not result.successful:
            return result.reason or "refused"
        with self._lock:
            self._control_values[key] = wanted
        return ""

    # Callbacks

    def _on_emotions(self, message: EmotionArray) -> None:
        faces = snapshot.faces(message)
        with self._lock:
            self._faces, self._faces_s = faces, time.monotonic()
            self._frames += 1

    def _on_color(self, message: ColorRGBA) -> None:
        lamp = snapshot.lamp(message)
        with self._lock:
            self._lamp = lamp

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        now_s = time.monotonic()
        # Other robots' nodes have the same names in other namespaces.
        namespace = self.get_namespace()
        nodes = {f"{namespace}/{control.node}".lstrip("/") for control in CONTROLS}
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
            self.get_logger().error(f"annotated image: {error}", throttle_duration_sec=5.0)
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

    def _poll(self) -> None:
        self._subscribe_images()
        for node, (describe_client, get_client, _) in self._parameter_clients.items():
            names = [control.parameter for control in CONTROLS if control.node == node]
            keys = [control.key for control in CONTROLS if control.node == node]
            if not get_client.service_is_ready():
                with self._lock:
                    for key in keys:
                        self._control_values.pop(key, None)
                continue
            if keys[0] not in self._control_descriptors and describe_client.service_is_ready():
                describe_client.call_async(
                    DescribeParameters.Request(names=names)
                ).add_done_callback(self._keeper(keys, "descriptors", self._control_descriptors))
            get_client.call_async(GetParameters.Request(names=names)).add_done_callback(
                self._keeper(keys, "values", self._control_values)
            )

    def _keeper(self, keys: list[str], field: str, kept: dict[str, Any]) -> Callable[[Any], None]:
        """Return a callback that stores a field of a service response."""

        def keep(future: Any) -> None:
            answers = getattr(future.result(), field)
            if len(answers) != len(keys):  # nodes without all of them return nothing
                return
            with self._lock:
                for key, answer in zip(keys, answers, strict=True):
                    kept[key] = parameter_value_to_python(answer) if field == "values" else answer

        return keep

    def _subscribe_images(self) -> None:
        with self._lock:
            is_wanted = self._watchers > 0
        if is_wanted and self._images is None:
            self._images = self.create_subscription(
                Image, "fer_perception/annotated", self._on_image, qos_profile_sensor_data
            )
        elif not is_wanted and self._images is not None:
            self.destroy_subscription(self._images)
            self._images = None
            with self._lock:
                self._image, self._image_number = b"", 0
