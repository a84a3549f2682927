# SPDX-License-Identifier: Apache-2.0
"""Send hostile messages to running nodes over DDS and check them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from random import Random
from typing import Any

import rclpy
from fer_msgs.msg import EmotionArray
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import ColorRGBA, Header

from fer_bringup import fast_dds
from fer_bringup.standalone.processes import NodeProcess, NodeSpec, start, stop
from fer_common.options import options_of
from fer_perception.images.frame_source import PortraitSource
from fer_perception.nodes.image_messages import to_image_message
from fer_perception.settings import (
    DETECTOR_NAMES,
    RECOGNIZER_NAMES,
    EmotionNodeSettings,
)
from robustness.soak.domain import own_domain
from robustness.soak.resources import resident_kib

from .campaign import MAX_GROWTH_KIB, Failure, Report
from .mutation import mutated, nasty_float, nasty_integer, nasty_text
from .targets.emotion_messages import hostile_message

INPUTS = 20_000
NAME = "live_nodes"

_BATCH = 100
_PACE_S = 0.001
_PARAMETER_SHARE = 0.02
# Reloaded networks leave up to 60 MB with the allocator, which reuses them for the next
# ones: a growth without a leak (test_reloading.py in fer_perception), which would hide others.
_KNOBS = sorted(options_of(EmotionNodeSettings).keys() - DETECTOR_NAMES - RECOGNIZER_NAMES)
_PATIENCE_S = 30.0
_WARM_UP_SHARE = 0.3
_SPECS = (
    NodeSpec("fer_perception", "emotion_node", "fer_perception"),
    NodeSpec(
        "fer_perception",
        "emotion_node",
        "packed",
        parameters=(("image_transport", "compressed"),),
    ),
    NodeSpec(
        "ambient_light_driver",
        "light_node",
        "ambient_light",
        parameters=(("devices", [""]), ("time_constant_s", 0.0)),
        remappings=(("emotions", "/hostile"),),
    ),
)


class _Attacker:
    """A participant of the graph that sends hostile messages."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.node = rclpy.create_node("attacker")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        # Reliable and deep, so that no message is lost.
        deep = QoSProfile(depth=200)
        self._images = self.node.create_publisher(Image, "/image", deep)
        self._packed = self.node.create_publisher(CompressedImage, "/image/compressed", deep)
        self._emotions = self.node.create_publisher(EmotionArray, "/hostile", deep)
        self._answered: dict[str, set[int]] = {"fer_perception": set(), "packed": set()}
        for name in self._answered:
            self.node.create_subscription(
                EmotionArray, f"/{name}/emotions", self._note_answer(name), 50
            )
        self._colors = 0
        self.node.create_subscription(
            ColorRGBA, "/ambient_light/color", self._on_color, qos_profile_sensor_data
        )
        self._clients = {
            spec.name: self.node.create_client(SetParameters, f"/{spec.name}/set_parameters")
            for spec in _SPECS
        }
        self._portrait = PortraitSource(320, 240).read()
        self._probe = 0

    def _note_answer(self, name: str) -> Callable[[EmotionArray], None]:
        return lambda message: self._answered[name].add(message.header.stamp.sec)

    def _on_color(self, _message: ColorRGBA) -> None:
        self._colors += 1

    def attack(self) -> None:
        """Send one hostile input."""
        kind = self._rng.randrange(6)
        if self._rng.random() < _PARAMETER_SHARE:
            self._set_parameter()
        elif kind == 0:
            self._images.publish(self._hostile_image())
        elif kind == 1:
            self._packed.publish(self._hostile_packed_image())
        elif kind == 2:
            self._emotions.publish(hostile_message(self._rng))
        else:
            # Bytes that do not form a message: any participant of the domain can send them.
            publisher, message = self._rng.choice(
                (
                    (self._images, self._hostile_image()),
                    (self._packed, self._hostile_packed_image()),
                    (self._emotions, hostile_message(self._rng)),
                )
            )
            publisher.publish(mutated(self._rng, serialize_message(message)))
        self._executor.spin_once(timeout_sec=_PACE_S)

    def _header(self) -> Header:
        header = Header(frame_id=nasty_text(self._rng))
        header.stamp.sec = nasty_integer(self._rng, -(2**31), 2**31 - 1)
        header.stamp.nanosec = nasty_integer(self._rng, 0, 2**32 - 1)
        return header

    def _hostile_image(self) -> Image:
        side = self._rng.choice((1, 8, 40))
        return Image(
            header=self._header(),
            width=nasty_integer(self._rng, 0, 2**32 - 1),
            height=side,
            step=nasty_integer(self._rng, 0, 2**32 - 1),
            encoding=self._rng.choice(("rgb8", "mono16", "bayer_rggb8", nasty_text(self._rng))),
            data=self._rng.randbytes(self._rng.choice((0, 7, side * side * 3))),
        )

    def _hostile_packed_image(self) -> CompressedImage:
        data = self._rng.choice((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b""))
        data += self._rng.randbytes(40)
        return CompressedImage(header=self._header(), format=nasty_text(self._rng), data=data)

    def _set_parameter(self) -> None:
        spec = self._rng.choice(_SPECS)
        if spec.package == "fer_perception":
            name = self._rng.choice(_KNOBS)
        else:
            name = self._rng.choice(("palette", "brightness", "devices", "max_flashes", "type"))
        value: Any = self._rng.choice(
            (nasty_float(self._rng), nasty_text(self._rng), True, [nasty_text(self._rng)])
        )
        if isinstance(value, list) or "\0" in str(value):
            value = ["nothing"]
        message = Parameter(name, value=value).to_parameter_msg()
        client = self._clients[spec.name]
        future = client.call_async(SetParameters.Request(parameters=[message]))
        # The responses are not used; without this the client would keep them all.
        future.add_done_callback(lambda _: None)

    def longest_silence_s(self, alive: Callable[[], bool]) -> float:
        """Return the response time of the slowest node to valid input [s].

        :param alive: returns whether the nodes run; without it, waiting ends.
        """
        self._probe += 1
        header = Header(frame_id="probe")
        header.stamp.sec = 10**6 + self._probe
        image = to_image_message(self._portrait, header)
        packed = CompressedImage(header=header, format="png", data=_png(self._portrait))
        colors_before = self._colors
        start_s = time.monotonic()
        sent_s = 0.0
        while time.monotonic() - start_s < _PATIENCE_S and alive():
            if time.monotonic() - sent_s > 0.1:
                self._images.publish(image)
                self._packed.publish(packed)
                sent_s = time.monotonic()
            self._executor.spin_once(timeout_sec=0.01)
            answered = all(header.stamp.sec in seen for seen in self._answered.values())
            if answered and self._colors > colors_before:
                break
        return time.monotonic() - start_s


