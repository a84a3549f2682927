# SPDX-License-Identifier: Apache-2.0
"""Bags whose cameras set stamps that do not run: the time of recording counts."""

import csv
import json

import numpy as np
import pytest

from fer_evaluation import evaluate_bag
from fer_evaluation.bags.bag_images import images
from fer_evaluation.bags.bag_reader import OpenBag
from fer_evaluation.bags.bag_writer import BagWriter
from fer_evaluation.bags.image_times import header_stamp_ns, stamp_fault
from fer_evaluation.bags.message_types import MessageTypes
from fer_perception.images.frame_source import PortraitSource
from replay_bags import TOPIC, image_message, small_images

COUNT = 60
START_NS = 1_700_000_000 * 10**9
RECORDED = [START_NS + n * 33_000_000 for n in range(COUNT)]
FAULTS = {
    "zero": ([0] * COUNT, "are 0"),
    "frozen": ([START_NS] * COUNT, "stand still"),
    "milliseconds": ([t // 10**6 for t in RECORDED], "too slowly"),
    "two clocks": (
        [t if n % 2 else t - START_NS + 10**9 for n, t in enumerate(RECORDED)],
        "two clocks in turn",
    ),
    "two clocks, one at 0": (
        [t if n % 2 else 0 for n, t in enumerate(RECORDED)],
        "two clocks in turn",
    ),
    "backwards": ([2 * START_NS - t for t in RECORDED], "run backwards"),
}


def write(path, stamps, pictures):
    types = MessageTypes()
    with BagWriter(path, types) as bag:
        bag.add_topic(TOPIC, "sensor_msgs/msg/Image")
        for picture, stamp_ns, recorded_ns in zip(pictures, stamps, RECORDED, strict=True):
            message = image_message(types.typestore.types, picture, stamp_ns)
            bag.write_message(TOPIC, recorded_ns, message)
    return path


@pytest.mark.parametrize("fault", FAULTS)
def test_stamps_that_do_not_run_are_named(tmp_path, fault):
    stamps, words = FAULTS[fault]
    with OpenBag(write(tmp_path / "bag", stamps, small_images(COUNT))) as bag:
        assert words in stamp_fault(bag, TOPIC)


@pytest.mark.parametrize("offset_s", [-1.6e9, 0, 3600.0])
def test_stamps_of_any_clock_that_runs_are_used(tmp_path, offset_s):
    stamps = [t + round(offset_s * 1e9) for t in RECORDED]
    with OpenBag(write(tmp_path / "bag", stamps, small_images(COUNT))) as bag:
        assert stamp_fault(bag, TOPIC) == ""
        found = list(images(bag, MessageTypes(bag.topics.values()), TOPIC))
    assert [image.time_ns for image in found] == [image.stamp_ns for image in found] == stamps


@pytest.mark.parametrize("fault", FAULTS)
def test_an_evaluation_goes_by_the_time_of_recording_where_stamps_do_not_run(tmp_path, fault):
    """A smile that comes after a second and is labelled by time scores as with good stamps."""
    source = PortraitSource(320, 240)
    portrait = next(source).image
    pictures = [np.full_like(portrait, 90)] * 30 + [portrait] * 30
    (tmp_path / "labels.csv").write_text("time_s,label\n0,none\n0.99,happiness\n")
    stamps, words = FAULTS[fault]
    bag = write(tmp_path / "bag", stamps, pictures)
    options = ["--labels", str(tmp_path / "labels.csv"), "--out", str(tmp_path / "out"), "--quiet"]
    options += ["--write-bag", str(tmp_path / "copy")]
    assert evaluate_bag.main([str(bag), *options]) == 0
    document = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert document["source"]["time"] == "recording"
    [warning] = document["warnings"]
    assert words in warning and "the time of recording is used" in warning
    assert warning in (tmp_path / "out" / "report.html").read_text()
    metrics = document["metrics"]
    assert metrics["duration_s"] == pytest.approx(59 * 0.033)
    assert metrics["true_faces"] == 30
    assert metrics["accuracy"] == metrics["coverage"] == 1.0
    assert metrics["face_ids"] == 1
    rows = list(csv.DictReader((tmp_path / "out" / "emotions.csv").open()))
    assert [int(row["stamp_ns"]) for row in rows] == RECORDED
    with OpenBag(tmp_path / "copy") as copy:
        arrays = [m.data for m in copy.messages({"/fer_perception/emotions"})]
    assert [header_stamp_ns(data) for data in arrays] == stamps, "a header's stamp is kept"


def test_the_stamp_is_read_in_both_byte_orders():
    assert header_stamp_ns(bytes((0, 1, 0, 0, 7, 0, 0, 0, 5, 0, 0, 0))) == 7_000_000_005
    assert header_stamp_ns(bytes((0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 5))) == 7_000_000_005
    assert header_stamp_ns(b"\0\1\0\0") is None
