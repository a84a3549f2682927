# SPDX-License-Identifier: Apache-2.0
"""No picture leaves the graph by default, checked by system calls.

All messages go over UDP here, so that what is published is seen as well.
"""

import re
import shutil
import time

import numpy as np
import pytest
from fer_msgs.msg import EmotionArray
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import ColorRGBA, Header

from fer_bringup.standalone.launch_file import processes
from fer_bringup.standalone.processes import CommandSpec, command, start, stop
from fer_perception.images.frame_source import PortraitSource
from fer_perception.nodes.image_messages import to_image_message

OPENED = "open,openat,openat2,creat,connect"
SENT = "write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg,sendfile,splice,vmsplice"
OPEN = re.compile(r'(creat|open|openat2?)\((?:AT_FDCWD, )?"([^"]*)"(.*)')
ADDRESS = re.compile(r'inet_(?:addr\(|pton\(AF_INET6, )"([^"]*)"')
# Loopback, and the multicast group by which DDS finds others.
HERE = re.compile(r"127\.|239\.255\.0\.1$|::1$|::ffff:127\.")
IMAGES = 20
# Grey pixels, so that it is the same in RGB and BGR, and known again when only grey is kept.
MARK = np.random.default_rng(7).permutation(256)[:24].astype(np.uint8)
PATTERNS = (MARK.tobytes(), np.repeat(MARK, 3).tobytes(), np.repeat(MARK, 4).tobytes())


def marked_portrait():
    image = PortraitSource(320, 240).read().copy()
    for row in range(0, 240, 8):
        image[row, -len(MARK) :] = MARK[:, None]
        image[row, : len(MARK)] = MARK[:, None]
    return image


class TracedGraph:
    """The graph as started by users, each process under strace."""

    def __init__(self, folder, strace):
        given = {"camera": "false", "image_topic": "/camera/image_raw", "dashboard": "0"}
        self.names, specs = [], []
        for spec in processes("fer_light", aggregator="false", **given):
            self.names.append(spec.name)
            trace = folder / f"{spec.name}.trace"
            options = ("-D", "-f", "-xx", "-s", "70000", "--seccomp-bpf", "-qq", "-o", str(trace))
            words = (strace, *options, "-e", f"trace={OPENED},{SENT}", *command(spec))
            specs.append(CommandSpec(spec.name, words))
        self.traces = [folder / f"{name}.trace" for name in self.names]
        self.log_folder = folder / "ros"
        variables = {
            "ROS_LOG_DIR": str(self.log_folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.log = (folder / "output").open("w+b")
        self.nodes = start(specs, variables, self.log)

    def stop(self):
        assert stop(self.nodes, grace_s=60.0) == [], self.log.name
        # The tracers end after the traced processes.
        for trace in self.traces:
            end = time.monotonic() + 30.0
            size = -1
            while trace.stat().st_size != size and time.monotonic() < end:
                size = trace.stat().st_size
                time.sleep(0.3)

    def mark(self):
        """Remember the current end of the traces."""
        time.sleep(0.3)  # until they are written
        self._begun = [trace.stat().st_size for trace in self.traces]

    def calls(self, after_mark):
        """Yield (node, trace line) before or after the mark."""
        for name, trace, begun in zip(self.names, self.traces, self._begun, strict=True):
            data = trace.read_bytes()
            for line in (data[begun:] if after_mark else data[:begun]).decode().splitlines():
                yield name, line


def texts(line):
    """Yield the bytes passed to a call."""
    for found in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', line):
        yield bytes.fromhex(found.replace("\\x", ""))


def leaks(calls):
    """Return the calls that transfer a part of the picture, as (node, call)."""
    return [
        (name, line.split("(")[0].split()[-1])
        for name, line in calls
        if any(pattern in text for text in texts(line) for pattern in PATTERNS)
    ]


@pytest.fixture
def graph(udp_only, tmp_path, monkeypatch):
    monkeypatch.delenv("CI", raising=False)  # libraries behave better where it is set
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is missing: pictures on disk or network were not checked")
    graph = TracedGraph(tmp_path, strace)
    time.sleep(1.0)
    if any(not node.running for node in graph.nodes):
        graph.log.seek(0)
        text = graph.log.read().decode()
        stop(graph.nodes)
        if "ptrace" in text or "PTRACE" in text:
            pytest.skip("strace is not permitted: pictures on disk or network were not checked")
        pytest.fail(text)
    yield graph
    stop(graph.nodes)


def show(graph, peer, until):
    images = peer.node.create_publisher(Image, "/camera/image_raw", qos_profile_sensor_data)
    image = marked_portrait()

    def shown():
        now_s = time.time()
        header = Header(frame_id="camera_optical_frame")
        header.stamp.sec = int(now_s)
        images.publish(to_image_message(image, header))
        peer.spin(0.03)
        return until()

    peer.wait_until(shown, "the graph", nodes=tuple(graph.nodes), timeout_s=120.0)


def readable(text):
    return bytes.fromhex(text.replace("\\x", "")).decode()


def files_written(calls):
    """Return the files that were opened for writing."""
    opened = (match for _, line in calls for match in OPEN.findall(line))
    return {
        readable(name)
        for call, name, rest in opened
        if call == "creat" or re.search("O_(WRONLY|RDWR|CREAT)", rest)
    }


def test_no_byte_of_a_picture_reaches_disk_or_network_unless_asked_for(graph, peer):
    emotions = peer.collect(EmotionArray, "/fer_perception/emotions", 50)
    colors = peer.collect(ColorRGBA, "/ambient_light/color", 50)
    show(graph, peer, lambda: sum(bool(m.faces) for m in emotions) >= IMAGES and colors)
    graph.mark()
    annotated = peer.collect(Image, "/fer_perception/annotated", qos_profile_sensor_data)
    show(graph, peer, lambda: len(annotated) >= 3)
    graph.stop()

    calls = list(graph.calls(after_mark=False))
    assert {name for name, _ in calls} == set(graph.names)
    assert leaks(calls) == []
    kept = (str(graph.log_folder), "/dev/null", "/dev/tty")
    assert [name for name in files_written(calls) if not name.startswith(kept)] == []
    found = (text for _, line in calls for text in ADDRESS.findall(line))
    addresses = {readable(text) if "\\" in text else text for text in found}
    assert any(HERE.match(address) for address in addresses)
    assert [address for address in addresses if not HERE.match(address)] == []

    # The requested picture is in the traces, so that they would reveal others.
    assert {name for name, _ in leaks(graph.calls(after_mark=True))} == {"fer_perception"}
