# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

from fer_perception.images.frame_source import FrameSourceError, PortraitSource, open_frame_source

RED, BLUE = (200, 30, 30), (30, 30, 200)


def _write_images(folder):
    for name, color in (("b.png", BLUE), ("a.png", RED)):
        picture = np.full((48, 64, 3), color, np.uint8)
        cv2.imwrite(str(folder / name), picture[..., ::-1])
    (folder / "notes.txt").write_text("not an image")


def test_folder_is_read_in_order_of_names_and_can_start_again(tmp_path):
    _write_images(tmp_path)
    source = open_frame_source(str(tmp_path))
    first, second, end = source.read(), source.read(), source.read()
    assert (first[0, 0] == RED).all() and (second[0, 0] == BLUE).all() and end is None
    source.rewind()
    assert (source.read() == first).all()


def test_broken_image_is_named_and_the_next_one_follows(tmp_path):
    _write_images(tmp_path)
    (tmp_path / "a.png").write_bytes(b"broken")
    source = open_frame_source(str(tmp_path))
    with pytest.raises(FrameSourceError, match="a.png"):
        source.read()
    assert (source.read()[0, 0] == BLUE).all()


def test_video_gives_its_frames_in_rgb_at_its_rate(tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 12.5, (64, 48))
    for color in (RED, RED, BLUE):
        writer.write(np.full((48, 64, 3), color, np.uint8)[..., ::-1])
    writer.release()
    source = open_frame_source(str(path))
    assert source.rate_hz == pytest.approx(12.5)
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame[24, 32])
    assert len(frames) == 3
    assert frames[0][0] > 150 > frames[0][2] and frames[2][2] > 150 > frames[2][0]
    source.rewind()
    assert source.read() is not None
    source.close()


@pytest.mark.parametrize(
    ("source", "message"),
    [("/no/such/file.mp4", "no such source"), ("97", "camera 97"), ("folder", "holds no image")],
)
def test_what_cannot_be_opened_is_named(source, message, tmp_path):
    if source == "folder":
        source = str(tmp_path)
    with pytest.raises(FrameSourceError, match=message):
        open_frame_source(source)


def test_file_that_is_no_video_is_named(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"no video")
    with pytest.raises(FrameSourceError, match="clip.mp4"):
        open_frame_source(str(path))


def test_portrait_moves_and_has_the_size_asked_for():
    source = PortraitSource(320, 240)
    first = source.read()
    assert first.shape == (240, 320, 3)
    for _ in range(20):
        later = source.read()
    assert (first != later).any()
    source.rewind()
    assert (source.read() == first).all()
