# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_perception.emotions import EMOTIONS
from fer_perception.tracking.smoothing import ScoreSmoother

A = np.eye(7, dtype=np.float32)[0]
B = np.eye(7, dtype=np.float32)[3]


@pytest.mark.parametrize("rate_hz", [5, 30, 200])
def test_delay_is_the_documented_one_at_any_frame_rate(rate_hz):
    smoother = ScoreSmoother(0.5)
    smoother.update("f", A, 0.0)
    reached = {}
    for i in range(1, 4 * rate_hz):
        t = i / rate_hz
        smoothed = smoother.update("f", B, t)
        for level in (0.5, 0.632, 0.9):
            if smoothed[3] >= level - 1e-6:
                reached.setdefault(level, t)
    tolerance = 1.01 / rate_hz
    assert reached[0.632] == pytest.approx(0.5, abs=tolerance)
    assert reached[0.9] == pytest.approx(2.303 * 0.5, abs=tolerance)
    assert reached[0.5] == pytest.approx(0.693 * 0.5, abs=tolerance)


def test_zero_turns_it_off():
    smoother = ScoreSmoother(0.0)
    smoother.update("f", A, 0.0)
    np.testing.assert_array_equal(smoother.update("f", B, 0.01), B)


def test_faces_do_not_mix_and_forgotten_ones_start_anew():
    smoother = ScoreSmoother(1.0)
    smoother.update("f1", A, 0.0)
    np.testing.assert_array_equal(smoother.update("f2", B, 0.01), B)
    smoother.keep_only({"f2"})
    np.testing.assert_array_equal(smoother.update("f1", B, 0.02), B)


def test_a_stamp_before_the_last_starts_anew():
    smoother = ScoreSmoother(1.0)
    smoother.update("f", A, 10.0)
    np.testing.assert_array_equal(smoother.update("f", B, 3.0), B)


def _scores(**shares):
    scores = np.full(7, (1.0 - sum(shares.values())) / (7 - len(shares)), np.float32)
    for name, share in shares.items():
        scores[EMOTIONS.index(name)] = share
    return scores


def _changes(smoother, scores, rate_hz=10):
    """Return (time, label) at each change of the label."""
    changes = []
    for i, row in enumerate(scores):
        smoother.update("f", row, i / rate_hz)
        if not changes or smoother.label("f") != changes[-1][1]:
            changes.append((i / rate_hz, smoother.label("f")))
    return changes


def test_label_does_not_waver_between_near_equal_classes_and_scores_stay_the_average(rng):
    smoother = ScoreSmoother(0.5)
    shares = [0.44 + 0.06 * noise for noise in rng.normal(size=600)]
    rows = [_scores(sadness=share, neutral=0.88 - share) for share in shares]
    assert len(_changes(smoother, rows)) <= 2
    argmax = [int(row.argmax()) for row in rows]
    assert sum(a != b for a, b in zip(argmax, argmax[1:], strict=False)) > 100
    mean = np.mean(rows[-10:], axis=0)
    np.testing.assert_allclose(smoother.scores("f"), mean, atol=0.05)


@pytest.mark.parametrize("rate_hz", [5, 10, 30])
def test_label_follows_a_clear_change_within_half_a_second(rate_hz):
    rows = [_scores(neutral=0.8)] * 3 * rate_hz + [_scores(happiness=0.8)] * 2 * rate_hz
    [_, (changed_s, label)] = _changes(ScoreSmoother(0.5), rows, rate_hz)
    assert label == "happiness" and changed_s - 3.0 <= 0.5


def test_label_of_one_odd_picture_is_ignored():
    rows = [_scores(neutral=0.8)] * 20 + [_scores(fear=0.9)] + [_scores(neutral=0.8)] * 20
    assert _changes(ScoreSmoother(0.5), rows) == [(0.0, "neutral")]


def test_label_is_that_of_the_highest_score_without_smoothing():
    rows = [_scores(neutral=0.41, sadness=0.4), _scores(neutral=0.4, sadness=0.41)] * 3
    assert len(_changes(ScoreSmoother(0.0), rows)) == 6


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_absurd_time_constants_are_refused(value):
    with pytest.raises(ValueError, match="time constant"):
        ScoreSmoother(value)


@given(
    st.lists(
        st.tuples(
            st.floats(-10, 10),
            st.lists(st.floats(0.0, 1.0), min_size=7, max_size=7).filter(lambda s: sum(s) > 0.01),
        ),
        min_size=1,
        max_size=20,
    ),
    st.floats(0.0, 10.0),
)
def test_smoothed_scores_stay_a_distribution(frames, time_constant_s):
    smoother = ScoreSmoother(time_constant_s)
    for stamp, raw in frames:
        scores = np.array(raw, np.float32) / np.float32(sum(raw))
        smoothed = smoother.update("f", scores, stamp)
        assert smoothed.sum() == pytest.approx(1.0, abs=1e-4)
        assert (smoothed >= -1e-6).all()
