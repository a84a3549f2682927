# SPDX-License-Identifier: Apache-2.0
"""Which images a bag holds."""

from pathlib import Path


def bag_image_topic(bag: Path, asked: str) -> tuple[str, str]:
    """Return the bag's topic with the images and their transport: 'raw' or 'compressed'.

    :param asked: the topic, where the bag has several; else empty.
    :raises ValueError: the bag cannot be read, or has no such topic, or several.
    """
    # Only where a bag is played: reading bags takes a second to import.
    from fer_evaluation.bags.bag_images import COMPRESSED_TYPE, choose_image_topic
    from fer_evaluation.bags.bag_reader import BagError, OpenBag

    try:
        with OpenBag(bag) as opened:
            topic = choose_image_topic(opened.topics.values(), asked, str(bag))
            is_compressed = opened.topics[topic].type_name == COMPRESSED_TYPE
    except BagError as error:
        # Launch arguments have no dashes.
        raise ValueError(str(error).replace("--image-topic", "image_topic:=")) from error
    return topic, "compressed" if is_compressed else "raw"
