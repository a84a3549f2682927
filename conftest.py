# SPDX-License-Identifier: Apache-2.0
"""Configuration of all tests."""

import os
import signal
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

import pytest

# As the launch files set it. Fast DDS reads its profile once in a process: a test that joined the
# graph before this is set would leave the tests after it without, and they would lose images.
_PROFILE = Path(__file__).parent / "launch" / "config" / "fastdds_large_images.xml"
for _variable in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
    os.environ.setdefault(_variable, str(_PROFILE))

# 'colcon test' starts 'python -m pytest' in a package's folder, which Python would search first:
# the sources there lack the native library, so what is built is tested, as elsewhere.
_elsewhere = [place for place in sys.path if Path(place).resolve() != Path.cwd()]
if Path("package.xml").is_file() and PathFinder.find_spec(Path.cwd().name, _elsewhere):
    sys.path[:] = _elsewhere

# A runner in the background may ignore these, and programs under test inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Training and export need PyTorch, which is not part of every environment ('make test-noble').
_NEED_TORCH = (
    "ros2_ws/src/fer_training/test",
    "tests/test_atomic_file.py",
    "tests/test_flashes_on_the_wire.py",
    "tests/test_fuzz.py",
    "tests/test_training_kills.py",
)

# Receivers of E1.31 and Art-Net listen on the ports that these standards fix.
_SAME_PORTS = {
    "test_artnet.py",
    "test_flashes_on_the_wire.py",
    "test_light_node.py",
    "test_light_on_dmx.py",
    "test_rig.py",
    "test_sacn.py",
    "test_first_light",
}

_HAS_TORCH = find_spec("torch") is not None
collect_ignore = [] if _HAS_TORCH else list(_NEED_TORCH)


def pytest_report_header() -> list[str]:
    """Name what is left out."""
    left_out = ", ".join(_NEED_TORCH)
    return [] if _HAS_TORCH else [f"PyTorch is missing, so these are not tested: {left_out}"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run each file, and files that share ports, in one process."""
    for item in items:
        file = item.path.name
        group = "ports" if _SAME_PORTS & {file, item.name} else file
        item.add_marker(pytest.mark.xdist_group(group))
