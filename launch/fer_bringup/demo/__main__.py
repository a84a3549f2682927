# SPDX-License-Identifier: Apache-2.0
"""Start ``fer_light``, show its output and record it.

The source is the webcam, else the clip ``VIDEO=...``, else a moving portrait.
``DEMO_SECONDS`` sets the length.
"""

import argparse
import contextlib
import math
import os
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType

import rclpy
from fer_msgs.msg import EmotionArray, EmotionStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from rich.console import Console
from rich.live import Live
from sensor_msgs.msg import Image
from std_msgs.msg import ColorRGBA

from ambient_light_driver.color.light_color import OFF, LightColor
from fer_bringup import fast_dds
from fer_bringup.dashboard.access import DEFAULT_PORT
from fer_bringup.demo.live_table import faces_line, faces_table
from fer_bringup.demo.recording import Recording, RgbImage
from fer_bringup.standalone.launch_file import processes
from fer_bringup.standalone.processes import NodeProcess, start, stop
from fer_common.nodes.command_line import own_words
from fer_perception.images.decoding import ImageError
from fer_perception.nodes.image_messages import to_rgb

FOLDER = Path("demo")
DEFAULT_SECONDS = 20.0
# Timeout for loading the network and handling the first frame [s].
FIRST_EMOTION_S = 60.0
VIDEO_RATE_HZ = 15.0
PLAIN_LINE_S = 1.0


class Listener(Node):
    """Keep the newest messages of the graph."""

    def __init__(self) -> None:
        super().__init__("fer_demo")
        self.emotions: EmotionArray | None = None
        self.frames_with_faces = 0
        self.lamp: LightColor | None = None
        self.frame: RgbImage | None = None
        self.create_subscription(EmotionArray, "fer_perception/emotions", self._on_emotions, 10)
        self.create_subscription(
            Image, "fer_perception/annotated", self._on_annotated, qos_profile_sensor_data
        )
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(ColorRGBA, "ambient_light/color", self._on_color, latched)

    @property
    def faces(self) -> list[EmotionStamped]:
        """The faces of the newest image."""
        return list(self.emotions.faces) if self.emotions else []

    @property
    def confidence(self) -> float:
        """The highest confidence among the faces, 0 without a face."""
        return max((face.confidence for face in self.faces), default=0.0)

    def _on_emotions(self, message: EmotionArray) -> None:
        self.emotions = message
        self.frames_with_faces += bool(message.faces)

    def _on_color(self, message: ColorRGBA) -> None:
        self.lamp = LightColor(message.r, message.g, message.b, message.a)

    def _on_annotated(self, message: Image) -> None:
        try:
            self.frame = to_rgb(message)
        except ImageError as error:
            self.get_logger().error(f"annotated image: {error}", throttle_duration_sec=5.0)


def main(args: list[str] | None = None) -> int:
    """Run the demo.

    :returns: 0, or 1 with one line that says why nothing was shown.
    :raises SystemExit: with code 0 after ``--help``, with code 2 for a wrong command line.
    """
    argparse.ArgumentParser(prog="demo", description=__doc__).parse_args(own_words(args))
    try:
        length_s = _length_s()
        port = str(_free_port())
        specs = processes("fer_light", dashboard=port, **_source())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    # This process also reads images and requires the same transport.
    os.environ.update(fast_dds.variables())

    asked: list[int] = []

    def remember(signum: int, _frame: FrameType | None) -> None:
        asked.append(signum)

    signal.signal(signal.SIGINT, remember)
    signal.signal(signal.SIGTERM, remember)
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    FOLDER.mkdir(exist_ok=True)
    recording = Recording(FOLDER, VIDEO_RATE_HZ)
    nodes: list[NodeProcess] = []
    log_path = FOLDER / "nodes.log"
    try:
        with log_path.open("wb") as log:
            nodes = start(specs, output=log)
            listener = Listener()
            print(f"Dashboard: http://127.0.0.1:{port}/", flush=True)
            _watch(listener, nodes, recording, length_s, asked)
    except (FileNotFoundError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        failures = stop(nodes)
        rclpy.try_shutdown()
    try:
        written = recording.close()
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return _report(listener, failures, written, log_path, interrupted=bool(asked))


def _watch(
    listener: Listener,
    nodes: list[NodeProcess],
    recording: Recording,
    length_s: float,
    asked: list[int],
) -> None:
    """Show and record until timeout, failure of a node, or a signal."""
    console = Console()
    print("Starting camera, perception and light ...", flush=True)
    started = time.monotonic()
    end = math.inf
    next_frame = next_line = started
    with Live(console=console, auto_refresh=False) as live:
        while not asked and not any(node.failure for node in nodes):
            rclpy.spin_once(listener, timeout_sec=0.02)
            now = time.monotonic()
            if listener.emotions is None:
                if now > started + FIRST_EMOTION_S:
                    return
                continue
            end = min(end, now + length_s)
            if now >= end:
                return
            if now >= next_frame and listener.frame is not None:
                # Every tick writes a frame, so that the video runs in real time.
                recording.add(listener.frame, listener.lamp or OFF, listener.confidence)
                next_frame = max(next_frame + 1.0 / VIDEO_RATE_HZ, now - 1.0)
            if console.is_terminal:
                title = f"Apparent expressions and lamp, {end - now:.0f} s left (Ctrl-C ends)"
                live.update(faces_table(listener.faces, listener.lamp, title), refresh=True)
            elif now >= next_line:
                print(faces_line(listener.faces, listener.lamp), flush=True)
                next_line = now + PLAIN_LINE_S


def _report(
    listener: Listener,
    failures: list[str],
    written: list[Path],
    log_path: Path,
    interrupted: bool,
) -> int:
    for path in written:
        print(f"Wrote {path}")
    if failures:
        last_lines = "\n".join(log_path.read_text(errors="replace").splitlines()[-15:])
        print(
            f"{last_lines}\nNode failed: {'; '.join(failures)} (full log: {log_path})",
            file=sys.stderr,
        )
        return 1
    if listener.emotions is None and not interrupted:
        print(
            f"No emotion was received within {FIRST_EMOTION_S:.0f} s: the log of the nodes is "
            f"{log_path}",
            file=sys.stderr,
        )
        return 1
    if not listener.frames_with_faces:
        print("No face was found. Try a clip with a face: make demo VIDEO=clip.mp4")
    return 0


def _length_s() -> float:
    text = os.environ.get("DEMO_SECONDS") or str(DEFAULT_SECONDS)
    try:
        length_s = float(text)
    except ValueError:
        length_s = math.nan
    if not 0.0 < length_s < math.inf:
        raise ValueError(f"DEMO_SECONDS is {text!r}: give a number of seconds above 0")
    return length_s


def _free_port() -> int:
    """Return the dashboard's default port, or a free one."""
    for port in (DEFAULT_PORT, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            # Like the server: a recently closed port is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise ValueError("no TCP port is free for the dashboard")


def _source() -> dict[str, str]:
    """Return the camera's source as a launch argument, possibly none."""
    video = os.environ.get("VIDEO")
    if not video:
        return {}
    if not Path(video).exists():
        raise ValueError(f"VIDEO is {video!r}: no such file")
    return {"source": str(Path(video).absolute())}


if __name__ == "__main__":
    sys.exit(main())
