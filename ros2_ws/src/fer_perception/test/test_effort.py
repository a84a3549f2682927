# SPDX-License-Identifier: Apache-2.0
"""Limits of a pipeline's effort: rates, regions, load shedding."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_perception.images.region import RegionOfInterest
from fer_perception.runtime.load_shedding import LoadShedder
from fer_perception.runtime.rate_limit import RateLimit
from fer_perception.tracking.recognition_schedule import RecognitionSchedule


def test_each_face_is_recognised_at_the_rate_and_they_take_turns():
    schedule = RecognitionSchedule()
    ids = ["a", "b", "c", "d"]
    counts = dict.fromkeys(ids, 0)
    assert schedule.due(ids, 0.0, 15.0) == [0, 1, 2, 3]
    for frame in range(1, 61):
        due = schedule.due(ids, frame / 30, 15.0)
        assert frame < 3 or len(due) == 2
        for index in due:
            counts[ids[index]] += 1
    assert all(28 <= count <= 31 for count in counts.values())


def test_new_face_is_recognised_at_once_and_slow_frames_all():
    schedule = RecognitionSchedule()
    schedule.due(["a"], 0.0, 2.0)
    assert schedule.due(["a", "b"], 0.03, 2.0) == [1]
    assert schedule.due(["b", "a"], 1.0, 2.0) == [0, 1]
    assert schedule.due(["b", "a"], 1.01, 0.0) == [0, 1]
    assert schedule.due(["b", "a"], 0.5, 2.0) == [0, 1]  # time was set back


@given(
    st.lists(st.tuples(st.floats(0.0, 0.2), st.sets(st.sampled_from("abcdef"))), max_size=20),
    st.floats(0.0, 60.0),
)
def test_every_face_has_been_recognised_before_its_scores_are_asked_for(frames, rate_hz):
    schedule, known, now = RecognitionSchedule(), set(), 0.0
    for step, faces in frames:
        now += step
        ids = sorted(faces)
        due = schedule.due(ids, now, rate_hz)
        assert len(set(due)) == len(due) and set(due) <= set(range(len(ids)))
        known = (known & faces) | {ids[i] for i in due}
        assert known == faces


@pytest.mark.parametrize(("rate_hz", "expected"), [(10.0, 100), (30.0, 300), (7.0, 70), (0, 300)])
def test_rate_is_kept_on_average_with_a_jittery_camera(rate_hz, expected, rng):
    limit = RateLimit()
    times = np.arange(300) / 30 + rng.normal(0, 0.004, 300)
    passed = sum(limit.allows(now, rate_hz) for now in np.sort(times))
    assert passed == pytest.approx(expected, abs=max(2, 0.02 * expected))


def test_after_a_pause_there_is_no_burst():
    limit = RateLimit()
    assert limit.allows(0.0, 5.0)
    passed = sum(limit.allows(100.0 + i / 100, 5.0) for i in range(100))
    assert passed <= 6


def test_load_is_shed_while_frames_take_too_long_and_taken_up_again():
    shedder = LoadShedder(0.1)
    efforts = []
    for latency_s in [0.02] * 50 + [0.3] * 200 + [0.07] * 100 + [0.02] * 300:
        shedder.update(latency_s)
        efforts.append(shedder.effort)
    assert efforts[49] == 1.0
    assert efforts[249] == 0.125
    assert efforts[349] < 1.0  # with little room the load is not taken up again
    assert efforts[-1] == 1.0
    assert set(efforts) == {1.0, 0.5, 0.25, 0.125}


def test_no_limit_sheds_nothing():
    shedder = LoadShedder(0.0)
    for _ in range(100):
        shedder.update(5.0)
    assert shedder.effort == 1.0


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_absurd_latency_is_refused_by_name(value):
    with pytest.raises(ValueError, match="max_latency_s"):
        LoadShedder(value)


def test_region_is_a_view_of_the_right_part():
    image = np.arange(100 * 200 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 200, 3)
    part, left, top = RegionOfInterest(0.25, 0.1, 0.75, 0.6).part(image)
    assert (left, top) == (50, 10) and part.shape == (50, 100, 3)
    assert np.shares_memory(part, image)
    np.testing.assert_array_equal(part, image[10:60, 50:150])


@given(st.integers(1, 50), st.integers(1, 50), st.floats(0.0, 0.999), st.floats(0.0, 0.999))
def test_region_is_never_empty(width, height, left, top):
    region = RegionOfInterest(left, top, min(1.0, left + 1e-3), min(1.0, top + 1e-3))
    part, _, _ = region.part(np.zeros((height, width, 3), np.uint8))
    assert part.size > 0


@pytest.mark.parametrize(
    "edges", [(0.5, 0.0, 0.5, 1.0), (0.0, 0.9, 1.0, 0.1), (-0.1, 0, 1, 1), (0, 0, 1, math.nan)]
)
def test_empty_or_absurd_region_is_refused(edges):
    with pytest.raises(ValueError, match="region"):
        RegionOfInterest(*edges)
