# SPDX-License-Identifier: Apache-2.0
"""The commands' entry points, before the libraries are loaded."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest


@pytest.mark.parametrize("name", ["crop_faces", "evaluate", "export", "export_mtcnn", "train"])
def test_an_entry_point_loads_no_library_before_signals_are_handled(name):
    [entry] = entry_points(group="console_scripts", name=name)
    heavy = "{'torch', 'numpy', 'cv2'}"
    code = f"import sys, {entry.module}; print(sorted({heavy} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert callable(entry.load())


def test_an_entry_point_runs_its_command():
    [entry] = entry_points(group="console_scripts", name="crop_faces")
    start = f"import sys; from {entry.module} import {entry.attr}; sys.exit({entry.attr}())"
    done = subprocess.run([sys.executable, "-c", start, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage: crop_faces" in done.stdout
