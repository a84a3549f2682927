# SPDX-License-Identifier: Apache-2.0
"""Bags that others wrote, and bags that are broken."""

import base64
import json
import shutil
import sqlite3
import zlib
from pathlib import Path

import numpy as np
import pytest
from mcap.writer import CompressionType, IndexType
from mcap.writer import Writer as McapWriter
from rosbags.typesys import Stores, get_typestore

from fer_evaluation import evaluate_bag
from fer_evaluation.bags.bag_images import choose_image_topic, images
from fer_evaluation.bags.bag_reader import BagError, OpenBag
from fer_evaluation.bags.bag_writer import BagWriter
from fer_evaluation.bags.message_types import MessageTypes
from fer_evaluation.bags.storage_formats import is_bag, storage_files
from replay_bags import (
    TOPIC,
    image_message,
    small_images,
    stamps,
    write_bag,
    write_mcap_ros2,
)

COUNT = 60


@pytest.fixture(scope="module")
def pictures():
    return small_images(COUNT)


def read(path, topic=TOPIC):
    """Return the images that are read, the warnings, and the unknown topics."""
    with OpenBag(path) as bag:
        types = MessageTypes(bag.topics.values())
        found = list(images(bag, types, choose_image_topic(bag.topics.values())))
        return found, bag.warnings, types.unknown


def assert_all_read(path, pictures, exact):
    found, warnings, _ = read(path)
    assert [image.stamp_ns for image in found] == stamps(COUNT)
    assert warnings == []
    for image, picture in zip(found, pictures, strict=True):
        difference = np.abs(image.pixels.astype(int) - picture.astype(int))
        assert difference.max() == 0 if exact else difference.mean() < 12


@pytest.mark.parametrize("encoding", ["raw", "jpeg", "png"])
@pytest.mark.parametrize(
    ("storage", "compressed"), [("sqlite3", False), ("mcap", False), ("mcap", True)]
)
def test_bags_of_rosbags_are_read(tmp_path, pictures, storage, compressed, encoding):
    path = write_bag(tmp_path / "bag", pictures, storage, encoding, compressed)
    assert_all_read(path, pictures, encoding != "jpeg")


@pytest.mark.parametrize("encoding", ["raw", "jpeg", "png"])
@pytest.mark.parametrize("compression", list(CompressionType))
def test_bags_of_mcap_ros2_support_are_read(tmp_path, pictures, compression, encoding):
    path = write_mcap_ros2(tmp_path / "bag.mcap", pictures, encoding, compression)
    assert_all_read(path, pictures, encoding != "jpeg")


def test_a_bag_of_several_chunks_is_read_in_order_of_time(tmp_path, pictures):
    path = write_mcap_ros2(tmp_path / "bag.mcap", pictures, chunk_size=5_000)
    assert_all_read(path, pictures, exact=True)


def test_a_file_without_its_folder_is_read(tmp_path, pictures):
    path = write_bag(tmp_path / "bag", pictures, "sqlite3")
    assert_all_read(path / "bag.db3", pictures, exact=True)


