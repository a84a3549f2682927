# SPDX-License-Identifier: Apache-2.0
"""The commands' entry points, before the libraries are loaded."""

import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

COMMANDS = ("evaluate_bag", "make_bag", "compare")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("name", COMMANDS)
def test_an_interruption_while_libraries_load_ends_in_one_line(tmp_path, name, number):
    """NumPy, which all commands load, is one that takes for ever and catches every error."""
    (tmp_path / "numpy.py").write_text(
        "import time\nprint('loading', flush=True)\n"
        "while True:\n    try:\n        time.sleep(60)\n    except BaseException: pass\n"
    )
    [entry] = entry_points(group="console_scripts", name=name)
    start = f"import sys; from {entry.module} import {entry.attr}; sys.exit({entry.attr}())"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    process = subprocess.Popen(
        [sys.executable, "-c", start],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "loading\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors == f"{name}: interrupted\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_entry_points_run_their_commands(name):
    [entry] = entry_points(group="console_scripts", name=name)
    start = f"import sys; from {entry.module} import {entry.attr}; sys.exit({entry.attr}())"
    done = subprocess.run([sys.executable, "-c", start, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"usage: {name}" in done.stdout


def test_nohup_keeps_a_command_alive():
    code = (
        "import os, signal\n"
        "from fer_common.interruption import interruptible\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "with interruptible():\n    os.kill(os.getpid(), signal.SIGHUP)\n"
        "print('alive')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "alive\n"


def test_a_signal_in_a_destructor_is_not_lost():
    code = (
        "import os, signal, time\n"
        "from fer_common.interruption import Interrupted, interruptible\n"
        "class Freed:\n"
        "    def __del__(self): os.kill(os.getpid(), signal.SIGINT); time.sleep(0.01)\n"
        "try:\n"
        "    with interruptible():\n"
        "        Freed()\n"
        "        time.sleep(20)\n"
        "except Interrupted:\n    print('stopped')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("stopped\n", "")
