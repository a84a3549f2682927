# SPDX-License-Identifier: Apache-2.0
"""Keep the last images until the faces found in one of them are known."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Generic, TypeVar

MAX_IMAGES: Final = 30
"""About one second of a camera."""

ImageT = TypeVar("ImageT")


class ImageBuffer(Generic[ImageT]):
    """The newest images by their stamp; the oldest is dropped when there are too many."""

    def __init__(self, max_images: int = MAX_IMAGES) -> None:
        self._max_images = max_images
        self._images: OrderedDict[tuple[int, int], ImageT] = OrderedDict()

    def put(self, stamp: tuple[int, int], image: ImageT) -> None:
        """Keep ``image``, taken at ``stamp`` (seconds, nanoseconds)."""
        self._images[stamp] = image
        while len(self._images) > self._max_images:
            self._images.popitem(last=False)

    def take(self, stamp: tuple[int, int]) -> ImageT | None:
        """Return the image of ``stamp``, or None; it and those before it are dropped."""
        if stamp not in self._images:
            return None
        while True:
            key, image = self._images.popitem(last=False)
            if key == stamp:
                return image

    def clear(self) -> None:
        """Drop all images."""
        self._images.clear()
