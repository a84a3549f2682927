# SPDX-License-Identifier: Apache-2.0
"""Files on disk after a failed write or a killed process."""

import itertools
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_common.atomic_file import put_in_place, replacing, write_atomically
from fer_evaluation.bags.bag_reader import BagError, OpenBag
from fer_evaluation.bags.bag_writer import BagWriter
from fer_evaluation.bags.message_types import MessageTypes
from fer_evaluation.report.output_folder import OutputFolder
from fer_perception.recognition.model_store import load_model, write_model
from fer_training.learning.checkpoint import load_checkpoint, save_checkpoint
from replay_bags import TOPIC, image_message, small_images, stamps, write_bag

MEGABYTE = 1 << 20


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(RuntimeError), replacing(path) as part:
        part.write_bytes(b"half of the ne")
        assert path.read_bytes() == b"old"
        raise RuntimeError
    assert path.read_bytes() == b"old" and names(tmp_path) == {"file"}
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new" and names(tmp_path) == {"file"}


def test_a_folder_is_put_in_place_with_all_that_is_in_it(tmp_path):
    (tmp_path / "part" / "deep").mkdir(parents=True)
    (tmp_path / "part" / "deep" / "file").write_bytes(b"x")
    put_in_place(tmp_path / "part", tmp_path / "whole")
    assert (tmp_path / "whole" / "deep" / "file").read_bytes() == b"x"
    assert names(tmp_path) == {"whole"}


def test_a_killed_writer_leaves_one_whole_file(tmp_path):
    """Each content is one repeated number, so that a mixture would show."""
    path = tmp_path / "file"
    write_atomically(path, bytes(MEGABYTE))
    code = (
        "import sys, itertools; from pathlib import Path\n"
        "from fer_common.atomic_file import write_atomically\n"
        "for n in itertools.count(1): write_atomically(Path(sys.argv[1]), "
        f"bytes([n % 256]) * {MEGABYTE})"
    )
    rng = random.Random(1)
    for _ in range(3):
        before = path.stat().st_ino
        process = subprocess.Popen([sys.executable, "-c", code, str(path)])
        while path.stat().st_ino == before:  # until it writes
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        content = path.read_bytes()
        assert content == content[:1] * MEGABYTE


def test_a_checkpoint_survives_a_full_disk(small_disk):
    path = small_disk / "last.safetensors"
    network = torch.nn.Linear(100, 100)
    optimizer = torch.optim.SGD(network.parameters())
    save_checkpoint(path, {"network": network}, optimizer, {"epoch": 7})
    before = path.read_bytes()
    large = torch.nn.Linear(600, 600)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(
            path, {"network": large}, torch.optim.SGD(large.parameters()), {"epoch": 8}
        )
    assert path.read_bytes() == before and names(small_disk) == {path.name}
    assert load_checkpoint(path, {"network": network}, optimizer) == {"epoch": 7}


def test_a_model_survives_a_full_disk(small_disk):
    write_model(small_disk, "baseline_cnn", 1.0, b"weights", {"float32": b"graph"})
    before = {path.name: path.read_bytes() for path in small_disk.iterdir()}
    # The first files fit, the last one does not: none must have been replaced.
    with pytest.raises(OSError, match="No space left"):
        write_model(small_disk, "vgg_stn", 2.0, b"other", {"float32": bytes(2 * MEGABYTE)})
    assert {path.name: path.read_bytes() for path in small_disk.iterdir()} == before
    assert load_model(small_disk).config.network == "baseline_cnn"


def test_results_survive_a_full_disk(small_disk):
    folder = small_disk / "report"
    with OutputFolder(folder) as out:
        out.path("metrics.json").write_text("old")
    with pytest.raises(OSError, match="No space left"), OutputFolder(folder, True) as out:
        out.path("metrics.json").write_text("new")
        out.path("report.html").write_bytes(bytes(2 * MEGABYTE))
    assert names(folder) == {"metrics.json"} and names(small_disk) == {"report"}
    assert (folder / "metrics.json").read_text() == "old"


def fill_with_images(bag: BagWriter, types: MessageTypes) -> None:
    """Write noise until the disk is full."""
    bag.add_topic(TOPIC, "sensor_msgs/msg/Image")
    rng = np.random.default_rng(0)
    for stamp_ns in itertools.count(1):
        noise = rng.integers(0, 255, (60, 80, 3), np.uint8)
        bag.write_message(TOPIC, stamp_ns, image_message(types.typestore.types, noise, stamp_ns))


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_bag_that_does_not_fit_is_dropped_and_others_stay(small_disk, storage):
    old = write_bag(small_disk / "old", small_images(5))
    types = MessageTypes()
    with (
        pytest.raises(BagError, match=r"new cannot be written: .*(No space left|disk.* full)"),
        BagWriter(small_disk / "new", types, storage) as bag,
    ):
        fill_with_images(bag, types)
    assert names(small_disk) == {"old"}
    with OpenBag(old) as bag:
        assert [message.stamp_ns for message in bag.messages({TOPIC})] == stamps(5)
        assert bag.warnings == []


# A chunk of an mcap bag takes a megabyte.
@pytest.mark.parametrize("small_disk", [4], indirect=True)
def test_a_recording_that_does_not_fit_keeps_what_was_recorded(small_disk):
    types = MessageTypes()
    with (
        pytest.raises(BagError, match="cannot be written"),
        BagWriter(small_disk / "new", types, keep_incomplete=True) as bag,
    ):
        fill_with_images(bag, types)
    assert names(small_disk) == {"new"}
    with OpenBag(small_disk / "new") as bag:
        found = [message.stamp_ns for message in bag.messages({TOPIC})]
        assert len(found) > 40 and found == list(range(1, len(found) + 1))
        assert any("not whole" in warning for warning in bag.warnings)
