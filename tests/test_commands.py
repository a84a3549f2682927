# SPDX-License-Identifier: Apache-2.0
"""Every command: it helps without starting anything, and refuses what it does not know."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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


WITHOUT_ARGUMENTS = {
    *NODES,
    "bring_up",
    "dashboard",
    "demo",
    "expression_server",
    "lifecycle_manager",
}
"""Commands that start without arguments."""

MISSING = {
    "compare": ["/nowhere/a.json", "/nowhere/b.json"],
    "crop_faces": ["/nowhere", "out"],
    "dashboard": ["--token-file", "/nowhere"],
    "evaluate": ["/nowhere", "--data", "/nowhere"],
    "evaluate_bag": ["/nowhere", "--out", "out"],
    "export": ["--model", "/nowhere", "--data", "/nowhere", "--out", "out"],
    "fer-recognize": ["/nowhere.jpg"],
    "make_bag": ["/nowhere.mp4", "out"],
    "recognize": ["/nowhere.jpg"],
    "start": ["nowhere"],
    "train": ["--network", "baseline_cnn", "--data", "/nowhere", "--out", "out"],
}
"""Arguments with a file that is missing."""

FORK = """
import importlib, json, os, sys
name, module, function, cases = sys.argv[1], *sys.argv[2].split(":"), json.loads(sys.argv[3])
main = getattr(importlib.import_module(module), function)
# Not PyTorch, whose threads a fork loses.
if hasattr(main, "args") and not main.args[0].startswith("fer_training"):
    importlib.import_module(main.args[0])  # as the entry point does, but once for all cases
for case, words in cases.items():
    if not (child := os.fork()):
        os.mkdir(case)
        os.chdir(case)
        for number, file in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"../{case}.{file}", os.O_WRONLY | os.O_CREAT), number)
        sys.argv = [name, *words]
        sys.exit(main())
    print(case, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs a command once for each case, in a folder of its own, and imports most libraries once."""


@dataclass(frozen=True)
class Ended:
    """What a command gave."""

    code: int
    out: str
    err: str
    files: list[Path]


def run_cases(name: str, folder: Path, cases: dict[str, list[str]]) -> dict[str, Ended]:
    """Run a command as its installed script does, with each of the command lines."""
    done = subprocess.run(
        [sys.executable, "-c", FORK, name, COMMANDS[name], json.dumps(cases)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    missing = re.search(r"ModuleNotFoundError: No module named '(\w+)", done.stderr)
    if missing and missing[1] in OPTIONAL:
        return {}
    assert done.returncode == 0, done.stderr
    codes = dict(line.split() for line in done.stdout.splitlines())
    return {
        case: Ended(
            int(codes[case]),
            (folder / f"{case}.out").read_text(),
            (folder / f"{case}.err").read_text(),
            list((folder / case).iterdir()),
        )
        for case in cases
    }


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """What each command gave in each case; two commands run at a time."""

    def run_all(name: str) -> dict[str, Ended]:
        cases = {"help": ["--help"], "wrong": ["--nosuch", "nonsense"]}
        if name not in WITHOUT_ARGUMENTS:
            cases["none"] = []
        if name in MISSING:
            cases["missing"] = MISSING[name]
        return run_cases(name, tmp_path_factory.mktemp(name), cases)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(COMMANDS, pool.map(run_all, COMMANDS), strict=True))


def case_of(ended, name: str, case: str) -> Ended:
    if not ended[name]:
        pytest.skip(f"a package that {name} needs is missing: it was not checked")
    done: Ended = ended[name][case]
    assert "Traceback" not in done.err
    assert not done.files
    return done


def test_all_commands_were_found():
    assert len(COMMANDS) >= 20 and len(NODES) >= 8


@pytest.mark.parametrize("name", COMMANDS)
def test_help_describes_the_command_and_starts_nothing(name, ended):
    done = case_of(ended, name, "help")
    assert done.code == 0, done.err
    known_as = {"bring_up": "lifecycle_manager"}.get(name, name)  # a former name
    assert f"usage: {known_as} " in done.out and len(done.out.split()) > 15


@pytest.mark.parametrize("name", COMMANDS)
def test_unknown_words_are_refused(name, ended):
    done = case_of(ended, name, "wrong")
    assert done.code == 2, done.err
    if name in NODES:
        [line] = done.err.splitlines()
        assert "--nosuch nonsense" in line


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - WITHOUT_ARGUMENTS))
def test_missing_arguments_are_named(name, ended):
    done = case_of(ended, name, "none")
    assert done.code == 2 and "required" in done.err or "give --network" in done.err


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_file_is_named_in_one_line(name, ended):
    done = case_of(ended, name, "missing")
    assert done.code == 2, done.err
    assert "nowhere" in done.err.splitlines()[-1]


@pytest.mark.parametrize("name", sorted(WITHOUT_ARGUMENTS - {"bag_player_node"} | {"recognize"}))
def test_ctrl_c_at_any_time_ends_without_a_traceback(name, tmp_path, ros_domain):
    """Where a second falls depends on the machine: while libraries load, or later."""
    module, function = COMMANDS[name].split(":")
    code = f"import sys; sys.argv[0] = {name!r}; from {module} import {function} as main; "
    code += "print('begun', flush=True); sys.exit(main())"
    words = {"recognize": ["portrait"], "dashboard": ["--port=0"]}.get(name, [])
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=tmp_path,
        env=os.environ | {"DEMO_SECONDS": "30"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    if process.returncode == 2 and "messages of" in errors:
        pytest.skip(f"the messages that {name} speaks are missing: its Ctrl-C was not checked")
    assert process.returncode in (0, 1, 130), errors
    assert "Traceback" not in errors, errors


def test_entry_points_load_nothing_before_they_handle_ctrl_c():
    """Ctrl-C before that ends in Python's traceback."""
    modules = sorted({target.partition(":")[0] for target in COMMANDS.values()})
    code = "import sys; before = set(sys.modules); import {}; print(*(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", code.format(", ".join(modules))],
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {"argparse", "asyncio", "cv2", "dataclasses", "inspect", "logging", "numpy", "rclpy"}
    assert not heavy & set(done.stdout.split())


