# SPDX-License-Identifier: Apache-2.0
"""Convert between image messages and RGB arrays."""

from __future__ import annotations

from array import array

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from ..face import RgbImage
from ..images.compressed import DecodedImage, decode_compressed
from ..images.decoding import decode_raw


def decode(message: Image | CompressedImage) -> DecodedImage:
    """Decode an image message; the pixels may share its memory.

    :raises ~fer_perception.images.decoding.ImageError: when it cannot be read.
    """
    if isinstance(message, CompressedImage):
        return decode_compressed(message.data, message.format)
    return DecodedImage(decode_raw(message))


def to_rgb(message: Image | CompressedImage) -> RgbImage:
    """Return the pixels of an image message; they may share its memory.

    :raises ~fer_perception.images.decoding.ImageError: when it cannot be read.
    """
    return decode(message).pixels


def to_image_message(image: RgbImage, header: Header) -> Image:
    """Return ``image`` as a message of encoding rgb8."""
    height, width = image.shape[:2]
    message = Image(
        header=header, height=height, width=width, encoding="rgb8", is_bigendian=0, step=3 * width
    )
    # rclpy accepts an array as it is but would check bytes one by one.
    data = array("B")
    data.frombytes(np.ascontiguousarray(image).data)
    message.data = data
    return message
