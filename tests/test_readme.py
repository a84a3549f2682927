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


def test_subscriber_of_the_readme_hears_a_smile(readme, peer, tmp_path):
    script = tmp_path / "greeter.py"
    script.write_text(re.findall(r"```python\n(.*?)```", readme, re.DOTALL)[0])
    publisher = peer.node.create_publisher(EmotionArray, "/fer_perception/emotions", 10)
    smile = EmotionStamped(face_id="f0007", emotion="happiness", confidence=0.9)
    frown = EmotionStamped(face_id="f0008", emotion="anger", confidence=0.9)
    log = tmp_path / "greeter.log"
    with log.open("wb") as output:
        greeter = subprocess.Popen([sys.executable, script], stdout=output, stderr=output)
    try:

        def heard() -> bool:
            assert greeter.poll() is None, log.read_text()
            publisher.publish(EmotionArray(faces=[frown, smile]))
            peer.spin(0.1)
            return "f0007 smiles" in log.read_text()

        peer.wait_until(heard, "the greeter's answer")
        assert "f0008" not in log.read_text()
    finally:
        greeter.kill()
        greeter.wait()