@pytest.mark.parametrize("compression", list(CompressionType))
def test_a_cut_off_mcap_gives_its_beginning_and_a_warning(tmp_path, pictures, compression):
    noise = [np.random.default_rng(n).integers(0, 255, (24, 32, 3), np.uint8) for n in range(60)]
    path = write_mcap_ros2(tmp_path / "bag.mcap", noise, compression=compression, chunk_size=9_000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    found, [warning], _ = read(path)
    assert 25 <= len(found) <= 40
    assert [image.stamp_ns for image in found] == stamps(len(found))
    assert (found[-1].pixels == noise[len(found) - 1]).all()
    assert f"not whole (File end magic is invalid.): reading the {len(found)} messages" in warning


@pytest.mark.parametrize("use_chunking", [True, False])
def test_an_mcap_without_an_index_is_read_whole(tmp_path, pictures, use_chunking):
    store = get_typestore(Stores.ROS2_JAZZY)
    definition, _ = store.generate_msgdef("sensor_msgs/msg/Image", ros_version=2)
    path = tmp_path / "bag.mcap"
    with path.open("wb") as file:
        writer = McapWriter(
            file,
            use_chunking=use_chunking,
            index_types=IndexType.NONE,
            repeat_channels=False,
            repeat_schemas=False,
            use_statistics=False,
            use_summary_offsets=False,
        )
        writer.start("ros2", "test")
        schema = writer.register_schema("sensor_msgs/msg/Image", "ros2msg", definition.encode())
        channel = writer.register_channel(TOPIC, "cdr", schema)
        for picture, stamp_ns in zip(pictures, stamps(COUNT), strict=True):
            message = image_message(store.types, picture, stamp_ns)
            data = bytes(store.serialize_cdr(message, "sensor_msgs/msg/Image"))
            writer.add_message(channel, stamp_ns, data, stamp_ns)
        writer.finish()
    found, _, _ = read(path)
    assert [image.stamp_ns for image in found] == stamps(COUNT)


def test_a_recording_that_was_killed_has_no_metadata_and_is_read(tmp_path, pictures):
    path = write_bag(tmp_path / "bag", pictures)
    (path / "metadata.yaml").unlink()
    found, [warning], _ = read(path)
    assert len(found) == COUNT
    assert "metadata" in warning


def test_a_cut_off_database_gives_its_beginning_and_a_warning(tmp_path):
    noise = [np.random.default_rng(n).integers(0, 255, (48, 64, 3), np.uint8) for n in range(60)]
    path = write_bag(tmp_path / "bag", noise, "sqlite3")
    file = path / "bag.db3"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    found, warnings, _ = read(path)
    assert 15 <= len(found) <= 40
    assert [image.stamp_ns for image in found] == stamps(len(found))
    assert (found[-1].pixels == noise[len(found) - 1]).all()
    assert any("not whole" in text or "damaged" in text for text in warnings)


def test_a_database_with_a_hole_gives_what_lies_around_it(tmp_path):
    noise = [np.random.default_rng(n).integers(0, 255, (48, 64, 3), np.uint8) for n in range(60)]
    path = write_bag(tmp_path / "bag", noise, "sqlite3")
    file = path / "bag.db3"
    with sqlite3.connect(file) as database:
        database.execute("DROP INDEX timestamp_idx")
    content = bytearray(file.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 3 * 4096] = b"\xff" * (3 * 4096)
    file.write_bytes(content)
    found, warnings, _ = read(path)
    good = [image for image in found if image.pixels is not None]
    assert len(good) >= 40
    assert max(image.stamp_ns for image in good) == stamps(60)[-1]
    assert warnings


def test_the_parts_of_a_split_bag_are_read_in_their_order(tmp_path, pictures):
    folder = tmp_path / "bag"
    folder.mkdir()
    for part in range(12):
        whole = write_bag(tmp_path / f"part{part}", pictures[: part + 1])
        (whole / f"part{part}.mcap").rename(folder / f"bag_{part}.mcap")
    assert [file.name for file in storage_files(folder)] == [f"bag_{n}.mcap" for n in range(12)]
    found, _, _ = read(folder)
    assert len(found) == sum(range(1, 13))


def test_a_damaged_chunk_is_told_and_the_others_are_read(tmp_path):
    noise = [np.random.default_rng(n).integers(0, 255, (24, 32, 3), np.uint8) for n in range(60)]
    path = write_mcap_ros2(tmp_path / "bag.mcap", noise, chunk_size=9_000)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = bytes(400)
    path.write_bytes(content)
    found, [warning], _ = read(path)
    assert COUNT - 8 <= len(found) < COUNT
    assert found[-1].stamp_ns == stamps(COUNT)[-1]
    assert f"{len(found)} of {COUNT} messages could be read" in warning


def test_what_is_no_bag_is_refused_in_one_line(tmp_path):
    (tmp_path / "text.mcap").write_text("no bag")
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("nowhere", "no such bag"),
        ("empty", "is not a bag: expected .mcap or .db3 files"),
        ("text.mcap", "cannot be read"),
    ):
        with pytest.raises(BagError, match=message) as error:
            OpenBag(tmp_path / name)
        assert "\n" not in str(error.value)
        assert is_bag(tmp_path / name) == (name == "text.mcap")


