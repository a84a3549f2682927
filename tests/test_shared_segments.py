# SPDX-License-Identifier: Apache-2.0
"""Nodes with large shared memory segments hold only what their images take."""

import re
from pathlib import Path

import numpy as np
import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from fer_bringup import fast_dds
from fer_perception.images.portrait import PortraitSource
from fer_perception.nodes.image_messages import to_rgb

WIDTH, HEIGHT = 1920, 1080
LOCK = re.compile(r"(/dev/shm/fast\w+_[0-9a-f]{16})_el")


def segments_mb(pid):
    """Memory of the segments that the process has created: it holds their locks."""
    locks = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
    segments = {lock[1] for lock in map(LOCK.fullmatch, locks) if lock}
    assert segments
    return sum(Path(segment).stat().st_blocks for segment in segments) * 512 / 1e6


def test_a_camera_holds_few_images_and_sends_them_intact(start_node, peer):
    if not Path("/dev/shm").is_dir():
        pytest.skip("no /dev/shm: the memory of segments was not checked")
    frames = peer.collect(Image, "/camera/image_raw", qos_profile_sensor_data)
    camera = start_node(
        "fer_perception",
        "camera_node",
        "camera",
        parameters={"source": "portrait", "width": WIDTH, "height": HEIGHT, "rate_hz": 10.0},
        variables=fast_dds.variables(),
    )
    peer.wait_until(lambda: len(frames) > 5, "images", nodes=(camera.node,))
    # Each frame on its way takes 6.2 MB; the segment has room for ten.
    assert segments_mb(camera.pid) < 30.0
    source = PortraitSource(WIDTH, HEIGHT)
    views = (source.read() for _ in range(300))
    for frame in frames:
        image = to_rgb(frame)
        assert any(np.array_equal(image, view) for view in views), "an image was damaged"
    assert camera.stop() == 0
