# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fer_training.figures.abstention import abstain, draw_abstention, threshold_for

# The sure answers are right, the middling one wrong, the unsure one right by chance.
SCORES = np.array([[0.95, 0.05], [0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
LABELS = np.array([0, 0, 0, 1])


def test_withholding_trades_coverage_for_accuracy():
    everything = abstain(SCORES, LABELS, 0.0)
    assert (everything.coverage, everything.accuracy) == (1.0, 0.75)
    sure = abstain(SCORES, LABELS, 0.9)
    assert (sure.coverage, sure.accuracy) == (0.5, 1.0)
    assert abstain(SCORES, LABELS, 1.1).coverage == 0.0


def test_threshold_is_the_lowest_that_reaches_the_accuracy():
    assert threshold_for(1.0, SCORES, LABELS) == 0.9
    assert threshold_for(0.75, SCORES, LABELS) == 0.6
    assert threshold_for(0.5, SCORES[2:3], LABELS[2:3]) == 1.0


@given(st.integers(0, 10_000), st.floats(0.3, 0.99))
def test_answers_above_the_threshold_reach_the_accuracy(seed, accuracy):
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.ones(3), 50)
    labels = rng.integers(0, 3, 50)
    result = abstain(scores, labels, threshold_for(accuracy, scores, labels))
    assert result.coverage == 0.0 or result.accuracy >= accuracy


def test_curve_is_drawn(tmp_path):
    path = tmp_path / "curve.png"
    draw_abstention(path, SCORES, LABELS, [abstain(SCORES, LABELS, 0.9)], "test")
    assert path.read_bytes().startswith(b"\x89PNG")
