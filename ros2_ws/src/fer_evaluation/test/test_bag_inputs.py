# SPDX-License-Identifier: Apache-2.0
"""Unusual bags: logs, compression, metadata, names, order."""

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
import zstandard
from mcap.writer import IndexType
from mcap.writer import Writer as McapWriter
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode
from rosbags.typesys import Stores, get_typestore

from fer_evaluation.bags.bag_images import choose_image_topic, images
from fer_evaluation.bags.bag_reader import BagError, OpenBag
from fer_evaluation.bags.bag_writer import BagWriter
from fer_evaluation.bags.message_types import MessageTypes
from fer_evaluation.bags.storage_formats import bag_name, decompress_message
from replay_bags import TOPIC, image_message, small_images, stamps, write_bag, write_mcap_ros2

COUNT = 20
STRING = "std_msgs/msg/String"
FOREVER = QosTime(2147483647, 4294967295)
LATCHED = Qos(
    QosHistory.KEEP_LAST,
    1,
    QosReliability.RELIABLE,
    QosDurability.TRANSIENT_LOCAL,
    FOREVER,
    FOREVER,
    QosLiveliness.AUTOMATIC,
    FOREVER,
    False,
)


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory, monkeypatch):
    """Temporary files of a test go here; none may be left."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def contents(folder: Path):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def read(path):
    """Return the stamps of the images that can be decoded, and the warnings."""
    with OpenBag(path) as bag:
        types = MessageTypes(bag.topics.values())
        topic = choose_image_topic(bag.topics.values())
        found = [image.stamp_ns for image in images(bag, types, topic) if image.pixels is not None]
        return found, bag.warnings


def edit_metadata(bag, change):
    path = bag / "metadata.yaml"
    document = yaml.safe_load(path.read_text())
    change(document["rosbag2_bagfile_information"])
    path.write_text(yaml.safe_dump(document))


def leave_in_wal(bag, first):
    """Move the messages from number ``first`` on into a -wal, as a killed recorder leaves them."""
    file = bag / "bag.db3"
    with sqlite3.connect(file) as database:
        rows = database.execute("SELECT * FROM messages WHERE id > ?", (first,)).fetchall()
        database.execute("DELETE FROM messages WHERE id > ?", (first,))
        database.commit()
        database.execute("VACUUM")
    database.close()
    writer = sqlite3.connect(file)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", rows)
    writer.commit()
    kept = contents(bag)
    writer.close()  # checkpoints; put back what a killed process leaves
    for name, content in kept.items():
        if not name.endswith("-shm"):
            (bag / name).write_bytes(content)
    assert (bag / "bag.db3-wal").stat().st_size > 0


@pytest.mark.parametrize("first", [8, 0])
@pytest.mark.parametrize("metadata", [True, False])
def test_messages_in_the_write_ahead_log_are_read(tmp_path, metadata, first):
    bag = write_bag(tmp_path / "bag", small_images(COUNT), "sqlite3")
    leave_in_wal(bag, first)
    if not metadata:
        (bag / "metadata.yaml").unlink()
    before = contents(bag)
    found, warnings = read(bag)
    assert found == stamps(COUNT)
    assert any("bag.db3-wal" in warning for warning in warnings)
    assert contents(bag) == before


def test_an_unfinished_transaction_is_rolled_back_in_a_copy(tmp_path):
    bag = write_bag(tmp_path / "bag", small_images(COUNT), "sqlite3")
    file = bag / "bag.db3"
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("PRAGMA cache_size = 1")  # changed pages go to the file before the commit
    writer.execute("BEGIN")
    writer.execute("UPDATE messages SET data = zeroblob(5000)")
    kept = contents(bag)
    writer.execute("ROLLBACK")
    writer.close()
    assert kept["bag.db3-journal"]
    for name, content in kept.items():
        (bag / name).write_bytes(content)
    found, warnings = read(bag)
    assert found == stamps(COUNT)
    assert any("bag.db3-journal" in warning for warning in warnings)
    assert contents(bag) == kept


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize(
    ("qos", "count"),
    [("", None), ([], 0), ("- history: 1\n  depth: 9", None), (None, 3)],
    ids=["empty", "zero", "odd", "few"],
)
def test_metadata_that_differs_from_the_storage_loses_nothing(tmp_path, storage, qos, count):
    types = MessageTypes()
    with BagWriter(tmp_path / "bag", types, storage) as bag:
        bag.add_topic(TOPIC, "sensor_msgs/msg/Image", [LATCHED])
        for picture, stamp_ns in zip(small_images(COUNT), stamps(COUNT), strict=True):
            bag.write_message(
                TOPIC, stamp_ns, image_message(types.typestore.types, picture, stamp_ns)
            )

    def change(information):
        [topic] = information["topics_with_message_count"]
        if qos is not None:
            topic["topic_metadata"]["offered_qos_profiles"] = qos
        if count is not None:
            information["message_count"] = topic["message_count"] = count

    edit_metadata(tmp_path / "bag", change)
    found, warnings = read(tmp_path / "bag")
    assert found == stamps(COUNT)
    expected = [] if count is None else [f"holds {COUNT} messages, metadata.yaml promises {count}"]
    assert len(warnings) == len(expected)
    assert all(text in warning for text, warning in zip(expected, warnings, strict=True))


def test_fewer_messages_than_promised_are_named(tmp_path):
    bag = write_bag(tmp_path / "bag", small_images(COUNT), "sqlite3")
    with sqlite3.connect(bag / "bag.db3") as database:
        database.execute("DELETE FROM messages WHERE id > 8")
    database.close()
    found, [warning] = read(bag)
    assert len(found) == 8
    assert f"the storage holds 8 messages, metadata.yaml promises {COUNT}" in warning


def test_renamed_storage_is_read_and_a_stray_one_is_not(tmp_path):
    bag = write_bag(tmp_path / "bag", small_images(COUNT))
    (bag / "bag.mcap").rename(bag / "other.mcap")
    found, [warning] = read(bag)
    assert found == stamps(COUNT)
    assert "metadata.yaml names bag.mcap, which is not there" in warning
    shutil.copy(bag / "other.mcap", bag / "bag.mcap")
    found, [warning] = read(bag)
    assert found == stamps(COUNT)
    assert "other.mcap is not read" in warning


@pytest.mark.parametrize("name", ["take#3", "take?3", "take%203", "100%"])
def test_names_with_a_meaning_in_uris_are_read(tmp_path, name):
    write_bag(tmp_path / "bag", small_images(COUNT), "sqlite3")
    (tmp_path / "bag").rename(tmp_path / name)
    (tmp_path / name / "bag.db3").rename(tmp_path / name / f"{name}.db3")
    for path in (tmp_path / name, tmp_path / name / f"{name}.db3"):
        before = sorted(tmp_path.rglob("*"))
        found, warnings = read(path)
        assert found == stamps(COUNT)
        assert not any("not whole" in warning for warning in warnings)
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["take#3", "take?3", "take%203"])
def test_names_with_a_meaning_in_uris_are_written_or_refused(tmp_path, name):
    with pytest.raises(BagError, match="choose another name, or mcap"):
        write_bag(tmp_path / name, small_images(1), "sqlite3")
    assert list(tmp_path.iterdir()) == []
    assert read(write_bag(tmp_path / name, small_images(COUNT)))[0] == stamps(COUNT)


def compressed_bag(path, storage, mode):
    types = MessageTypes()
    store = types.typestore
    writer = Writer(path, version=8, storage_plugin=storage)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer as bag:
        topic = bag.add_connection(TOPIC, "sensor_msgs/msg/Image", typestore=store)
        for picture, stamp_ns in zip(small_images(COUNT), stamps(COUNT), strict=True):
            message = image_message(store.types, picture, stamp_ns)
            bag.write(topic, stamp_ns, store.serialize_cdr(message, topic.msgtype))
    return path


@pytest.mark.parametrize("storage", list(StoragePlugin))
@pytest.mark.parametrize("mode", [CompressionMode.FILE, CompressionMode.MESSAGE])
def test_compressed_bags_are_read_with_and_without_metadata(tmp_path, storage, mode):
    bag = compressed_bag(tmp_path / "bag", storage, mode)
    assert read(bag) == (stamps(COUNT), [])
    [file] = [path for path in bag.iterdir() if path.name != "metadata.yaml"]
    assert file.name.endswith(".zstd") == (mode is CompressionMode.FILE)
    assert read(file) == (stamps(COUNT), [])
    shutil.copy(file, tmp_path / f"lone{''.join(file.suffixes).removesuffix('.zstd')}")
    (bag / "metadata.yaml").unlink()
    found, [warning] = read(bag)
    assert found == stamps(COUNT)
    assert "no metadata.yaml" in warning
    # Magic bytes count, not the name.
    assert read(tmp_path / f"lone{''.join(file.suffixes).removesuffix('.zstd')}")[0] == found


def test_a_file_that_a_player_decompressed_is_not_read_twice(tmp_path):
    bag = compressed_bag(tmp_path / "bag", StoragePlugin.SQLITE3, CompressionMode.FILE)
    (bag / "bag.db3").write_bytes(
        zstandard.ZstdDecompressor().decompress((bag / "bag.db3.zstd").read_bytes(), 1 << 24)
    )
    assert read(bag) == (stamps(COUNT), [])
    (bag / "metadata.yaml").unlink()
    assert read(bag)[0] == stamps(COUNT)


def test_a_compressed_file_that_is_cut_short_gives_its_beginning_and_a_warning(tmp_path, rng):
    noise = [rng.integers(0, 256, (48, 64, 3), "uint8") for _ in range(60)]
    plain = write_mcap_ros2(tmp_path / "bag.mcap", noise, chunk_size=9_000).read_bytes()
    compressor = zstandard.ZstdCompressor().compressobj()
    blocks = b"".join(
        compressor.compress(plain[n : n + 4096])
        + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        for n in range(0, len(plain), 4096)
    )
    (tmp_path / "cut.mcap.zstd").write_bytes(blocks[: len(blocks) // 2])
    found, warnings = read(tmp_path / "cut.mcap.zstd")
    assert found == stamps(len(found))
    assert len(found) > 20
    assert any("is not whole" in warning for warning in warnings)


def test_a_damaged_compressed_message_is_counted_and_the_others_are_read(tmp_path):
    bag = compressed_bag(tmp_path / "bag", StoragePlugin.SQLITE3, CompressionMode.MESSAGE)
    with sqlite3.connect(bag / "bag.db3") as database:
        database.execute("UPDATE messages SET data = substr(data, 1, 20) WHERE id IN (4, 7)")
    database.close()
    found, [warning] = read(bag)
    assert len(found) == COUNT - 2
    assert "2 messages cannot be decompressed" in warning


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
def test_an_mcap_out_of_time_order_is_whole_and_loses_nothing(tmp_path, indexed, chunked):
    store = get_typestore(Stores.ROS2_JAZZY)
    definition, _ = store.generate_msgdef("sensor_msgs/msg/Image", ros_version=2)
    path = tmp_path / "bag.mcap"
    pictures = dict(zip(stamps(COUNT), small_images(COUNT), strict=True))
    shuffled = [*stamps(COUNT)[5:], *stamps(COUNT)[4::-1]]
    with path.open("wb") as file:
        writer = McapWriter(
            file,
            chunk_size=8_000,
            use_chunking=chunked,
            index_types=IndexType.ALL if indexed else IndexType.NONE,
            use_statistics=indexed,
        )
        writer.start("ros2", "test")
        schema = writer.register_schema("sensor_msgs/msg/Image", "ros2msg", definition.encode())
        channel = writer.register_channel(TOPIC, "cdr", schema)
        for stamp_ns in shuffled:
            message = image_message(store.types, pictures[stamp_ns], stamp_ns)
            data = bytes(store.serialize_cdr(message, "sensor_msgs/msg/Image"))
            writer.add_message(channel, stamp_ns, data, stamp_ns)
        writer.finish()
    assert read(path) == (stamps(COUNT), [])


def test_a_ros1_bag_is_refused_with_the_command_that_converts_it(tmp_path):
    (tmp_path / "old.bag").write_bytes(b"#ROSBAG V2.0\n" + bytes(100))
    for path in (tmp_path / "old.bag", tmp_path):
        with pytest.raises(
            BagError, match=r"is a ROS 1 bag: .*'rosbags-convert --src \S+old\.bag"
        ):
            OpenBag(path)


def test_shadow_files_of_macos_are_no_storage(tmp_path):
    bag = write_bag(tmp_path / "bag", small_images(COUNT))
    (bag / "._bag.mcap").write_bytes(b"\0\5\x16\7" + bytes(50))
    (bag / "metadata.yaml").unlink()
    assert read(bag)[0] == stamps(COUNT)


def test_qos_of_all_files_is_known_and_written(tmp_path):
    types = MessageTypes()
    message = types.typestore.types[STRING](data="x")
    with BagWriter(tmp_path / "bag", types) as bag:
        bag.add_topic("/tf_static", STRING, [LATCHED])
        bag.write_message("/tf_static", 10**9, message)
    with OpenBag(tmp_path / "bag") as bag:
        assert bag.topics["/tf_static"].qos == (LATCHED,)
        assert bag.files == (tmp_path / "bag" / "bag.mcap",)


def test_a_full_temporary_folder_is_one_clear_error(tmp_path, monkeypatch):
    bag = write_bag(tmp_path / "bag", small_images(COUNT), "sqlite3")
    leave_in_wal(bag, 8)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(BagError, match="needs a private copy, .*TMPDIR") as error:
        OpenBag(bag)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("run.1", "run.1"), ("a.mcap", "a"), ("a.b.db3", "a.b"), ("a.db3.zstd", "a")],
)
def test_a_bags_name_keeps_its_dots(tmp_path, name, expected):
    path = tmp_path / name
    path.mkdir() if "run" in name else path.write_bytes(b"")
    assert bag_name(path) == expected


def test_a_compressed_message_that_is_cut_short_is_refused():
    packed = zstandard.ZstdCompressor().compress(bytes(1000))
    assert decompress_message(packed) == bytes(1000)
    for size in (5, len(packed) - 1):
        with pytest.raises(BagError):
            decompress_message(packed[:size])


def test_without_the_package_mcap_whole_bags_are_read_and_damaged_ones_name_it(tmp_path):
    bag = write_bag(tmp_path / "bag", small_images(COUNT))
    (tmp_path / "cut.mcap").write_bytes((bag / "bag.mcap").read_bytes()[:-50])
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "sys.modules['mcap'] = sys.modules['zstandard'] = None\n"
        "from fer_evaluation.bags.bag_reader import BagError, OpenBag\n"
        "with OpenBag(Path(sys.argv[1])) as bag:\n"
        "    print(sum(1 for _ in bag.messages(bag.topics.keys())))\n"
        "try:\n"
        "    OpenBag(Path(sys.argv[2]))\n"
        "except BagError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", script, str(bag), str(tmp_path / "cut.mcap")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    count, error = printed.splitlines()
    assert int(count) == COUNT
    assert error.endswith("pip install mcap")


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "it is empty"), ("- 1\n- 2\n", "expected a mapping"), ("a: 1\n", "expected a mapping")],
)
def test_metadata_of_another_form_is_said_in_plain_words(tmp_path, content, words):
    bag = write_bag(tmp_path / "bag", small_images(COUNT))
    (bag / "metadata.yaml").write_text(content)
    found, warnings = read(bag)
    assert found == stamps(COUNT)
    [warning] = warnings
    assert warning.startswith("metadata.yaml cannot be read: ") and words in warning


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_what_is_said_of_a_cut_copy_names_the_users_file(tmp_path, temporary, storage):
    """Two runs must give equal figures, and so no name that is new in each."""
    bag = write_bag(tmp_path / "bag", small_images(COUNT), storage)
    [file] = [path for path in bag.iterdir() if path.name != "metadata.yaml"]
    packed = zstandard.ZstdCompressor().compress(file.read_bytes())
    target = tmp_path / f"{file.name}.zstd"
    target.write_bytes(packed[: len(packed) * 7 // 10])
    try:
        said = "; ".join(read(target)[1])
    except BagError as error:
        said = str(error)
    assert f"{target.name} is not whole (" in said
    assert "storage_1" not in said and str(temporary) not in said
