# SPDX-License-Identifier: Apache-2.0
"""Figures against cases that can be counted by hand, and against other libraries."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_evaluation.bags.playback_clock import PlaybackClock
from fer_evaluation.scoring.classification_metrics import ClassificationMetrics
from fer_evaluation.scoring.ground_truth import (
    GroundTruth,
    GroundTruthFace,
    LabelError,
    LabelRow,
    read_labels,
)
from fer_evaluation.scoring.latency_histogram import LatencyHistogram
from fer_evaluation.scoring.matching import FaceMatcher
from fer_evaluation.scoring.predicted_face import PredictedFace, PredictedFrame
from fer_evaluation.scoring.scorer import Scoring
from fer_evaluation.scoring.timeline import MAX_BINS, Timeline
from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox

S = 10**9
BOX = BoundingBox(10.0, 10.0, 40.0, 40.0)
FAR_BOX = BoundingBox(300.0, 10.0, 40.0, 40.0)


def seen(face_id, label, box=BOX, confidence=0.9):
    scores = np.full(7, (1.0 - confidence) / 6.0, np.float32)
    scores[EMOTIONS.index(label)] = confidence
    return PredictedFace(face_id, box, label, scores)


def frame(seconds, *faces):
    return PredictedFrame(round(seconds * S), (640, 480), tuple(faces))


def score(rows, *frames):
    scoring = Scoring(GroundTruth(rows) if rows is not None else None)
    for one in frames:
        scoring.add(one)
    return scoring


def held(seconds, label, face_id=""):
    return LabelRow(round(seconds * S), label, None, face_id)


def test_the_confidence_is_that_of_the_label():
    """A steady label waits where another score has just become the highest."""
    scores = np.array([0.5, 0.4, 0.1, 0.0, 0.0, 0.0, 0.0], np.float32)
    assert PredictedFace("f1", BOX, "happiness", scores).confidence == pytest.approx(0.4)
    assert PredictedFace("f1", BOX, "unknown", scores).confidence == pytest.approx(0.5)


# Ground truth


def test_a_label_without_a_box_holds_until_the_next():
    truth = GroundTruth([held(2, "happiness"), held(1, "sadness"), held(3, "none")])
    assert truth.at(0) is None
    assert truth.at(S) == (GroundTruthFace("", "sadness", None, S),)
    assert truth.at(5 * S // 2) == (GroundTruthFace("", "happiness", None, 2 * S),)
    assert truth.at(9 * S) == ()


def test_a_label_with_a_box_is_about_the_nearest_frame_only():
    truth = GroundTruth([LabelRow(S, "fear", BOX, "a")])
    assert truth.at(S - 30_000_000) is None
    assert truth.at(S + 5_000_000) == (GroundTruthFace("a", "fear", BOX, S),)
    assert truth.at(S + 15_000_000) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no labels; expected columns"),
        ("a,b\n1,2\n", r":1: expected a first line with columns stamp_ns"),
        ("stamp_ns,label\n5,glee\n", r":2: label 'glee': expected one of neutral, happiness"),
        ("# note\n\nstamp_ns,label\n5,fear\nx,fear\n", r":5: invalid literal"),
        ("stamp_ns,label,x,y,w,h\n5,fear,1,2,0,4\n", ":2: box 1, 2, 0, 4: expected"),
        ("stamp_ns,label,x,y,w,h\n5,fear,1,2,3,\n", ":2: box 1, 2, 3, : expected"),
        ("time_s,label\nnan,fear\n", ":2: neither stamp_ns nor time_s"),
    ],
)
def test_labels_that_cannot_be_used_name_their_line(tmp_path, text, message):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(LabelError, match=message):
        read_labels(path)


def test_labels_may_have_the_names_of_class_folders(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("stamp_ns,label\n1,Happy\n2,afraid\n3,none\n")
    assert [row.label for row in read_labels(path)] == ["happiness", "fear", "none"]


def test_times_of_labels_count_from_the_first_image(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("time_s, label, face_id\n0.5, Fear, anna\n")
    assert read_labels(path, 7 * S) == [LabelRow(7 * S + S // 2, "fear", None, "anna")]
    path.write_text("stamp_ns,label,x,y,w,h\n5,fear,1,2,3,4\n")
    assert read_labels(path, 7 * S) == [LabelRow(5, "fear", BoundingBox(1, 2, 3, 4), "")]


# Matching


def test_faces_are_matched_by_overlap():
    near, far = seen("f1", "fear"), seen("f2", "anger", FAR_BOX)
    true = [GroundTruthFace("a", "fear", FAR_BOX, 0), GroundTruthFace("b", "fear", BOX, 0)]
    matches = FaceMatcher().match(true, [near, far])
    assert [match.predicted for match in matches] == [far, near]
    nowhere = GroundTruthFace("c", "fear", BoundingBox(40.0, 40.0, 40.0, 40.0), 0)
    assert FaceMatcher().match([nowhere], [near])[0].predicted is None


def test_a_face_without_a_box_stays_who_it_was_though_a_larger_one_comes():
    matcher = FaceMatcher()
    true, small = [GroundTruthFace("", "fear", None, 0)], seen("f1", "fear")
    assert matcher.match(true, [small])[0].predicted is small
    large = seen("f2", "anger", BoundingBox(300.0, 0.0, 200.0, 200.0))
    assert matcher.match(true, [large, small])[0].predicted is small
    assert matcher.match(true, [large])[0].predicted is large


# Figures


def test_accuracy_counts_found_faces_and_coverage_those_that_were_not():
    metrics = score(
        [held(0, "fear")],
        frame(0.0, seen("f1", "fear")),
        frame(0.1, seen("f1", "anger")),
        frame(0.2),
        frame(0.3, seen("f1", "fear")),
    ).metrics()
    assert metrics.true_faces == 4
    assert metrics.coverage == 0.75
    assert metrics.accuracy == pytest.approx(2 / 3, abs=1e-5)
    assert metrics.right_of_true_faces == 0.5
    assert metrics.confusion == {"fear": {"anger": 1, "fear": 2}}


def test_balanced_accuracy_and_f1_are_over_the_classes_that_occur():
    metrics = ClassificationMetrics()
    scores = seen("", "fear").scores
    for true, label, count in (
        ("fear", "fear", 8),
        ("fear", "anger", 2),
        ("anger", "anger", 1),
        ("anger", "unknown", 1),
    ):
        for _ in range(count):
            metrics.add(true, label, scores)
    assert metrics.accuracy() == pytest.approx(9 / 12)
    assert metrics.balanced_accuracy() == pytest.approx((0.8 + 0.5) / 2)
    f1_fear, f1_anger = 2 * 1.0 * 0.8 / 1.8, 2 * (1 / 3) * 0.5 / (1 / 3 + 0.5)
    assert metrics.macro_f1() == pytest.approx((f1_fear + f1_anger) / 2)
    assert metrics.classes()["anger"].support == 2


def test_without_labels_there_are_no_figures_to_mistrust():
    metrics = score(None, frame(0.0, seen("f1", "fear")), frame(0.1, seen("f1", "fear"))).metrics()
    assert metrics.accuracy is metrics.coverage is metrics.idf1 is metrics.ece is None
    assert metrics.faces == 2


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.lists(st.floats(0.01, 1.0), min_size=7, max_size=7)),
        min_size=1,
        max_size=60,
    )
)
@settings(max_examples=60, deadline=None)
def test_ece_is_that_of_torchmetrics(cases):
    torch = pytest.importorskip("torch", reason="PyTorch is missing: ECE was not compared")
    classification = pytest.importorskip(
        "torchmetrics.functional.classification", reason="torchmetrics: ECE was not compared"
    )
    metrics = ClassificationMetrics()
    # Neither ties nor confidences on the edge of a bin, where libraries differ.
    raw = np.array([weights for _, weights in cases], np.float32) + np.linspace(0, 0.0123, 7)
    scores = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
    labels = np.array([label for label, _ in cases])
    for label, row in zip(labels, scores, strict=True):
        metrics.add(EMOTIONS[label], EMOTIONS[int(row.argmax())], row)
    expected = classification.multiclass_calibration_error(
        torch.from_numpy(scores), torch.from_numpy(labels), num_classes=7, n_bins=15
    )
    assert metrics.ece() == pytest.approx(float(expected), abs=1e-5)


def test_ids_that_are_exchanged_are_switches_and_cost_idf1():
    rows = [held(0, "fear", "a")]
    metrics = score(
        rows,
        *(frame(n / 10, seen("f1", "fear")) for n in range(6)),
        *(frame(n / 10, seen("f2", "fear")) for n in range(6, 8)),
        frame(0.8, seen("f2", "fear"), seen("f9", "fear", FAR_BOX)),
        frame(0.9),
    ).metrics()
    assert metrics.id_switches == 1
    # Six of ten true faces are under the best id; ten faces were seen.
    assert metrics.idf1 == pytest.approx(2 * 6 / (10 + 10), abs=1e-5)


def test_flips_are_counted_for_each_minute_that_a_face_is_watched():
    labels = ["fear", "fear", "anger", "fear", "fear", "fear", "fear"]
    frames = [frame(n / 2, seen("f1", label)) for n, label in enumerate(labels)]
    metrics = score(None, *frames, frame(100.0, seen("f1", "anger"))).metrics()
    assert metrics.label_flips_per_minute == pytest.approx(60 * 2 / 3.0)  # the gap is not a flip


def test_time_to_switch_is_that_until_the_new_label_is_seen():
    rows = [held(0, "sadness"), held(1.05, "happiness"), held(2.0, "fear"), held(2.2, "anger")]
    predicted = ["sadness"] * 14 + ["happiness"] * 11
    frames = [frame(n / 10, seen("f1", label)) for n, label in enumerate(predicted)]
    metrics = score(rows, *frames).metrics()
    assert metrics.time_to_switch_median_s == pytest.approx(0.35)
    assert (metrics.true_changes, metrics.missed_changes) == (3, 2)


def test_a_recording_that_starts_anew_is_no_flip_no_switch_and_no_change():
    rows = [held(0, "sadness"), held(5, "happiness")]
    lap = [frame(n, seen("f1", "sadness" if n < 5 else "happiness")) for n in range(10)]
    again = [frame(n, seen("f2", "sadness" if n < 5 else "happiness")) for n in range(10)]
    metrics = score(rows, *lap, *again).metrics()
    assert metrics.id_switches == 0
    assert (metrics.true_changes, metrics.missed_changes) == (2, 0)
    assert metrics.accuracy == 1.0


def test_mistakes_are_ranges_and_the_worst_comes_first():
    predicted = ["fear"] * 3 + ["anger"] * 2 + ["fear"] * 8 + ["sadness"] * 6 + ["fear"]
    frames = [frame(n / 10, seen("f1", label)) for n, label in enumerate(predicted)]
    worst = score([held(0, "fear", "a")], *frames, frame(5.0)).mistakes.worst()
    assert [(m.predicted, m.frames) for m in worst] == [
        (("sadness",), 6),
        (("anger",), 2),
        (("not found",), 1),
    ]
    assert worst[0].start_ns == round(1.3 * S)
    assert worst[0].end_ns == round(1.8 * S)


# What keeps memory bounded


@given(
    st.lists(st.floats(0.0, 1e5), min_size=1, max_size=400),
    st.integers(0, 2**60),
)
@settings(max_examples=50, deadline=None)
def test_a_timeline_of_any_length_is_bounded_and_loses_no_frame(times, start_ns):
    timeline = Timeline()
    face = seen("f1", "fear")
    for seconds in sorted(times):
        stamp_ns = start_ns + round(seconds * S)
        timeline.add(PredictedFrame(stamp_ns, (64, 48), (face,)), [])
        timeline.add_lamp(stamp_ns, (0.5, 0.2, 0.1))
    [track] = timeline.tracks().values()
    assert timeline.bins <= MAX_BINS
    assert max(track) < MAX_BINS
    assert sum(step.frames for step in track.values()) == len(times)
    assert sum(step.scores.sum() for step in track.values()) == pytest.approx(len(times), 1e-4)
    for rgb in timeline.lamp().values():
        assert rgb == pytest.approx((0.5, 0.2, 0.1))


def test_of_very_many_faces_the_longest_seen_are_kept():
    timeline = Timeline()
    for n in range(2000):
        faces = [seen("long", "fear"), seen(f"short{n}", "fear", FAR_BOX)]
        timeline.add(frame(float(n), *faces), [])
    tracks = timeline.tracks()
    assert next(iter(tracks)) == "long"
    assert len(tracks) < 100
    crowd = timeline.crowd()
    assert len(crowd) <= MAX_BINS
    assert sum(step.frames for step in crowd.values()) == 2000
    assert sum(step.labels.total() for step in crowd.values()) == 4000


@given(st.lists(st.floats(1e-4, 100.0), min_size=1, max_size=200), st.floats(1.0, 99.0))
@settings(max_examples=80, deadline=None)
def test_percentiles_are_exact_to_one_percent(latencies, percent):
    histogram = LatencyHistogram()
    for latency_s in latencies:
        histogram.add(latency_s)
    exact = float(np.percentile(latencies, percent, method="inverted_cdf"))
    assert histogram.percentile_s(percent) == pytest.approx(exact, rel=0.011)
    assert sum(count for _, _, count in histogram.coarse(20)) == len(latencies)


# Playback


@given(
    st.lists(
        st.tuples(st.floats(0.0, 10.0), st.floats(0.1, 10.0), st.booleans()),
        min_size=1,
        max_size=20,
    )
)
def test_playback_never_jumps_whatever_is_changed(steps):
    now_s, expected_s = 100.0, 0.0
    clock, rate, paused = PlaybackClock(0, 1.0, now_s), 1.0, False
    for wait_s, next_rate, next_paused in steps:
        now_s += wait_s
        expected_s += 0.0 if paused else wait_s * rate
        assert clock.now_ns(now_s) * 1e-9 == pytest.approx(expected_s, abs=1e-5)
        clock.set(next_rate, next_paused, now_s)
        rate, paused = next_rate, next_paused
        assert clock.now_ns(now_s) * 1e-9 == pytest.approx(expected_s, abs=1e-5)


def test_rows_that_label_no_frame_are_counted():
    face = BoundingBox(0.0, 0.0, 10.0, 10.0)
    truth = GroundTruth(
        [
            LabelRow(0, "neutral", None, ""),
            LabelRow(10**12, "happiness", None, ""),
            LabelRow(10**8, "fear", face, ""),
            LabelRow(10**11, "fear", face, ""),
        ]
    )
    for stamp_ns in (0, 10**8, 2 * 10**8):
        truth.at(stamp_ns)
    assert truth.unused_rows == 2


def test_empty_cells_at_the_end_of_lines_are_ignored(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("time_s,label,,\n0,fear,,,\n1,anger\n")
    assert [row.label for row in read_labels(path)] == ["fear", "anger"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("time_s,label,label\n0,fear,anger\n", ":1: column 'label' is there twice"),
        ("time_s,label\n0,fear\n0,anger\n", ":3: an earlier row has another label"),
        ("time_s,label\n0,fear,anger\n", ":2: more cells than columns"),
        ("time_s,stamp_ns,label\n0,5,fear\n", ":2: both stamp_ns and time_s"),
        ("time_s,label\n", "no labels below"),
    ],
)
def test_labels_with_two_meanings_are_refused(tmp_path, text, reason):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(LabelError, match=re.escape(reason)):
        read_labels(path)
