# SPDX-License-Identifier: Apache-2.0
"""Queries about bags and ``ros2 bag`` for replay and record."""

import shutil
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix


def has_ros2_bag() -> bool:
    """Return whether ``ros2 bag play`` and ``record`` are installed."""
    try:
        get_package_prefix("ros2bag")
    except PackageNotFoundError:
        return False
    return shutil.which("ros2") is not None


def bag_image_topic(bag: Path, asked: str) -> tuple[str, str]:
    """Return the bag's image topic and transport, 'raw' or 'compressed'.

    :param asked: the topic, if the bag has several; else empty.
    :raises ValueError: when the bag cannot be read, or lacks the topic, or has several.
    """
    # Imported late: it takes a second, and only replay needs it.
    from fer_evaluation.bags.bag_images import COMPRESSED_TYPE, choose_image_topic
    from fer_evaluation.bags.bag_reader import BagError, OpenBag

    try:
        with OpenBag(bag) as opened:
            topic = choose_image_topic(opened.topics.values(), asked, str(bag))
            is_compressed = opened.topics[topic].type_name == COMPRESSED_TYPE
    except BagError as error:
        # Launch arguments are without dashes.
        raise ValueError(str(error).replace("--image-topic", "image_topic:=")) from error
    return topic, "compressed" if is_compressed else "raw"


def report_folder(bag: Path, asked: str, overwrite: bool) -> Path:
    """Return the absolute path of a replay's report folder.

    :param asked: the user's choice; empty for the bag's name and ``_live``.
    :param overwrite: whether it may hold the report of an earlier run.
    :raises ValueError: when it contains one that must not be replaced, or is a file.
    """
    from fer_evaluation.bags.storage_formats import bag_name
    from fer_evaluation.report.output_folder import OutputFolder

    folder = Path(asked or f"{bag_name(bag)}_live").expanduser().absolute()
    try:
        OutputFolder(folder, overwrite)
    except FileExistsError as error:
        raise ValueError(f"{error} (overwrite:=true)") from error
    return folder
