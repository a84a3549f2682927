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
from fer_evaluation.bags.image_times import (
    ImageTimes,
    TimeSource,
    header_stamp_ns,
    image_times,
    judge_times,
)
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
        "are 0",
    ),
    "backwards": ([2 * START_NS - t for t in RECORDED], "run backwards"),
}


def write(path, stamps, pictures, recorded=RECORDED):
    types = MessageTypes()
    with BagWriter(path, types) as bag:
        bag.add_topic(TOPIC, "sensor_msgs/msg/Image")
        for picture, stamp_ns, recorded_ns in zip(pictures, stamps, recorded, strict=True):
            message = image_message(types.typestore.types, picture, stamp_ns)
            bag.write_message(TOPIC, recorded_ns, message)
    return path


@pytest.mark.parametrize("fault", FAULTS)
def test_stamps_that_do_not_run_are_named(tmp_path, fault):
    stamps, words = FAULTS[fault]
    with OpenBag(write(tmp_path / "bag", stamps, small_images(COUNT))) as bag:
        times = image_times(bag, TOPIC)
    assert words in times.warning
    assert times.source is TimeSource.RECORDING


@pytest.mark.parametrize("offset_s", [-1.6e9, 0, 3600.0])
def test_stamps_of_any_clock_that_runs_are_used(tmp_path, offset_s):
    stamps = [t + round(offset_s * 1e9) for t in RECORDED]
    with OpenBag(write(tmp_path / "bag", stamps, small_images(COUNT))) as bag:
        assert image_times(bag, TOPIC) == ImageTimes(TimeSource.STAMPS)
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


def at_10_hz(count=60):
    return [START_NS + n * 10**8 for n in range(count)]


