# SPDX-License-Identifier: Apache-2.0
"""Overload: many cameras, many faces, many messages."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from fer_msgs.msg import EmotionArray, EmotionStamped
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import ColorRGBA, Header

from bench.process_usage import ProcessUsage
from bench.test_images import moving_faces
from fer_bringup import fast_dds
from fer_bringup.standalone.processes import NodeSpec, start, stop
from fer_perception.emotions import EMOTIONS
from fer_perception.face import RgbImage
from fer_perception.nodes.image_messages import to_image_message

from .domain import own_domain
from .resources import Resources
from .throttle import throttled

_TIMEOUT_S = 60.0
_VIEWS = 30
_SETTLING_S = 5.0
_PARTS = 10
# Delay that a late sender makes up for; older messages are skipped.
_CATCH_UP_S = 0.05
MAX_LATENCY_S = 1.0
"""Upper limit of a bounded latency [s]."""

WEAK_SHARE = 0.25
"""Share of one core that a weak computer has."""
LEAST_ANSWERED_HZ = 10.0
"""Minimum results per second on a weak computer."""
MAX_P95_S = 0.25
"""Upper limit of the 95th percentile of its latency [s]."""

LEAST_SHARE = 0.8
"""Minimum share of the best-served camera's results for each other camera."""


@dataclass(frozen=True)
class Usage:
    """Resources used by the process.

    :ivar cpu_percent: of one core.
    :ivar memory_mb: resident, at the start and at the end.
    """

    cpu_percent: float
    memory_mb: tuple[float, float]


