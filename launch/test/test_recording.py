# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

from ambient_light_driver.color.light_color import OFF, LightColor
from fer_bringup.demo.recording import Recording, beside_lamp

RED = LightColor(1.0, 0.0, 0.0, 1.0)
BLUE = LightColor(0.0, 0.0, 1.0, 1.0)


def grey(level: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize("width", [64, 65, 66, 67])
def test_the_lamp_stands_right_of_the_unchanged_frame(width):
    image = beside_lamp(grey(90, width), RED)
    assert image.shape[1] % 2 == 0
    assert (image[:, :width] == 90).all()
    red, green, blue = image[24, width + (image.shape[1] - width) // 2]
    assert red > 240
    assert max(green, blue) < 20


def test_a_lamp_that_is_off_does_not_glow():
    assert beside_lamp(grey(90), OFF)[:, 64:].max() < 20


def test_video_holds_every_frame_and_the_picture_the_most_confident(tmp_path):
    recording = Recording(tmp_path / "demo", rate_hz=15.0)
    for level, lamp, confidence in ((10, OFF, 0.0), (200, BLUE, 0.9), (60, RED, 0.4)):
        recording.add(grey(level), lamp, confidence)
    assert recording.close() == [tmp_path / "demo/annotated.mp4", tmp_path / "demo/annotated.png"]

    picture = cv2.cvtColor(cv2.imread(str(recording.picture_path)), cv2.COLOR_BGR2RGB)
    assert (picture == beside_lamp(grey(200), BLUE)).all()
    video = cv2.VideoCapture(str(recording.video_path))
    levels = []
    while (read := video.read())[0]:
        levels.append(read[1][:40, :40].mean())
    assert levels == pytest.approx([10, 200, 60], abs=8)


def test_frames_of_another_size_do_not_end_the_video(tmp_path):
    recording = Recording(tmp_path, rate_hz=15.0)
    recording.add(grey(10), OFF, 0.0)
    recording.add(grey(10, 128, 96), OFF, 0.0)
    recording.close()
    assert cv2.VideoCapture(str(recording.video_path)).get(cv2.CAP_PROP_FRAME_COUNT) == 2


def test_nothing_is_written_without_a_frame(tmp_path):
    assert Recording(tmp_path, rate_hz=15.0).close() == []
    assert list(tmp_path.iterdir()) == []
