# SPDX-License-Identifier: Apache-2.0
"""The README stays short, and its examples run unchanged."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fer_msgs.msg import EmotionArray, EmotionStamped


@pytest.fixture
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_short(readme):
    assert len(readme.splitlines()) <= 150


def test_the_behaviour_of_the_readme_sees_a_smile(readme, peer, tmp_path):
    script = tmp_path / "behavior.py"
    script.write_text(re.findall(r"```python\n(.*?)```", readme, re.DOTALL)[0])
    publisher = peer.node.create_publisher(EmotionArray, "/fer_perception/emotions", 10)
    smile = EmotionStamped(face_id="f0007", emotion="happiness", confidence=0.9)
    frown = EmotionStamped(face_id="f0008", emotion="anger", confidence=0.9)
    log = tmp_path / "behavior.log"
    with log.open("wb") as output:
        behavior = subprocess.Popen([sys.executable, script], stdout=output, stderr=output)
    try:

        def is_over() -> bool:
            publisher.publish(EmotionArray(faces=[frown, smile]))
            peer.spin(0.1)
            return behavior.poll() is not None

        peer.wait_until(is_over, "the end of the behaviour")
        assert log.read_text() == "f0007 smiles\n"
    finally:
        behavior.kill()
        behavior.wait()
