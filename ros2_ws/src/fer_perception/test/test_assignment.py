# SPDX-License-Identifier: Apache-2.0
"""The assignment against SciPy's and against all permutations."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_perception.tracking.assignment import linear_sum_assignment

FORBIDDEN = 1e6
SIZES = st.tuples(st.integers(1, 5), st.integers(1, 5))
COSTS = arrays(
    np.float64, SIZES, elements=st.one_of(st.floats(0.0, 12.0, width=16), st.just(FORBIDDEN))
)


def total(cost, rows, columns):
    assert len(set(rows)) == len(set(columns)) == len(rows) == min(cost.shape)
    return cost[rows, columns].sum()


@given(COSTS)
def test_no_permutation_costs_less(cost):
    wide = cost if cost.shape[0] <= cost.shape[1] else cost.T
    count = len(wide)
    best = min(
        wide[np.arange(count), list(columns)].sum()
        for columns in permutations(range(wide.shape[1]), count)
    )
    assert total(cost, *linear_sum_assignment(cost)) == pytest.approx(best, rel=1e-6, abs=1e-3)


def test_twenty_faces_are_assigned_as_by_scipy(rng):
    optimize = pytest.importorskip("scipy.optimize", reason="no SciPy: 20 faces were not compared")
    for _ in range(50):
        cost = 12.0 * rng.random((20, int(rng.integers(1, 30))))
        cost[rng.random(cost.shape) < rng.random()] = FORBIDDEN
        expected = total(cost, *optimize.linear_sum_assignment(cost))
        assert total(cost, *linear_sum_assignment(cost)) == pytest.approx(expected, rel=1e-6)


def test_nothing_is_assigned_to_nothing():
    for shape in ((0, 3), (3, 0), (0, 0)):
        rows, columns = linear_sum_assignment(np.zeros(shape))
        assert len(rows) == len(columns) == 0
