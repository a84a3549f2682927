# SPDX-License-Identifier: Apache-2.0
"""Start values that no node takes."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("rclpy", reason="no rclpy here: start values were not checked")

from fer_common.nodes.command_line import unknown_parameters  # noqa: E402

DECLARED = ["model", "device.sacn.destination", "device.sacn.universe", "relay.head.topic"]


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("modle", "model"),
        ("device.sacn.destinaton", "device.sacn.destination"),
        ("relay.head.topc", "relay.head.topic"),
    ],
)
def test_a_misspelt_name_is_described_once_with_a_similar_one(name, similar):
    words = ["--ros-args", "-p", f"light:{name}:=1"]
    assert unknown_parameters(words, [name], DECLARED) == [f"{name!r} (did you mean {similar!r}?)"]


def test_a_misspelt_name_in_a_file_is_described_where_its_group_is_known():
    given = ["device.sacn.univers", "device.mine.type", "another_nodes", "model"]
    assert unknown_parameters([], given, DECLARED) == [
        "'device.sacn.univers' (did you mean 'device.sacn.universe'?)"
    ]


def test_names_of_lamps_that_are_not_driven_are_kept_for_later():
    assert unknown_parameters(["-p", "device.wled.host:=x"], ["device.wled.host"], DECLARED) == []


@pytest.mark.parametrize("variables", [{"HOME": None}, {"HOME": "/proc/nowhere"}])
def test_a_user_without_a_writable_home_reads_what_to_set(variables):
    script = "import rclpy\nfrom fer_common.nodes.command_line import refusing\n"
    script += "with refusing():\n    rclpy.init()\n    rclpy.create_node('a')\n"
    left = os.environ.keys() - {"ROS_LOG_DIR", "ROS_HOME", *variables}
    environment = {name: os.environ[name] for name in left}
    environment |= {name: value for name, value in variables.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("cannot start: ")
    assert done.stderr.splitlines()[-1].endswith("; set ROS_LOG_DIR to a writable folder")