@dataclass(frozen=True)
class CameraLoad:
    """Result of several cameras served by one process.

    :ivar sent: images of each camera.
    :ivar answered: images of each camera with a result.
    :ivar seconds: duration [s].
    :ivar faces: median number per result.
    :ivar latency_s: median, 95th percentile and maximum, from stamp to result [s].
    :ivar own_mb: the process's memory without shared pages, at the end of each tenth of the time.
    :ivar said: what the diagnostics said at the end, about the frames and the latency.
    """

    sent: tuple[int, ...]
    answered: tuple[int, ...]
    seconds: float
    faces: float
    latency_s: tuple[float, float, float]
    usage: Usage
    own_mb: tuple[float, ...]
    said: tuple[str, ...]
    exit_code: int

    @property
    def is_fair(self) -> bool:
        """Whether all cameras got about equally many results."""
        return 0 < LEAST_SHARE * max(self.answered) <= min(self.answered)

    @property
    def growth_mb(self) -> float:
        """Return the growth of its own memory in the second half of the time [MB]."""
        return self.own_mb[-1] - self.own_mb[len(self.own_mb) // 2 - 1]

    @property
    def is_good(self) -> bool:
        """Whether it was fair, bounded in latency, and exited cleanly."""
        return self.is_fair and self.latency_s[2] <= MAX_LATENCY_S and self.exit_code == 0

    @property
    def is_good_for_a_weak_computer(self) -> bool:
        """Whether it answered often and soon enough, and said what it left out."""
        everything = sum(self.answered) >= LEAST_SHARE * sum(self.sent)
        return (
            self.is_good
            and sum(self.answered) >= LEAST_ANSWERED_HZ * self.seconds
            and self.latency_s[1] <= MAX_P95_S
            and (everything or any("dropped" in t or "effort" in t for t in self.said))
        )


@dataclass(frozen=True)
class MessageLoad:
    """Result of emotion messages to a light.

    :ivar colors_hz: published colours per second.
    :ivar longest_gap_s: longest time between two colours [s].
    """

    sent: int
    seconds: float
    colors_hz: float
    longest_gap_s: float
    usage: Usage
    exit_code: int

    @property
    def is_good(self) -> bool:
        """Whether the light kept publishing and exited cleanly."""
        return self.longest_gap_s <= MAX_LATENCY_S and self.colors_hz > 0 and self.exit_code == 0


@contextmanager
def _node(spec: NodeSpec) -> Iterator[tuple[Node, int, Callable[[], int]]]:
    """Start a process; yield (test node, process id, stop function)."""
    with own_domain(), tempfile.TemporaryFile() as log:
        # Also for the test's images, most of which would be lost otherwise.
        os.environ.update(fast_dds.variables())
        [process] = start([spec], output=log)
        context = rclpy.Context()
        rclpy.init(context=context)
        node = rclpy.create_node("load", context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)

        def spin() -> None:
            with suppress(ExternalShutdownException):
                executor.spin()

        spinning = threading.Thread(target=spin, daemon=True)
        spinning.start()

        def end() -> int:
            stop([process], signal.SIGINT, _TIMEOUT_S)
            return int(process.process.returncode)

        try:
            yield node, process.process.pid, end
        finally:
            end()
            executor.shutdown()
            spinning.join()
            node.destroy_node()
            rclpy.shutdown(context=context)


def _wait_for(condition: Callable[[], object], what: str) -> None:
    end_s = time.monotonic() + _TIMEOUT_S
    while not condition():
        if time.monotonic() > end_s:
            raise TimeoutError(f"waited {_TIMEOUT_S:.0f} s for {what}")
        time.sleep(0.05)


class _Camera:
    """One camera: publish views in turn and store the results."""

    def __init__(self, node: Node, namespace: str, views: Sequence[RgbImage]) -> None:
        self.sent = 0
        self.answers: list[tuple[float, int]] = []
        self._publisher = node.create_publisher(
            Image, f"{namespace}/image", qos_profile_sensor_data
        )
        node.create_subscription(
            EmotionArray, f"{namespace}/fer_perception/emotions", self._on_emotions, 50
        )
        self._messages = [to_image_message(view, Header()) for view in views]

    def _on_emotions(self, message: EmotionArray) -> None:
        stamp = message.header.stamp
        latency_s = time.time() - stamp.sec - 1e-9 * stamp.nanosec
        self.answers.append((latency_s, len(message.faces)))

    def publish(self) -> None:
        message = self._messages[self.sent % len(self._messages)]
        now_ns = time.time_ns()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(now_ns, 10**9)
        self._publisher.publish(message)
        self.sent += 1

    def forget(self) -> None:
        self.sent, self.answers = 0, []


def _paced(act: Callable[[int], None], rate_hz: float, seconds: float) -> float:
    """Call ``act(number)`` at a rate; return the duration [s]."""
    begun_s = next_s = time.monotonic()
    for number in range(round(rate_hz * seconds)):
        act(number)
        next_s = max(next_s + 1.0 / rate_hz, time.monotonic() - _CATCH_UP_S)
        time.sleep(max(0.0, next_s - time.monotonic()))
    return time.monotonic() - begun_s


def cameras(
    count: int,
    rate_hz: float,
    seconds: float,
    size: tuple[int, int] = (640, 480),
    faces: int = 1,
    share: float = 1.0,
) -> CameraLoad:
    """Run ``count`` cameras against one process with a node each.

    :param share: of one core that the process has; 1 for all cores.
    """
    names = [f"camera_{number}" for number in range(count)]
    spec = NodeSpec("fer_perception", "emotion_nodes", "emotion_nodes", arguments=tuple(names))
    views = moving_faces(*size, faces, _VIEWS)
    with _node(spec) as (node, pid, end):
        sources = [_Camera(node, f"/{name}", views) for name in names]

        def publish(number: int) -> None:
            sources[number % count].publish()

        said: dict[str, str] = {}

        def listen(message: DiagnosticArray) -> None:
            said.update({s.name: s.message for s in message.status if "model" not in s.name})

        node.create_subscription(DiagnosticArray, "/diagnostics", listen, 50)
        for source in sources:
            _wait_for(lambda s=source: (s.publish(), s.answers)[1], "the first answer")  # type: ignore[misc]
        with throttled(pid, share) if share < 1.0 else nullcontext():
            _paced(publish, count * rate_hz, _SETTLING_S)
            for source in sources:
                source.forget()
            process = ProcessUsage(pid)
            cpu_s, memory_mb = process.cpu_s(), process.memory_mb()
            elapsed_s, own_mb = 0.0, []
            for _ in range(_PARTS):
                elapsed_s += _paced(publish, count * rate_hz, seconds / _PARTS)
                own_mb.append(Resources.of(pid).private_kib * 1024 / 1e6)
            usage = Usage(
                100.0 * (process.cpu_s() - cpu_s) / elapsed_s, (memory_mb, process.memory_mb())
            )
            time.sleep(MAX_LATENCY_S)
        answers = [answer for source in sources for answer in source.answers]
        latencies = np.array([latency_s for latency_s, _ in answers] or [np.inf])
        return CameraLoad(
            tuple(source.sent for source in sources),
            tuple(len(source.answers) for source in sources),
            elapsed_s,
            float(np.median([found for _, found in answers] or [0])),
            (
                float(np.median(latencies)),
                float(np.percentile(latencies, 95)),
                float(latencies.max()),
            ),
            usage,
            tuple(own_mb),
            tuple(said.values()),
            end(),
        )


def messages(rate_hz: float, seconds: float) -> MessageLoad:
    """Send emotion messages at ``rate_hz`` to a light without lamps."""
    spec = NodeSpec(
        "ambient_light_driver",
        "light_node",
        "ambient_light",
        parameters=(("devices", [""]), ("face_dwell_s", 0.0), ("emotion_dwell_s", 0.0)),
    )
    with _node(spec) as (node, pid, end):
        seen_s: list[float] = []
        node.create_subscription(
            ColorRGBA,
            "/ambient_light/color",
            lambda _: seen_s.append(time.monotonic()),
            qos_profile_sensor_data,
        )
        publisher: Publisher = node.create_publisher(EmotionArray, "/emotions", 10)
        faces = [_emotion(index) for index in range(len(EMOTIONS))]

        def publish(number: int) -> None:
            publisher.publish(faces[number // 200 % len(faces)])

        _wait_for(lambda: seen_s and publisher.get_subscription_count(), "the light")
        _paced(publish, rate_hz, 1.0)
        seen_s.clear()
        process = ProcessUsage(pid)
        cpu_s, memory_mb = process.cpu_s(), process.memory_mb()
        elapsed_s = _paced(publish, rate_hz, seconds)
        times_s = np.array(seen_s)
        usage = Usage(
            100.0 * (process.cpu_s() - cpu_s) / elapsed_s, (memory_mb, process.memory_mb())
        )
        gap_s = float(np.diff(times_s).max()) if len(times_s) > 1 else float("inf")
        sent = round(rate_hz * seconds)
        return MessageLoad(sent, elapsed_s, len(times_s) / elapsed_s, gap_s, usage, end())


def _emotion(index: int) -> EmotionArray:
    face = EmotionStamped(face_id="f0001", emotion=EMOTIONS[index], confidence=1.0)
    face.scores[index] = 1.0
    return EmotionArray(faces=[face], image_width=640, image_height=480)
