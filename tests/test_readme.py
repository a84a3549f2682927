# SPDX-License-Identifier: Apache-2.0
"""The README stays short, and its examples run unchanged."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from fer_msgs.msg import EmotionArray, EmotionStamped

from launched import launched


@pytest.fixture
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_short(readme):
    assert len(readme.splitlines()) <= 150


def test_the_way_with_ros_takes_six_lines_that_the_launch_files_accept(readme, repository):
    section = readme.split("## With ROS 2 installed")[1].split("\n## ")[0]
    install, *further = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    lines = [line.strip() for line in install.splitlines()]
    assert len(lines) <= 6
    # The keys that only pip serves are conditional on this variable; the rest of the line is
    # what tools/setup_env.sh asks for.
    [rosdep] = [line for line in lines if "rosdep" in line]
    wanted = (repository / "tools" / "python_parts.py").read_text().split('ROSDEP = "')[1]
    assert rosdep == wanted.split('"')[0].replace("--from-paths .", "--from-paths src")
    assert "colcon build && source install/setup.bash" in lines
    started = []
    for command in "".join([install, *further]).replace("\\\n", " ").splitlines():
        words = shlex.split(command, comments=True)
        if words[:3] == ["ros2", "launch", "fer_bringup"]:
            given = dict(word.split(":=", 1) for word in words[4:])
            started.append(launched(words[3].removesuffix(".launch.py"), **given))
    assert [bool(nodes.get("camera")) for nodes in started] == [True, False]
    assert all("ambient_light" in nodes for nodes in started)


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