def other_topics(path, *names):
    """Write a bag with texts on some topics, and images on others."""
    types = MessageTypes()
    classes = types.typestore.types
    with BagWriter(path, types) as bag:
        for name in names:
            if "image" in name:
                bag.add_topic(name, "sensor_msgs/msg/Image")
                message = image_message(classes, small_images(1)[0], 10**9)
            else:
                bag.add_topic(name, "std_msgs/msg/String")
                message = classes["std_msgs/msg/String"](data="hello")
            bag.write_message(name, 10**9, message)
    return path


def test_a_bag_without_images_names_its_topics(tmp_path):
    with pytest.raises(BagError, match=r"holds no images .* /chatter \(std_msgs/msg/String, 1\)"):
        read(other_topics(tmp_path / "bag", "/chatter"))


def test_of_two_image_topics_one_must_be_chosen(tmp_path):
    path = other_topics(tmp_path / "bag", "/left/image", "/right/image")
    with pytest.raises(BagError, match=r"2 image topics: /left/image \(1\), /right/image \(1\)"):
        read(path)
    with OpenBag(path) as bag:
        assert choose_image_topic(bag.topics.values(), "/left/image") == "/left/image"
        with pytest.raises(BagError, match="/up is not in the bag"):
            choose_image_topic(bag.topics.values(), "/up")


def test_of_a_topic_and_its_compressed_twin_the_raw_one_is_taken(tmp_path):
    path = other_topics(tmp_path / "bag", "/image", "/image/compressed")
    with OpenBag(path) as bag:
        assert choose_image_topic(bag.topics.values()) == "/image"


def test_unknown_types_are_named_and_the_images_read(tmp_path, pictures):
    path = write_bag(tmp_path / "bag", pictures, "sqlite3")
    with sqlite3.connect(path / "bag.db3") as database:
        row = "(9, '/odd', 'odd_msgs/msg/Thing', 'cdr', '', '')"
        database.execute(f"INSERT INTO topics VALUES {row}")
        database.execute("INSERT INTO messages VALUES (999, 9, 1000000000, x'00')")
    shutil.copy(path / "bag.db3", tmp_path / "lone.db3")
    found, _, unknown = read(tmp_path / "lone.db3")
    assert len(found) == COUNT
    assert unknown == {"/odd": "odd_msgs/msg/Thing"}


def test_an_image_that_cannot_be_decoded_says_why(tmp_path):
    types = MessageTypes()
    message = image_message(types.typestore.types, small_images(1)[0], 10**9)
    message.encoding = "rgb99"
    with BagWriter(tmp_path / "bag", types) as bag:
        bag.add_topic(TOPIC, "sensor_msgs/msg/Image")
        bag.write_message(TOPIC, 10**9, message)
        bag.write(TOPIC, 2 * 10**9, b"\0\1\0\0nonsense")
    found, _, _ = read(tmp_path / "bag")
    assert [image.pixels for image in found] == [None, None]
    assert "encoding 'rgb99' is not supported" in found[0].error
    assert found[1].error


def test_a_bag_that_is_not_finished_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), BagWriter(tmp_path / "bag", MessageTypes()) as bag:
        bag.add_topic("/text", "std_msgs/msg/String")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_an_existing_bag_is_not_overwritten(tmp_path, pictures):
    write_bag(tmp_path / "bag", pictures)
    with pytest.raises(BagError, match="exists already"):
        BagWriter(tmp_path / "bag", MessageTypes())


DAMAGED = json.loads(Path(__file__).with_name("damaged_bags.json").read_text())
"""Bags on which reading once crashed or did not end: files by name, zlib in base64."""


@pytest.mark.parametrize("damage", DAMAGED)
def test_damage_that_was_once_not_noticed_is_read_around_or_told(tmp_path, damage):
    for name, content in DAMAGED[damage].items():
        (tmp_path / name).write_bytes(zlib.decompress(base64.b64decode(content)))
    try:
        with OpenBag(tmp_path) as bag:
            for message in bag.messages(bag.topics.keys()):
                assert message.topic in bag.topics
            assert bag.warnings
    except BagError as error:
        assert "\n" not in str(error)


def test_a_folder_with_a_bag_of_ros_1_is_refused_with_the_way_to_convert_it(tmp_path, capsys):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "run.bag").write_bytes(b"#ROSBAG V2.0\n")
    assert evaluate_bag.main([str(tmp_path / "old"), "--out", str(tmp_path / "out")]) == 2
    assert "rosbags-convert --src" in capsys.readouterr().err
