# SPDX-License-Identifier: Apache-2.0
"""The camera node on faulty streams, videos and folders."""

import cv2
import numpy as np
from network_camera import FRAMES, network_camera
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from fer_perception.images.frame_source import (
    Frame,
    FrameSource,
    FrameSourceError,
    SourceReport,
)
from fer_perception.nodes import camera_node


def camera_of(start_node, source, **parameters):
    return start_node(
        "fer_perception",
        "camera_node",
        "camera",
        parameters={"source": source, **parameters},
    )


def collected(peer):
    return peer.collect(Image, "/camera/image_raw", qos_profile_sensor_data)


def test_a_stream_that_breaks_off_is_opened_again(start_node, peer):
    frames = collected(peer)
    with network_camera() as address:
        camera = camera_of(start_node, address, reconnect_s=0.5)
        peer.wait_until(
            # A connection gives so many frames; some of the first may not be received.
            lambda: len(frames) > FRAMES and "gives frames again" in camera.output,
            "frames of a second connection",
            nodes=(camera.node,),
        )
    assert "gives no more frames" in camera.output
    assert camera.stop() == 0


def test_a_camera_that_is_not_there_is_an_error_and_no_portrait(start_node, peer):
    frames = collected(peer)
    camera = camera_of(start_node, 97)  # a number, as typed by users
    peer.wait_until(
        lambda: "cannot open camera 97" in camera.output, "an error", nodes=(camera.node,)
    )
    peer.spin(2.0)
    assert frames == [] and camera.output.count("cannot open camera 97") == 1


class _Unplugged(FrameSource):
    """A camera that gives one frame and is then unplugged."""

    is_live = True

    def __next__(self):
        if self.report.frames:
            raise FrameSourceError("unplugged")
        self.report = SourceReport(frames=1)
        return Frame(np.zeros((4, 4, 3), np.uint8), 0.0)


def test_no_portrait_takes_the_place_of_a_camera_that_was_unplugged(peer, monkeypatch):
    asked = []

    def open_source(source, *args, **options):
        asked.append(source)
        return _Unplugged("camera")

    monkeypatch.setattr(camera_node, "open_frame_source", open_source)
    node = camera_node.CameraNode(context=peer.context)
    peer.wait_until(lambda: len(asked) >= 2, "a second attempt")
    node.close()
    node.destroy_node()
    assert asked[:2] == ["", "0"]


def test_what_a_folder_cannot_give_is_said_once_although_it_loops(start_node, peer, tmp_path):
    for number in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((48, 64, 3), 10 * number, np.uint8))
    (tmp_path / "2.png").write_bytes(b"broken")
    frames = collected(peer)
    camera = camera_of(start_node, str(tmp_path), rate_hz=50.0)
    peer.wait_until(lambda: len(frames) >= 8, "frames of several rounds", nodes=(camera.node,))
    assert camera.output.count("left out") == 1 and "2.png" in camera.output
    assert {frame.data[0] for frame in frames} == {10, 100}


def test_a_folder_of_broken_pictures_is_not_said_to_be_published(start_node, peer, tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}.png").write_bytes(b"broken")
    camera = camera_of(start_node, str(tmp_path), reconnect_s=0.5)
    peer.wait_until(
        lambda: "none of its 2 pictures can be read" in camera.output,
        "the error",
        nodes=(camera.node,),
    )
    peer.spin(3.0)  # several retries
    assert " on /camera/image_raw at " not in camera.output
    assert camera.output.count("left out") == 2
    cv2.imwrite(str(tmp_path / "3.png"), np.full((48, 64, 3), 90, np.uint8))
    peer.wait_until(
        lambda: " on /camera/image_raw at " in camera.output, "a frame", nodes=(camera.node,)
    )
    assert camera.output.count("left out") == 2


def test_a_video_that_is_cut_short_is_a_warning_with_both_numbers(start_node, peer, tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 50.0, (64, 48))
    rng = np.random.default_rng(0)
    for _ in range(40):
        writer.write(rng.integers(0, 256, (48, 64, 3), np.uint8))
    writer.release()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    camera = camera_of(start_node, str(path), loop=False)
    peer.wait_until(lambda: "the source has ended" in camera.output, "the end of the clip")
    assert "promises 40 frames, but only" in camera.output
