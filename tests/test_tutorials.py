# SPDX-License-Identifier: Apache-2.0
"""Whoever follows a tutorial gets where it says."""

import os
import re
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def tutorial(repository: Path):
    """``tutorial(name)`` returns its text."""
    return lambda name: (repository / "docs" / "tutorials" / name).read_text(encoding="utf-8")


def test_your_own_lamp_is_found_and_lit(tutorial, tmp_path, ros_domain, peer, monkeypatch):
    text = tutorial("your_own_lamp.md")
    workspace = tmp_path / "workspace"
    package = workspace / "src" / "my_lamps"
    (package / "my_lamps").mkdir(parents=True)
    (package / "resource").mkdir()
    (package / "resource" / "my_lamps").touch()
    (package / "my_lamps" / "__init__.py").touch()
    blocks = re.findall(r"^`(my_lamps/\S+)`.*?\n```\w+\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in blocks] == [
        "my_lamps/package.xml",
        "my_lamps/setup.py",
        "my_lamps/my_lamps/file_lamp.py",
    ]
    for name, content in blocks:
        (workspace / "src" / name).write_text(content)
    [commands] = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lamp = tmp_path / "lamp.txt"
    # Where there is no ros2 run, the executable is the same.
    commands = commands.replace("/tmp/lamp.txt", str(lamp)).replace(
        "ros2 run ambient_light_driver light_node",
        'exec "$(python3 -c "from ament_index_python import get_package_prefix as p; '
        "print(p('ambient_light_driver'))\")/lib/ambient_light_driver/light_node\"",
    )
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        ["bash", "-c", commands], cwd=workspace, stdout=log, stderr=log, env=dict(os.environ)
    )
    try:
        peer.wait_until(
            lambda: (lamp.exists() and "idle" in lamp.read_text()) or process.poll() is not None,
            "a colour in the file",
            timeout_s=120.0,
        )
    finally:
        process.terminate()
        code = process.wait(30)
    assert code == 0, (tmp_path / "log").read_text()
    assert lamp.read_text().splitlines()[-1] == "0 0 0 off"
