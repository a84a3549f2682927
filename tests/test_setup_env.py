# SPDX-License-Identifier: Apache-2.0
"""The set-up script reports exactly what a machine lacks."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

NEEDED = ("bash", "cat", "dirname", "env", "flock", "grep", "sha256sum", "touch", "uname")
BUILD_TOOLS = ("cmake", "make", "g++")


PYTHON = '[[ "$*" == *print* ]] && echo 3.12; exit 0'
"""Responds to the script like Python 3.12."""


def write_script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with all required programs, the only one on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in (*NEEDED, *BUILD_TOOLS):
        source = shutil.which(name)
        if source is None:
            pytest.skip(f"{name} is not installed: nothing was checked")
        (folder / name).symlink_to(source)
    # A Python as the script asks for it: version, ensurepip, headers.
    write_script(folder / "python3.12", PYTHON)
    return folder


@pytest.fixture
def checkout(repository: Path, tmp_path: Path) -> Path:
    """A copy of what the script reads: it must never change the environment in use."""
    for name in ("tools", "requirements"):
        shutil.copytree(
            repository / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    return tmp_path


def set_up(
    checkout: Path,
    machine: Path,
    environment: dict[str, str],
    purpose: str = "demo",
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [machine / "bash", checkout / "tools" / "setup_env.sh", purpose],
        env={**environment, "PATH": str(machine), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("program", BUILD_TOOLS)
def test_a_missing_build_tool_is_named_with_the_command(
    checkout, machine, plain_environment, program
):
    (machine / program).unlink()
    result = set_up(checkout, machine, plain_environment)
    assert result.returncode == 1
    assert result.stderr == (
        f"Missing on this machine: {program}\nInstall with: sudo apt-get install {program}\n"
    )


def test_all_missing_parts_are_named_at_once(checkout, machine, plain_environment):
    for name in ("cmake", "g++", "python3.12"):
        (machine / name).unlink()
    result = set_up(checkout, machine, plain_environment)
    assert result.returncode == 1
    [packages] = re.findall(r"Missing on this machine: (.*)", result.stderr)
    assert re.fullmatch(r"cmake g\+\+ (python3\.1[12]) \1-venv \1-dev", packages)
    assert f"Install with: sudo apt-get install {packages}\n" in result.stderr
    assert "PYTHON=/path/to/python3.12" in result.stderr


def test_a_python_that_the_wheels_do_not_serve_is_not_taken(checkout, machine, plain_environment):
    write_script(machine / "python3.12", '[[ "$*" != *version_info* ]]')
    result = set_up(checkout, machine, plain_environment)
    assert "Python 3.11 or 3.12 is needed" in result.stderr


@pytest.mark.parametrize(
    ("fails_on", "package"), [("ensurepip", "python3.12-venv"), ("Python.h", "python3.12-dev")]
)
def test_a_missing_part_of_python_is_named(
    checkout, machine, plain_environment, fails_on, package
):
    write_script(machine / "python3.12", f'[[ "$*" == *{fails_on}* ]] && exit 1; {PYTHON}')
    result = set_up(checkout, machine, plain_environment)
    assert result.returncode == 1
    assert f"Install with: sudo apt-get install {package}\n" in result.stderr


def test_another_platform_is_refused(checkout, machine, plain_environment):
    (machine / "uname").unlink()
    write_script(machine / "uname", "echo Linux riscv64")
    result = set_up(checkout, machine, plain_environment)
    assert result.returncode == 1
    assert "Linux x86_64 only, this is Linux riscv64" in result.stderr
    assert "pip install ./ros2_ws/src/fer_perception ./models" in result.stderr


@pytest.fixture
def ros_machine(machine: Path, tmp_path: Path) -> Path:
    """A machine with ROS 2 sourced whose Python has only rclpy."""
    (machine / "python3.12").unlink()
    (machine / "cmake").unlink()  # ROS's own packages provide the build tools
    (tmp_path / "ros" / "rclpy").mkdir(parents=True)
    (tmp_path / "ros" / "rclpy" / "__init__.py").touch()
    python = Path(os.path.realpath(shutil.which("python3") or ""))
    write_script(machine / "python3", f'PYTHONPATH={tmp_path / "ros"} exec {python} -S "$@"')
    write_script(machine / "ros2", "exit 0")
    return machine


def test_with_ros_the_missing_python_parts_are_named(checkout, ros_machine, plain_environment):
    result = set_up(checkout, ros_machine, plain_environment, "tests", ROS_DISTRO="jazzy")
    assert result.returncode == 1
    rosdep, pip = result.stderr.split("Missing: ")[1:]
    assert "python3-opencv" in rosdep and "python3-onnxruntime-pip" in rosdep
    assert "rosdep install --from-paths . --ignore-src" in rosdep
    assert pip.startswith("bandit mcap mcap-ros2-support mypy onnx pytest-timeout ruff sacn")
    assert "'numpy<2'" in pip


@pytest.mark.parametrize("purpose", ["demo", "tests"])
def test_with_ros_and_all_parts_nothing_is_done(
    checkout, ros_machine, plain_environment, tmp_path, purpose
):
    parts = "aiohttp cv2 numpy onnxruntime rich scipy tqdm yaml"
    if purpose == "tests":
        parts += " hypothesis jinja2 matplotlib pytest rosbags serial sklearn torch bandit mcap"
        parts += " mcap_ros2 mypy onnx pytest_timeout ruff sacn safetensors torchmetrics xdist"
    for module in parts.split():
        (tmp_path / "ros" / module).mkdir()
        (tmp_path / "ros" / module / "__init__.py").touch()
    result = set_up(checkout, ros_machine, plain_environment, purpose, ROS_DISTRO="jazzy")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_second_run_does_nothing(repository):
    if (repository / ".venv").is_symlink() or os.environ.get("FER_LIGHT_VARIANT"):
        pytest.skip("this is not the environment of 'make env': a second run was not tried")
    stamp = repository / ".venv" / "stamp"
    before = stamp.stat().st_mtime_ns if stamp.exists() else None
    result = subprocess.run(
        [repository / "tools" / "setup_env.sh"], capture_output=True, text=True
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert before == (stamp.stat().st_mtime_ns if stamp.exists() else None)
