# SPDX-License-Identifier: Apache-2.0
"""The command ``ros2`` on a machine with the wheels only."""

import os
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def ros2(repository: Path, tmp_path: Path):
    """``ros2(*words)`` runs the stand-in with one recording package."""
    index = tmp_path / "with a space" / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    (index / "lamps").touch()
    prefix = tmp_path / "with a space"
    (prefix / "lib" / "lamps").mkdir(parents=True)
    program = prefix / "lib" / "lamps" / "lamp"
    program.write_text('#!/bin/sh\nprintf "<%s>" "$@"\nexit 7\n')
    program.chmod(0o755)

    paths = f"/nowhere:{prefix}:{os.environ['AMENT_PREFIX_PATH']}"

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [repository / "tools" / "bin" / "ros2", *words],
            env=os.environ | {"AMENT_PREFIX_PATH": paths},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_run_passes_arguments_and_the_exit_code_on(ros2):
    ended = ros2("run", "lamps", "lamp", "--ros-args", "-p", "a:=b c")
    assert (ended.returncode, ended.stdout) == (7, "<--ros-args><-p><a:=b c>")


def test_launch_starts_the_graph_of_that_name(ros2):
    for name in ("fer_light", "record"):
        ended = ros2("launch", "fer_bringup", f"{name}.launch.py", "sorce:=0")
        assert ended.returncode == 2
        assert f"{name} has no argument 'sorce'" in ended.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "lamp", "lamp"], "package 'lamp' is not installed: run 'make build'"),
        (["run", "lamps", "lump"], "package 'lamps' has no executable 'lump', only: lamp"),
        (["run", "lamps"], "expected: ros2 run PACKAGE EXECUTABLE"),
        (["launch", "nav2_bringup", "a.launch.py"], "only 'ros2 launch fer_bringup"),
        (["topic", "list"], "'ros2 topic' needs ROS 2 installed"),
        ([], "needs ROS 2 installed"),
    ],
)
def test_what_it_cannot_do_is_said_in_one_line(ros2, words, message):
    ended = ros2(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert message in ended.stderr and ended.stderr.count("\n") == 1
