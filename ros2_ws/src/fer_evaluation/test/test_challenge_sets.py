# SPDX-License-Identifier: Apache-2.0
"""RAN's lists select the pictures that they name, and nothing else."""

import numpy as np
import pytest

from fer_evaluation.datasets.challenge_sets import CHALLENGE_FILE, read_challenge_sets
from fer_evaluation.datasets.fer2013 import Fer2013, Usage

_HEAD = "row,label,pose30,pose45,occlusion\n"


@pytest.fixture
def data():
    """Two pictures of each split."""
    usage = np.repeat(list(Usage), 2)
    return Fer2013(
        np.zeros((6, 48, 48), np.uint8), np.ones((6, 10), int), usage, np.zeros(6, bool)
    )


def test_each_set_has_its_rows_with_their_labels(tmp_path, data):
    (tmp_path / CHALLENGE_FILE).write_text(_HEAD + "4,contempt,1,0,1\n5,fear,1,1,0\n")
    found = {s.name: s.rows_and_labels(data) for s in read_challenge_sets(tmp_path, data)}
    expected = {"pose30": ([4, 5], [7, 6]), "pose45": ([5], [6]), "occlusion": ([4], [7])}
    assert {n: (r.tolist(), k.tolist()) for n, (r, k) in found.items()} == expected


def test_without_the_table_it_says_what_is_not_measured(tmp_path, data, caplog):
    assert read_challenge_sets(tmp_path, data) == ()
    assert "pose30, pose45, occlusion are not measured" in caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_HEAD + "4,neutral,1,0,0\n0,neutral,1,0,0\n", "line 3: row 0 is not in PrivateTest"),
        (_HEAD + "9,neutral,1,0,0\n", "row 9 is not in PrivateTest"),
        (_HEAD + "4,calm,1,0,0\n", "line 2: .*calm"),
        (_HEAD + "4,neutral,yes,0,0\n", "line 2"),
        (_HEAD + "4,neutral\n", "line 2"),
        ("row,label,pose30,pose45\n", "no column occlusion"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, data, text, said):
    (tmp_path / CHALLENGE_FILE).write_text(text)
    with pytest.raises(ValueError, match=said):
        read_challenge_sets(tmp_path, data)