def test_a_library_of_a_wrong_version_is_one_line(tmp_path):
    (tmp_path / "wanting.py").write_text("raise ImportError('Vision 9 has no eyes: expected 8')")
    code = "import sys; from fer_common.command import run; sys.exit(run('wanting'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == "wanting: Vision 9 has no eyes: expected 8\n"


def test_output_that_cannot_be_written_is_an_error(tmp_path):
    code = (
        "import sys; from fer_common.command import run; sys.exit(run('fer_evaluation.compare'))"
    )
    # argparse ignores what an unbuffered output reports.
    environment = {key: os.environ[key] for key in os.environ.keys() - {"PYTHONUNBUFFERED"}}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
    assert done.returncode == 2
    assert done.stderr == "compare: cannot write the output: No space left on device\n"


def test_an_unknown_parameter_is_named_with_a_similar_one(tmp_path, ros_domain):
    name = "emotion_node"
    module, function = COMMANDS[name].split(":")
    code = f"import sys; from {module} import {function} as main; sys.exit(main())"
    words = ["--ros-args", "-p", "autostart:=false", "-p", "modle:=vgg_stn", "-p", "lamp.x:=1"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        warning = next(line for line in lines if "unknown parameter" in line)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert "'modle' (did you mean 'model'?)" in warning
    assert "unknown parameter" not in rest


@pytest.mark.parametrize("name", ["light_node", "lifecycle_manager", "dashboard"])
def test_unknown_ros_arguments_are_one_line(name, tmp_path):
    [done] = run_cases(name, tmp_path, {"ros": ["--ros-args", "--nosuch"]}).values()
    assert done.code == 2, done.err
    assert "cannot start" in done.err and "--nosuch" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("dashboard", ["--port=99999"], "--port: 99999"),
        ("dashboard", ["--port=-1"], "--port: -1"),
        ("dashboard", ["--namespace=9x"], "--namespace: '9x' is not a namespace"),
        ("dashboard", ["--record-folder=/nowhere"], "/nowhere is not an existing folder"),
        ("lifecycle_manager", ["--camera"], "--camera"),
        ("lifecycle_manager", ["--ros-args", "-r", "__ns:=/1bad"], "1bad"),
        ("ros4hri_node", ["--ros-args", "-r", "__ns:=/1bad"], "1bad"),
    ],
)
def test_what_can_never_start_ends_with_code_2(name, words, message, tmp_path):
    """Launch files do not restart a node that ends with this code."""
    [done] = run_cases(name, tmp_path, {"only": words}).values()
    assert done.code == 2, done.err
    assert message in done.err and "Traceback" not in done.err
