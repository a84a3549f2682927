# SPDX-License-Identifier: Apache-2.0
"""The benchmark of tracking counts what happens, on people made of patterns."""

import cv2
import numpy as np
import pytest

from bench.tracking.clips import CLIPS, Goal, Renderer, TrueFace
from bench.tracking.counting import TrackingCount
from bench.tracking.measure import run
from bench.tracking.people import Person
from fer_perception.face import BoundingBox, Face

_NO_LANDMARKS = np.full((5, 2), np.nan, np.float32)


def _truth(person, x, visible=1.0):
    return TrueFace(person, Face(BoundingBox(x, 0.0, 50.0, 50.0), 1.0, _NO_LANDMARKS), visible)


def _box(x):
    return BoundingBox(x, 0.0, 50.0, 50.0)


def test_perfect_tracking_counts_nothing():
    count = TrackingCount()
    for i in range(10):
        count.add([_truth(0, 0.0), _truth(1, 200.0)], [("a", _box(2.0)), ("b", _box(201.0))], i)
    assert (count.ids, count.stays, count.thefts, count.switches, count.missed, count.extra) == (
        2,
        2,
        0,
        0,
        0,
        0,
    )
    assert count.mota == count.idf1 == 1.0 and max(count.waits_s) == 0.0


def test_swapped_ids_are_two_thefts_and_two_switches():
    count = TrackingCount()
    for i in range(10):
        ids = "ab" if i < 5 else "ba"
        found = [(ids[0], _box(0.0)), (ids[1], _box(200.0))]
        count.add([_truth(0, 0.0), _truth(1, 200.0)], found, 0.1 * i)
    assert (count.thefts, count.switches) == (2, 2)
    assert count.idf1 == pytest.approx(0.5) and count.mota == pytest.approx(0.9)


def test_hidden_faces_need_not_be_found_and_waits_start_when_they_are_in_view():
    count = TrackingCount()
    count.add([_truth(0, 0.0, 0.1)], [], 0.0)
    count.add([_truth(0, 0.0, 0.5)], [], 0.1)
    assert count.missed == count.truths == 0
    count.add([_truth(0, 0.0)], [("x", _box(300.0))], 0.2)
    count.add([_truth(0, 0.0)], [("a", _box(0.0))], 0.5)
    assert (count.truths, count.missed, count.extra) == (2, 1, 1)
    assert count.waits_s == pytest.approx([0.3])
    count.add([_truth(1, 0.0)], [], 1.0)
    count.add([], [], 1.4)
    assert count.waits_s == pytest.approx([0.3, 0.4])


def _people(number):
    """Return people made of blobs, as different as their seeds."""
    people = []
    for seed in range(number):
        noise = np.random.default_rng(seed).normal(0.0, 1.0, (260, 260, 3))
        blobs = cv2.GaussianBlur(noise, (0, 0), 9.0)
        cutout = np.clip(128.0 + 900.0 * blobs, 0, 255).astype(np.uint8)
        face = Face(BoundingBox(90.0, 80.0, 80.0, 100.0), 1.0, _NO_LANDMARKS)
        people.append(Person(str(seed), cutout, np.ones((260, 260), np.float32), face))
    return people


@pytest.mark.parametrize("name", ["crossing in 2.4 s", "600 px/s at 5 Hz", "newcomer at 5 Hz"])
def test_ids_follow_people_of_simulated_clips(name):
    [clip] = [clip for clip in CLIPS if clip.name == name]
    for row in run(clip, Renderer(_people(clip.people)).frames(clip), is_simulated=True):
        count = row.count
        assert count.thefts == 0 and count.ids == count.stays, row.tracker
        assert count.missed <= 0.1 * count.truths
        assert max(count.waits_s) <= 0.4


def test_no_id_is_on_two_people_who_swap_their_seats_at_once():
    [clip] = [clip for clip in CLIPS if clip.name == "seats swapped at once"]
    rows = run(clip, Renderer(_people(clip.people)).frames(clip), is_simulated=True)
    assert [row.count.thefts for row in rows] == [0, 0]


def test_a_goal_is_missed_by_thefts_ids_misses_or_waits():
    count = TrackingCount()
    count.add([_truth(0, 0.0)], [], 0.0)
    count.add([_truth(0, 0.0)], [("a", _box(0.0))], 0.3)
    assert count.meets(Goal()) and count.meets(Goal(ids=1, missed=0.5, wait_s=0.3))
    assert not count.meets(Goal(ids=0))
    assert not count.meets(Goal(missed=0.4))
    assert not count.meets(Goal(wait_s=0.2))
    count.add([_truth(1, 0.0)], [("a", _box(0.0))], 0.4)
    assert not count.meets(Goal())
