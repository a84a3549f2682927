# SPDX-License-Identifier: Apache-2.0
"""What the README says of parameters is so, and its example runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fer_msgs.msg import EmotionArray, EmotionStamped

from fer_common.options import defaults_of
from fer_perception.nodes.camera_node import CameraSettings
from fer_perception.settings import EmotionNodeSettings


@pytest.fixture
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def rows_of(readme: str, heading: str) -> dict[str, str]:
    """Return parameter -> default of the table under a heading."""
    section = readme.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            for name in re.findall(r"`(\w+)`", cells[0]):
                rows[name] = cells[1].strip("`")
    return rows


def written(default: object) -> str:
    """Return a default as a table writes it."""
    if isinstance(default, bool):
        return str(default).lower()
    return '""' if default == "" else str(default)


@pytest.mark.parametrize(
    ("heading", "config_type"),
    [
        ("Parameters of `emotion_node`", EmotionNodeSettings),
        ("Parameters of `camera_node`", CameraSettings),
    ],
)
def test_every_parameter_stands_in_the_table_with_its_default(readme, heading, config_type):
    expected = {name: written(default) for name, default in defaults_of(config_type).items()}
    assert rows_of(readme, heading) == expected


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
