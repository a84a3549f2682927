# SPDX-License-Identifier: Apache-2.0
"""Damaged bags and label files, read like the evaluation does."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path
from random import Random
from unittest.mock import patch

import cv2
import numpy as np
import zstandard

from fer_evaluation.bags.bag_images import COMPRESSED_TYPE, choose_image_topic, images
from fer_evaluation.bags.bag_reader import BagError, OpenBag
from fer_evaluation.bags.bag_writer import BagWriter
from fer_evaluation.bags.message_types import MessageTypes
from fer_evaluation.scoring.ground_truth import LabelError, read_labels

from ..mutation import mutated, nasty_float, nasty_text
from ..target import Target, Try

_TOPIC = "/camera/image_raw/compressed"


def _write(path: Path, storage: str, compressed: bool) -> dict[str, bytes]:
    types = MessageTypes()
    classes = types.typestore.types
    png = cv2.imencode(".png", np.full((4, 6, 3), 90, np.uint8))[1].reshape(-1)
    with BagWriter(path, types, storage, compressed) as bag:
        bag.add_topic(_TOPIC, COMPRESSED_TYPE)
        for number in range(3):
            stamp = classes["builtin_interfaces/msg/Time"](sec=number, nanosec=0)
            header = classes["std_msgs/msg/Header"](stamp=stamp, frame_id="camera")
            message = classes[COMPRESSED_TYPE](header=header, format="png", data=png)
            bag.write_message(_TOPIC, number, message)
    return {file.name: file.read_bytes() for file in path.iterdir()}


def _compressed(content: dict[str, bytes], name: str) -> dict[str, bytes]:
    """Return a bag whose storage file is compressed as a whole."""
    packed = zstandard.ZstdCompressor().compress(content[name])
    return {f"{name}.zstd": packed, "metadata.yaml": content["metadata.yaml"]}


def _with_log(path: Path) -> dict[str, bytes]:
    """Return a sqlite3 bag whose last message is in the write-ahead log."""
    content = _write(path, "sqlite3", False)
    database = sqlite3.connect(path / f"{path.name}.db3")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("INSERT INTO messages SELECT 9, topic_id, 9, data FROM messages LIMIT 1")
    database.commit()
    for file in path.iterdir():
        content[file.name] = file.read_bytes()
    database.close()
    return content


def _prepare_bags() -> Try:
    temporary = tempfile.TemporaryDirectory(prefix="fuzz_bags_")
    folder = Path(temporary.name)
    seeds = [
        _write(folder / name, storage, compressed)
        for name, storage, compressed in (
            ("plain", "mcap", False),
            ("packed", "mcap", True),
            ("database", "sqlite3", False),
        )
    ]
    seeds += [
        _compressed(seeds[0], "plain.mcap"),
        _compressed(seeds[2], "database.db3"),
        _with_log(folder / "logged"),
    ]
    path, private = folder / "damaged", folder / "private"
    private.mkdir()

    def try_one(rng: Random) -> None:
        assert temporary  # kept alive by this function
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        seed = rng.choice(seeds)
        damaged = rng.choice([name for name in seed if name != "metadata.yaml"] * 3 + list(seed))
        for name, content in seed.items():
            if name == damaged:
                content = mutated(rng, content)
            elif name == "metadata.yaml" and rng.random() < 0.5:
                continue  # without metadata, the storage must suffice
            (path / name).write_bytes(content)
        with patch.object(tempfile, "tempdir", str(private)):
            try:
                _read(path)
            finally:
                assert not list(private.iterdir()), "a private copy stays"

    return try_one


def _read(path: Path) -> None:
    with OpenBag(path) as bag:
        types = MessageTypes(bag.topics.values())
        for image in images(bag, types, choose_image_topic(bag.topics.values())):
            assert image.pixels is not None or image.error


def _prepare_labels() -> Try:
    temporary = tempfile.TemporaryDirectory(prefix="fuzz_labels_")
    path = Path(temporary.name, "labels.csv")
    table = b"stamp_ns,label,x,y,w,h,face_id\n" + b"1000000000,happiness,1,2,3,4,f1\n" * 3

    def try_one(rng: Random) -> None:
        assert temporary
        content = mutated(rng, table)
        if rng.random() < 0.5:
            words = (nasty_text(rng), str(nasty_float(rng)), "happiness", "7")
            rows = [",".join(rng.choice(words) for _ in range(7)) for _ in range(3)]
            content = "\n".join([table.decode().partition("\n")[0], *rows]).encode(
                errors="surrogateescape"
            )
        path.write_bytes(content)
        read_labels(path, 0)

    return try_one


TARGETS = (
    Target("bags", 8_000, _prepare_bags, (BagError,)),
    Target("labels", 15_000, _prepare_labels, (LabelError,)),
)