def _png(image: Any) -> bytes:
    import cv2

    return bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())


def run(inputs: int, seed: int = 0) -> Report:
    """Send hostile inputs to a perception of each transport and a light."""
    report = Report(NAME)
    start_s = time.monotonic()
    with own_domain(), tempfile.TemporaryFile() as log:
        nodes = start(_SPECS, fast_dds.variables(), log)
        rclpy.init()
        try:
            _attack(report, nodes, _Attacker(Random(f"{NAME}:{seed}")), inputs)
        finally:
            rclpy.shutdown()
            failures = stop(nodes, grace_s=_PATIENCE_S)
        log.seek(0)
        printed = log.read().decode(errors="replace")
    report.failures += [Failure("crash", report.inputs, text) for text in failures]
    if "Traceback" in printed:
        at = printed.index("Traceback")
        report.failures.append(Failure("crash", report.inputs, printed[at : at + 3000]))
    report.wall_s = time.monotonic() - start_s
    return report


def _attack(report: Report, nodes: list[NodeProcess], attacker: _Attacker, inputs: int) -> None:
    def alive() -> bool:
        return all(node.running for node in nodes)

    attacker.longest_silence_s(alive)  # until they have started
    warm: list[int] = []
    while report.inputs < inputs and alive():
        for _ in range(min(_BATCH, inputs - report.inputs)):
            attacker.attack()
            report.inputs += 1
        silence_s = attacker.longest_silence_s(alive)
        report.longest_s = max(report.longest_s, silence_s)
        if silence_s >= _PATIENCE_S:
            report.failures.append(
                Failure("hang", report.inputs, f"no answer within {_PATIENCE_S:g} s")
            )
            return
        if not warm and report.inputs >= _WARM_UP_SHARE * inputs:
            warm = [resident_kib(node.process.pid) for node in nodes]
    if warm and alive():
        growths = [
            resident_kib(node.process.pid) - before
            for node, before in zip(nodes, warm, strict=True)
        ]
        report.growth_kib = max(growths)
        if report.growth_kib > MAX_GROWTH_KIB:
            report.failures.append(Failure("growth", report.inputs, f"{growths} KiB more"))
