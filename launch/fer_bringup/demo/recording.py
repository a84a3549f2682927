# SPDX-License-Identifier: Apache-2.0
"""Record annotated frames with the lamp as video and picture."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ambient_light_driver.color.light_color import LightColor
from fer_common.atomic_file import write_atomically
from fer_perception.images.video_writer import VideoWriter

RgbImage = NDArray[np.uint8]

# Width of the lamp's panel, as a share of the frame's.
PANEL = 0.25


def beside_lamp(frame: RgbImage, lamp: LightColor) -> RgbImage:
    """Return the frame with a lamp panel at its right.

    :param frame: H x W x 3, RGB, 8 bits a channel.
    :returns: H x (1 + PANEL) W x 3, the width rounded up to an even number.
    """
    height, width = frame.shape[:2]
    # Video codecs require even sizes.
    panel_width = round(PANEL * width) + (width + round(PANEL * width)) % 2
    y, x = np.mgrid[:height, :panel_width]
    radius = 0.28 * panel_width
    distance = np.hypot(x - panel_width / 2, y - height / 2)
    # Full inside the disc, outside a halo that fades with the distance.
    glow = np.where(distance < radius, 1.0, 0.55 * np.exp((radius - distance) / radius))
    panel = 12.0 + 243.0 * glow[:, :, None] * np.array(lamp.displayed_rgb())
    return np.hstack([frame, np.minimum(panel, 255.0).astype(np.uint8)])


class Recording:
    """Write ``annotated.mp4`` continuously and ``annotated.png`` at the end.

    The picture is the frame of the highest confidence, so that it shows a face if any frame does.

    :param folder: output folder; created if needed.
    :param rate_hz: frames per second of the video.
    """

    def __init__(self, folder: Path, rate_hz: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.video_path = folder / "annotated.mp4"
        self.picture_path = folder / "annotated.png"
        self._video = VideoWriter(self.video_path, rate_hz)
        self._best: RgbImage | None = None
        self._best_confidence = -1.0

    def add(self, frame: RgbImage, lamp: LightColor, confidence: float) -> None:
        """Append one frame.

        :param confidence: of the most confident face in the frame; 0 without one.
        :raises OSError: when the video cannot be written.
        """
        image = beside_lamp(frame, lamp)
        # The last of equal frames, as the lamp follows with a delay.
        if confidence >= self._best_confidence:
            self._best, self._best_confidence = image, confidence
        self._video.write(image)

    def close(self) -> list[Path]:
        """Finish both files and return the written paths.

        :raises OSError: when a file cannot be written.
        """
        if self._best is None:
            return []
        self._video.close()
        _, content = cv2.imencode(".png", cv2.cvtColor(self._best, cv2.COLOR_RGB2BGR))
        write_atomically(self.picture_path, content.tobytes())
        return [self.video_path, self.picture_path]
