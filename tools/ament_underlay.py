# SPDX-License-Identifier: Apache-2.0
"""Make the virtual environment of the ROS 2 wheels an ament underlay.

Run with that environment's Python after pip. The wheels lack three parts of a
ROS 2 installation; each step below adds one. Repeated runs are harmless, and
required after the installation of another message wheel.
"""

import argparse
import re
import sys
import sysconfig
from pathlib import Path

import numpy
from ament_package import templates


def write_setup_files(prefix: Path) -> None:
    """Write ``setup.bash`` and its siblings at the top of the prefix.

    In a ROS 2 installation the package ros_workspace does this from the same
    templates.
    """
    values = {
        "CMAKE_INSTALL_PREFIX": str(prefix),
        "ament_package_PYTHON_EXECUTABLE": sys.executable,
        "SKIP_PARENT_PREFIX_PATH": "1",
    }
    for name in templates.get_prefix_level_template_names():
        source = Path(templates.get_prefix_level_template_path(name))
        if source.suffix == ".in":
            text = templates.configure_file(str(source), values)
        else:
            text = source.read_text()
        (prefix / name.removesuffix(".in")).write_text(text)


def relocate_cmake_exports(prefix: Path) -> None:
    """Point the message packages at this Python's and this NumPy's headers.

    Their CMake exports name the folders of the machine that built the wheels.
    """
    python_include = sysconfig.get_path("include")
    for export in prefix.glob("share/*/cmake/*Export.cmake"):
        built = export.read_text()
        text = re.sub(r"/opt/python/[^;\"]*/numpy/[^;\"]*include", numpy.get_include(), built)
        text = re.sub(r"/opt/python/[^;\"]*/include/python[\d.]+", python_include, text)
        if text != built:
            export.write_text(text)


def link_bundled_libraries(prefix: Path) -> None:
    """Link the third-party libraries of the wheels beside the ROS libraries.

    The ROS libraries search them relative to their place inside the wheel; pip
    has moved them to ``lib/``.
    """
    for library in prefix.glob("lib/python3.*/site-packages/ros_*.libs/*.so*"):
        link = prefix / "lib" / library.name
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(library)


def main() -> None:
    """Make the running Python's environment an underlay."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    prefix = Path(sys.prefix)
    if sys.prefix == sys.base_prefix:
        raise SystemExit(f"{sys.executable} is not in a virtual environment: use .venv/bin/python")
    write_setup_files(prefix)
    relocate_cmake_exports(prefix)
    link_bundled_libraries(prefix)


if __name__ == "__main__":
    main()
