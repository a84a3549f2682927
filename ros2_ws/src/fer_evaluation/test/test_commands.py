# SPDX-License-Identifier: Apache-2.0
"""The commands' entry points, before the libraries are loaded."""

import os
import signal
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import cv2
import numpy as np
import pytest

COMMANDS = ("evaluate_bag", "make_bag", "compare")


def _interrupted_while_loading(tmp_path, words, number):
    """Return exit code and errors of Python with ``words``.

    NumPy, which all commands load, is one that takes for ever and catches every error.
    """
    (tmp_path / "numpy.py").write_text(
        "import time\nprint('loading', flush=True)\n"
        "while True:\n    try:\n        time.sleep(60)\n    except BaseException: pass\n"
    )
    process = subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
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
    return process.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("name", COMMANDS)
def test_an_interruption_while_libraries_load_ends_in_one_line(tmp_path, name, number):
    [entry] = entry_points(group="console_scripts", name=name)
    start = f"import sys; from {entry.module} import {entry.attr}; sys.exit({entry.attr}())"
    code, errors = _interrupted_while_loading(tmp_path, ["-c", start], number)
    assert code == 130
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


def test_a_report_is_written_whole_though_a_signal_arrives_in_the_middle(tmp_path):
    """The signal is not lost: it ends the command afterwards."""
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from fer_common.interruption import Interrupted, interruptible\n"
        "from fer_evaluation.report import output_folder\n"
        "put = output_folder.put_in_place\n"
        "def slow(part, path): os.kill(os.getpid(), signal.SIGINT); put(part, path)\n"
        "output_folder.put_in_place = slow\n"
        "try:\n"
        "    with interruptible():\n"
        "        with output_folder.OutputFolder(Path(sys.argv[1])) as out:\n"
        "            for name in 'ab': out.path(name).touch()\n"
        "        print('went on')\n"
        "except Interrupted:\n    print('stopped')"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("stopped\n", "")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "out"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_module_ends_in_one_line_too_when_interrupted_while_libraries_load(tmp_path, name):
    words = ["-m", f"fer_evaluation.{name}"]
    ended = _interrupted_while_loading(tmp_path, words, signal.SIGINT)
    assert ended == (130, f"{name}: interrupted\n")


def test_a_full_disk_below_the_output_does_not_hide_that_the_bag_is_written(tmp_path):
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((48, 64, 3), np.uint8))
    bag = tmp_path / "bag"
    words = [sys.executable, "-m", "fer_evaluation.make_bag", str(tmp_path / "1.png"), str(bag)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*words, "--quiet"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"make_bag: Wrote {bag}: 1 images on /camera/image_raw",
        "make_bag: cannot write the output: No space left on device",
    ]
    assert bag.is_dir()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("evaluate_bag", ["bag", "--label-tolerance", "nan"]),
        ("evaluate_bag", ["bag", "--min-iou", "7"]),
        ("evaluate_bag", ["bag", "--min-iou", "-1"]),
        ("compare", ["a", "b", "--max-drop", "nan"]),
    ],
)
def test_a_number_out_of_range_is_named(capsys, name, words):
    with pytest.raises(SystemExit) as ended:
        import_module(f"fer_evaluation.{name}").main(words)
    assert ended.value.code == 2
    assert f"{words[-2]}: " in capsys.readouterr().err.splitlines()[-1]
