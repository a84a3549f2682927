# SPDX-License-Identifier: Apache-2.0
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_bridges.public_ids import PublicIds

# What a token of a ROS 2 topic name may be.
_TOKEN = re.compile(r"[A-Za-z](_?[A-Za-z0-9])*")


@pytest.mark.parametrize(
    ("namespace", "begin"), [("/", "f0001_"), ("/robot1", "robot1_f0001_"), ("/a/b", "a_b_f0001_")]
)
def test_an_id_tells_robot_and_face(namespace, begin):
    ids = PublicIds(namespace)
    assert ids.of("f0001").startswith(begin)
    assert ids.of("f0001") == ids.of("f0001") != ids.of("f0002")


def test_runs_and_robots_share_no_id():
    seen = set()
    for _ in range(50):
        ids = PublicIds("/")
        seen.add(ids.of("f0001"))
        ids.begin_run()
        seen.add(ids.of("f0001"))
    assert len(seen) == 100


def test_a_face_that_was_forgotten_comes_back_under_its_id():
    ids = PublicIds("/robot1")
    public = ids.of("f0001")
    ids.forget(public)
    assert ids.of("f0001") == public


@given(st.text(), st.lists(st.text(), unique=True, max_size=20))
def test_any_names_give_different_names_of_topics(namespace, faces):
    ids = PublicIds(namespace)
    public = [ids.of(face) for face in faces]
    assert len(set(public)) == len(faces)
    assert all(_TOKEN.fullmatch(name) for name in public), public
