# SPDX-License-Identifier: Apache-2.0
"""Small bags for tests, written by our own writer and by others."""

from pathlib import Path

import cv2
import numpy as np
from mcap.writer import CompressionType
from mcap_ros2.writer import Writer as McapRos2Writer
from rosbags.typesys import Stores, get_typestore

from fer_evaluation.bags.bag_images import COMPRESSED_TYPE, IMAGE_TYPE
from fer_evaluation.bags.bag_writer import BagWriter
from fer_evaluation.bags.message_types import MessageTypes

TOPIC = "/camera/image_raw"
START_NS = 10**9
PERIOD_NS = 33_333_333


def stamps(count):
    return [START_NS + n * PERIOD_NS for n in range(count)]


def small_images(count):
    """Pictures that differ from each other."""
    images = []
    for n in range(count):
        image = np.full((24, 32, 3), 40, np.uint8)
        image[:, : 2 + n % 30] = (200, 90, 20)
        images.append(image)
    return images


def header(types, stamp_ns):
    time = types["builtin_interfaces/msg/Time"](sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return types["std_msgs/msg/Header"](stamp=time, frame_id="camera")


def image_message(types, image, stamp_ns, encoding="raw"):
    height, width = image.shape[:2]
    if encoding == "raw":
        return types[IMAGE_TYPE](
            header=header(types, stamp_ns),
            height=height,
            width=width,
            encoding="rgb8",
            is_bigendian=0,
            step=3 * width,
            data=image.reshape(-1),
        )
    _, data = cv2.imencode(f".{encoding}", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return types[COMPRESSED_TYPE](
        header=header(types, stamp_ns), format=encoding, data=data.reshape(-1)
    )


def write_bag(path, images, storage="mcap", encoding="raw", compressed=False, topic=TOPIC):
    """Write a bag with rosbags."""
    types = MessageTypes()
    type_name = IMAGE_TYPE if encoding == "raw" else COMPRESSED_TYPE
    with BagWriter(path, types, storage, compressed) as bag:
        bag.add_topic(topic, type_name)
        for image, stamp_ns in zip(images, stamps(len(images)), strict=True):
            message = image_message(types.typestore.types, image, stamp_ns, encoding)
            bag.write_message(topic, stamp_ns, message)
    return path


def write_mcap_ros2(
    path: Path, images, encoding="raw", compression=CompressionType.ZSTD, chunk_size=20_000
):
    """Write one .mcap file with mcap-ros2-support, which shares no code with rosbags."""
    store = get_typestore(Stores.ROS2_JAZZY)
    type_name = IMAGE_TYPE if encoding == "raw" else COMPRESSED_TYPE
    definition, _ = store.generate_msgdef(type_name, ros_version=2)
    with path.open("wb") as file:
        writer = McapRos2Writer(file, chunk_size=chunk_size, compression=compression)
        schema = writer.register_msgdef(type_name, definition)
        for image, stamp_ns in zip(images, stamps(len(images)), strict=True):
            message = image_message(store.types, image, stamp_ns, encoding)
            message.data = message.data.tobytes()
            writer.write_message(TOPIC, schema, message, stamp_ns, stamp_ns)
        writer.finish()
    return path