GOOD = at_10_hz()
LATE_FAULTS = {
    "frozen from frame 40 on": (
        [GOOD[min(n, 40)] for n in range(60)],
        "stand still between 4.10 s and 5.90 s of the recording (19 frames)",
    ),
    "frozen for 1.5 s": (
        [GOOD[40] if 40 <= n < 55 else t for n, t in enumerate(GOOD)],
        "stand still between 4.10 s and 5.40 s of the recording (14 frames)",
    ),
    "another clock from frame 30 on": (
        [t if n < 30 else t - START_NS for n, t in enumerate(GOOD)],
        "jump back by 1699999999.90 s at 3.00 s of the recording",
    ),
    "back by 2.5 s": (
        [t if n < 30 else t - 2_500_000_000 for n, t in enumerate(GOOD)],
        "jump back by 2.40 s at 3.00 s of the recording",
    ),
    "ahead by an hour": (
        [t if n < 30 else t + 3600 * 10**9 for n, t in enumerate(GOOD)],
        "jump ahead by 3600.10 s at 3.00 s of the recording",
    ),
    "each five times": ([GOOD[n // 5 * 5] for n in range(60)], "repeat themselves"),
    "whole seconds": ([GOOD[n // 10 * 10] for n in range(60)], "stand still"),
    "milliseconds from frame 40 on": (
        [t if n < 40 else GOOD[40] + n for n, t in enumerate(GOOD)],
        "stand still between 4.1",
    ),
    "backwards": (GOOD[::-1], "run backwards"),
    "0 now and then": ([t if n % 10 else 0 for n, t in enumerate(GOOD)], "are 0"),
    "a tenth as fast from frame 30 on": (
        [GOOD[min(n, 30)] + max(0, n - 30) * 10**7 for n in range(60)],
        "not steadily",
    ),
}


@pytest.mark.parametrize("fault", LATE_FAULTS)
def test_stamps_that_go_wrong_in_the_middle_are_noticed(fault):
    stamps, words = LATE_FAULTS[fault]
    times = judge_times(stamps, GOOD, TOPIC)
    assert times.source is TimeSource.RECORDING
    assert words in times.warning
    assert times.warning.endswith("the time of recording is used")


def bursts(period_ns):
    return [START_NS + (n // 20 + 1) * period_ns + n for n in range(60)]


EXPLAINED = {
    "in bursts of 2 s": (GOOD, bursts(2 * 10**9)),
    "flushed at once at the end": (GOOD, [GOOD[-1] + n for n in range(60)]),
    "recorded at one instant": (GOOD, [START_NS] * 60),
    "late by 3 s and catching up": (
        GOOD,
        [max(t, GOOD[40] + n) if n > 9 else t for n, t in enumerate(GOOD)],
    ),
    "late by 0 to 0.3 s": (GOOD, sorted(t + n * 7 % 4 * 10**8 for n, t in enumerate(GOOD))),
    "a pause of 20 min": (
        [t + (n > 29) * 1200 * 10**9 for n, t in enumerate(GOOD)],
        [t + (n > 29) * 1200 * 10**9 for n, t in enumerate(GOOD)],
    ),
    "overtaken by the next": ([GOOD[n ^ 1] for n in range(60)], GOOD),
    "lost images": (
        [GOOD[n * n // 60] for n in range(8, 60)],
        [GOOD[n * n // 60] for n in range(8, 60)],
    ),
    "recorded twice": ([GOOD[n // 2] for n in range(60)], [GOOD[n // 2] + n for n in range(60)]),
}


@pytest.mark.parametrize("case", EXPLAINED)
def test_stamps_that_advance_are_used_however_the_recorder_wrote(case):
    stamps, recorded = EXPLAINED[case]
    assert judge_times(stamps, recorded, TOPIC).source is TimeSource.STAMPS


@pytest.mark.parametrize("rate", [0.03, 0.5, 2.0, 40.0])
def test_a_simulation_keeps_its_stamps_at_any_rate(rate):
    stamps = [10**9 + round(rate * (t - START_NS)) for t in GOOD]
    assert judge_times(stamps, GOOD, TOPIC, has_clock=True) == ImageTimes(TimeSource.STAMPS)
    times = judge_times(stamps, GOOD, TOPIC)
    assert times.source is TimeSource.STAMPS
    assert times.warning == (
        f"the stamps on {TOPIC} advance {rate:.3g} times as fast as the recording: "
        "the stamps are used"
    )


@pytest.mark.parametrize("rate", [0.001, 1000.0])
def test_a_rate_that_no_simulation_has_is_a_fault(rate):
    stamps = [10**9 + round(rate * (t - START_NS)) for t in GOOD]
    assert judge_times(stamps, GOOD, TOPIC, has_clock=True).source is TimeSource.RECORDING


BOTH = {
    "frozen": [START_NS] * COUNT,
    "zero": [0] * COUNT,
    "milliseconds": [START_NS + n * 10**5 for n in range(COUNT)],
    "frozen from the middle on": [RECORDED[min(n, 30)] for n in range(COUNT)],
}


@pytest.mark.parametrize("fault", BOTH)
def test_without_any_time_that_advances_frames_are_evaluated_one_by_one(tmp_path, capsys, fault):
    """The recorder copied the time of recording from a header that does not advance."""
    portrait = next(PortraitSource(320, 240)).image
    bag = write(tmp_path / "bag", BOTH[fault], [portrait] * COUNT, BOTH[fault])
    out = tmp_path / "out"
    labels = tmp_path / "labels.csv"
    labels.write_text("time_s,label\n0,happiness\n")
    arguments = [str(bag), "--out", str(out), "--quiet"]
    assert evaluate_bag.main([*arguments, "--labels", str(labels)]) == 2
    assert "labels by time fit no frame" in capsys.readouterr().err
    assert not out.exists()

    assert evaluate_bag.main(arguments) == 0
    warning = f"neither the stamps on {TOPIC} nor the times of recording advance"
    assert warning in capsys.readouterr().err
    assert warning in (out / "report.html").read_text()
    document = json.loads((out / "metrics.json").read_text())
    assert document["source"]["time"] == "none"
    assert warning in document["warnings"][0]
    metrics = document["metrics"]
    assert metrics["frames"] == metrics["faces"] == COUNT
    assert metrics["duration_s"] == metrics["face_ids"] == 0
    assert metrics["label_flips_per_minute"] is None
    assert metrics["flash_limit_interventions"] is None
    rows = list(csv.DictReader((out / "emotions.csv").open()))
    assert [int(row["stamp_ns"]) for row in rows] == list(range(COUNT))


def test_the_stamp_is_read_in_both_byte_orders():
    assert header_stamp_ns(bytes((0, 1, 0, 0, 7, 0, 0, 0, 5, 0, 0, 0))) == 7_000_000_005
    assert header_stamp_ns(bytes((0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 5))) == 7_000_000_005
    assert header_stamp_ns(b"\0\1\0\0") is None
