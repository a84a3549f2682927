# SPDX-License-Identifier: Apache-2.0
"""Buffer of images that wait for their recognition results."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Generic, TypeVar

MAX_IMAGES: Final = 30
"""About one second of camera images."""

ImageT = TypeVar("ImageT")


class ImageBuffer(Generic[ImageT]):
    """The newest images by stamp; drop the oldest when full."""

    def __init__(self, max_images: int = MAX_IMAGES) -> None:
        self._max_images = max_images
        self._images: OrderedDict[tuple[int, int], ImageT] = OrderedDict()

    def put(self, stamp: tuple[int, int], image: ImageT) -> None:
        """Add ``image`` with ``stamp`` (seconds, nanoseconds)."""
        self._images[stamp] = image
        while len(self._images) > self._max_images:
            self._images.popitem(last=False)

    def take(self, stamp: tuple[int, int]) -> ImageT | None:
        """Remove and return the image of ``stamp``, or None; drop older ones."""
        if stamp not in self._images:
            return None
        while True:
            key, image = self._images.popitem(last=False)
            if key == stamp:
                return image

    def clear(self) -> None:
        """Drop all images."""
        self._images.clear()
