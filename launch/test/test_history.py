# SPDX-License-Identifier: Apache-2.0
import csv

from fer_bringup.dashboard.history import KEPT_S, SHOWN_S, FaceSample, History
from fer_perception.emotions import EMOTIONS


def sample(label="happiness", valence=50):
    return FaceSample(label, (0, 900, 100, 0, 0, 0, 0), valence)


def filled(seconds, period_s=0.1):
    history = History()
    for i in range(round(seconds / period_s)):
        history.add({"f1": sample()}, i * period_s, 1e9 + i * period_s)
    return history


def test_a_page_gets_each_sample_once_and_a_new_one_the_last_minute():
    history = filled(100.0)
    first, sample_number, event_number = history.since(0, 0, 100.0)
    ages_s = [100.0 - entry["at_s"] for entry in first["samples"]]
    assert max(ages_s) <= SHOWN_S and len(ages_s) > 0.9 * SHOWN_S / 0.2
    again, *_ = history.since(sample_number, event_number, 100.0)
    assert again == {"samples": [], "events": []}
    history.add({}, 100.2, 1e9)
    history.add_event({"kind": "left"}, 100.2)
    new, *_ = history.since(sample_number, event_number, 100.2)
    assert new == {
        "samples": [{"at_s": 100.2, "faces": {}}],
        "events": [{"at_s": 100.2, "kind": "left"}],
    }


def test_memory_is_bounded():
    history = filled(4 * KEPT_S)
    for i in range(1000):
        history.add_event({"kind": "held"}, float(i))
    assert len(history.csv().splitlines()) <= KEPT_S / 0.2 + 1
    assert len(history.since(0, 0, 0.0)[0]["events"]) == 200


def test_csv_has_a_line_per_face_and_no_formula():
    history = History()
    history.add({"=1+1": sample("@x", None), "f2": sample()}, 0.0, 1e9)
    head, hostile, good = csv.reader(history.csv().splitlines())
    assert head == ["time", "face_id", "apparent_expression", *EMOTIONS, "valence"]
    assert hostile[1:3] == ["'=1+1", "'@x"] and hostile[-1] == ""
    assert good[0] == "2001-09-09T01:46:40.000+00:00"
    assert good[1:5] == ["f2", "happiness", "0.0", "0.9"] and good[-1] == "0.5"
