# SPDX-License-Identifier: Apache-2.0
"""Every command: it helps without starting anything, and refuses what it does not know."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OPTIONAL = ("torch", "torchvision", "onnx", "rich", "aiohttp", "matplotlib")
"""Packages that some commands need and a robot may lack."""

COMMANDS = {
    name: target
    for setup in sorted([*ROOT.glob("ros2_ws/src/*/setup.py"), ROOT / "launch" / "setup.py"])
    for section in re.findall(r'"console_scripts": \[(.*?)\]', setup.read_text(), re.DOTALL)
    for name, target in re.findall(r'"([\w-]+) = ([\w.]+:\w+)"', section)
}
NODES = [name for name in COMMANDS if name.endswith("_node")]


def run(name: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as its installed script does, in ``folder``."""
    module, function = COMMANDS[name].split(":")
    code = f"import sys; sys.argv[0] = {name!r}; from {module} import {function} as main; "
    code += "sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def helped(tmp_path_factory):
    """What ``--help`` gave, with the folder that each ran in; two run at a time."""
    folders = {name: tmp_path_factory.mktemp(name) for name in COMMANDS}
    with ThreadPoolExecutor(2) as pool:
        done = dict(
            zip(folders, pool.map(lambda n: run(n, folders[n], "--help"), folders), strict=True)
        )
    return {name: (done[name], folders[name]) for name in COMMANDS}


def test_all_commands_were_found():
    assert len(COMMANDS) >= 20 and len(NODES) >= 8


@pytest.mark.parametrize("name", COMMANDS)
def test_help_describes_the_command_and_starts_nothing(name, helped):
    done, folder = helped[name]
    missing = re.search(r"ModuleNotFoundError: No module named '(\w+)", done.stderr)
    if missing and missing[1] in OPTIONAL:
        pytest.skip(f"no {missing[1]}: the help of {name} was not checked")
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout and len(done.stdout.split()) > 15
    assert "Traceback" not in done.stderr
    assert not list(folder.iterdir())


@pytest.mark.parametrize("name", NODES)
def test_a_node_refuses_words_that_it_does_not_know(name, tmp_path):
    done = run(name, tmp_path, "nonsense", "--verbose")
    assert done.returncode == 2, done.stderr
    [line] = done.stderr.splitlines()
    assert "nonsense --verbose" in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["light_node", "lifecycle_manager", "dashboard"])
def test_unknown_ros_arguments_are_one_line(name, tmp_path):
    done = run(name, tmp_path, "--ros-args", "--nosuch")
    assert done.returncode == 2, done.stderr
    assert "cannot start" in done.stderr and "--nosuch" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_the_dashboard_refuses_a_port_that_cannot_be(port, tmp_path):
    done = run("dashboard", tmp_path, f"--port={port}")
    assert done.returncode == 2, done.stderr
    assert f"--port: {port}" in done.stderr and "Traceback" not in done.stderr


def test_the_lifecycle_manager_refuses_an_option_as_a_name(tmp_path):
    done = run("lifecycle_manager", tmp_path, "--camera")
    assert done.returncode == 2 and "--camera" in done.stderr
