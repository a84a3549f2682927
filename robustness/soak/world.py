# SPDX-License-Identifier: Apache-2.0
"""The graph as users start it, with a simulated camera and lamp."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import rclpy
import yaml
from fer_msgs.msg import EmotionArray
from rcl_interfaces.srv import SetParameters
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.time import Time

from fer_bringup import fast_dds
from fer_perception.face import RgbImage
from fer_perception.inference.model_files import models_folder
from fer_perception.recognition.installed_models import DEFAULT_MODEL

from .camera import Camera
from .domain import own_domain
from .lamp import Lamp

PERCEPTION, LIGHT, DASHBOARD = "fer_perception", "ambient_light", "dashboard"
PATIENCE_S = 60.0
"""Timeout of a recovery [s]."""

_POLL_S = 0.005
_LIVELY_LIGHT = {
    "face_dwell_s": 0.0,
    "emotion_dwell_s": 0.0,
    "time_constant_s": 0.02,
    "idle_timeout_s": 0.1,
    "idle": "dark",
}
_LIVELY_PERCEPTION = {"smoothing_time_constant_s": 0.0, "max_lost_s": 0.0}


class World(AbstractContextManager["World"]):
    """Camera, perception, light and lamp in a separate ROS domain.

    :ivar model_folder: the model loaded by the perception; may be moved.
    :param use_sim_time: the nodes use the camera's clock.
    :param is_lively: light and perception follow each image at once, as far as the flash limiter
        allows, and the dashboard runs.
    :param pictures: of faces, for the camera's scenes.
    """

    def __init__(
        self,
        rate_hz: float = 15.0,
        use_sim_time: bool = False,
        is_lively: bool = False,
        pictures: Sequence[RgbImage] = (),
    ) -> None:
        self._rate_hz, self._use_sim_time = rate_hz, use_sim_time
        self._is_lively, self._pictures = is_lively, pictures

    def __enter__(self) -> World:
        """Start the graph and wait until the lamp follows a face."""
        self._folder = tempfile.TemporaryDirectory(prefix="soak_")
        folder = Path(self._folder.name)
        self.model_folder = _copied_model(folder)
        self.lamp = Lamp()
        self._domain = own_domain()
        self._domain.__enter__()
        os.environ.update(fast_dds.variables())
        self._log = (folder / "log").open("wb")
        self.starter = subprocess.Popen(
            [
                *(sys.executable, "-m", "fer_bringup.start", "fer_light", "camera:=false"),
                f"use_sim_time:={str(self._use_sim_time).lower()}",
                f"params_file:={self._params_file(folder)}",
                *(["dashboard:=0"] if self._is_lively else []),
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node("world", context=self._context)
        self._newest: EmotionArray | None = None
        self.node.create_subscription(
            EmotionArray, "/fer_perception/emotions", self._on_emotions, 10
        )
        self._clients = {
            name: self.node.create_client(SetParameters, f"/{name}/set_parameters")
            for name in (PERCEPTION, LIGHT)
        }
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._spinning = threading.Thread(target=self._spin, name="world", daemon=True)
        self._spinning.start()
        self.camera = Camera(self.node, self._rate_hz, self._use_sim_time, self._pictures)
        try:
            self.wait_for_recovery()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop all processes."""
        self.stop()
        self.camera.close()
        self._executor.shutdown()
        self._spinning.join()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)
        self.lamp.close()
        self._log.close()
        self._folder.cleanup()
        self._domain.__exit__(None, None, None)

    def stop(self) -> int:
        """Stop the nodes by SIGINT; return the start script's exit code."""
        if self.starter.poll() is None:
            self.starter.send_signal(signal.SIGINT)
        return self.starter.wait(PATIENCE_S)

    @property
    def output(self) -> str:
        """Output of the nodes and the start script."""
        return Path(self._log.name).read_text(errors="replace")

    def _params_file(self, folder: Path) -> Path:
        path = folder / "params.yaml"
        lamp = {"type": "wled", "protocol": "ddp", "host": "127.0.0.1", "led_count": 1}
        lamp |= {"ddp_port": self.lamp.port, "max_rate_hz": 50.0}
        light: dict[str, Any] = {"devices": ["strip"], "time_constant_s": 0.1}
        light |= {f"device.strip.{name}": value for name, value in lamp.items()}
        perception: dict[str, Any] = {"model": str(self.model_folder)}
        if self._is_lively:
            light |= _LIVELY_LIGHT
            perception |= _LIVELY_PERCEPTION
        nodes = {LIGHT: light, PERCEPTION: perception}
        parameters = {f"/**/{name}": {"ros__parameters": v} for name, v in nodes.items()}
        path.write_text(yaml.safe_dump(parameters))
        return path

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()

    def _on_emotions(self, message: EmotionArray) -> None:
        self._newest = message

    def pid(self, name: str) -> int | None:
        """Return the process id of a node, or None."""
        word = f"__node:={name}".encode()
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # it has ended in the meantime
            if int(parent) == self.starter.pid and word in words:
                return int(folder.name)
        return None

    def dashboard_port(self) -> int:
        """Wait for the dashboard and return its port."""
        address = re.compile(r"dashboard: http://127\.0\.0\.1:(\d+)")
        self.wait_until(lambda: address.search(self.output), "the dashboard's address")
        return int(address.findall(self.output)[-1])

    def endpoints(self) -> int:
        """Return the number of publishers, subscriptions, clients and servers.

        The numbers are those of discovery: endpoints of a killed process remain until their lease
        is over.
        """
        topics = [name for name, _ in self.node.get_topic_names_and_types(no_demangle=True)]
        count = 0
        for topic in topics:
            count += len(self.node.get_publishers_info_by_topic(topic, no_mangle=True))
            count += len(self.node.get_subscriptions_info_by_topic(topic, no_mangle=True))
        return count

    def kill(self, name: str) -> None:
        """Kill a node by SIGKILL."""
        self.signal(name, signal.SIGKILL)

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a node.

        :raises ProcessLookupError: when it does not run.
        """
        pid = self.pid(name)
        if pid is None:
            raise ProcessLookupError(f"{name} does not run:\n{self.output[-2000:]}")
        os.kill(pid, number)

    def set_parameter(self, name: str, parameter: str, value: object) -> str:
        """Set a parameter of a node; return the reason of a refusal."""
        client = self._clients[name]
        self.wait_until(client.service_is_ready, f"the parameters of {name}")
        message = Parameter(parameter, value=value).to_parameter_msg()
        future = client.call_async(SetParameters.Request(parameters=[message]))
        self.wait_until(future.done, f"an answer of {name}")
        result = future.result().results[0]
        return "" if result.successful else result.reason or "refused"

    def wait_until(self, condition: Callable[[], object], what: str) -> float:
        """Wait for a condition and return the duration [s].

        :raises TimeoutError: when it takes longer than :data:`PATIENCE_S`.
        """
        start_s = time.monotonic()
        while not condition():
            if time.monotonic() - start_s > PATIENCE_S:
                raise TimeoutError(f"timed out waiting for {what}:\n{self.output[-2000:]}")
            time.sleep(_POLL_S)
        return time.monotonic() - start_s

    def wait_for_recovery(self) -> float:
        """Wait until a new image yields a face and lights the lamp.

        :returns: the duration [s].
        """
        start_s = time.monotonic()
        stamp_s = self.camera.stamp_s()
        mode = self.camera.mode
        self._newest = None

        def answered() -> bool:
            message = self._newest
            return (
                message is not None
                and len(message.faces) > 0
                and Time.from_msg(message.header.stamp).nanoseconds * 1e-9 >= stamp_s
                and message.header.frame_id == mode.frame_id
                and (message.image_width, message.image_height) == mode.size
            )

        self.wait_until(answered, "emotions")
        answered_s = time.monotonic()

        def lit() -> bool:
            last_s, rgb = self.lamp.shows()
            return last_s > answered_s and max(rgb) > 0

        self.wait_until(lit, "the lamp's light")
        return time.monotonic() - start_s


def _copied_model(folder: Path) -> Path:
    """Return a movable copy of the model."""
    source = models_folder() / DEFAULT_MODEL
    copy = folder / "model"
    copy.mkdir()
    for file in source.iterdir():
        if file.suffix in (".json", ".onnx", ".safetensors"):
            (copy / file.name).write_bytes(file.read_bytes())
    return copy
