# SPDX-License-Identifier: Apache-2.0
"""The start script: arguments, exit codes and signals, with stand-ins for the nodes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from replay_bags import small_images, write_bag

EXECUTABLES = {
    "camera": "fer_perception/camera_node",
    "fer_perception": "fer_perception/emotion_node",
    "ambient_light": "ambient_light_driver/light_node",
}

# Writes each signal and then ends with the code that the test asks for.
NODE = """#!{python}
import pathlib, signal, sys, time
log = pathlib.Path(sys.argv[0] + ".log")
def note(word):
    with log.open("a") as file:
        print(word, file=file, flush=True)
def end(signum, frame):
    note(signal.Signals(signum).name)
    time.sleep(0.3)
    sys.exit({code})
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, end)
words = sys.argv[1:]
files = [b for a, b in zip(words, words[1:]) if a == "--params-file"]
for file in files:
    words += pathlib.Path(file).read_text().split()
note("args " + " ".join(words))
{body}
"""
WAIT = "time.sleep(60)"


class StandIns:
    """An install space whose nodes only note what happens to them."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        for name in EXECUTABLES:
            self.write(name)

    def write(self, name: str, body: str = WAIT, code: int = 0) -> None:
        package, executable = EXECUTABLES[name].split("/")
        index = self.prefix / "share" / "ament_index" / "resource_index" / "packages"
        index.mkdir(parents=True, exist_ok=True)
        (index / package).touch()
        path = self.prefix / "lib" / package / executable
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(NODE.format(python=sys.executable, body=body, code=code))
        path.chmod(0o755)

    def log(self, name: str) -> list[str]:
        path = self.prefix / "lib" / (EXECUTABLES[name] + ".log")
        return path.read_text().splitlines() if path.exists() else []

    def wait_for_start(self) -> None:
        end = time.monotonic() + 30
        while not all(self.log(name) for name in EXECUTABLES):
            assert time.monotonic() < end, "the nodes were not started"
            time.sleep(0.02)


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    """Stand-ins that are found before the real nodes."""
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path}:{os.environ['AMENT_PREFIX_PATH']}")
    return StandIns(tmp_path)


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fer_bringup.start", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_each_node_once_and_the_end_is_clean(stand_ins, signum):
    process = start("fer_light")
    stand_ins.wait_for_start()
    process.send_signal(signum)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    for name in EXECUTABLES:
        assert stand_ins.log(name)[1:] == [signum.name]


def test_ctrl_c_in_a_terminal_reaches_each_node_once(stand_ins):
    """A terminal signals the whole group; the nodes must not get it twice."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fer_bringup.start", "fer_light"], start_new_session=True
    )
    stand_ins.wait_for_start()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 0
    for name in EXECUTABLES:
        assert stand_ins.log(name)[1:] == ["SIGINT"]


def test_arguments_reach_the_nodes(stand_ins):
    process = start("fer_light", "namespace:=r1", "source:=0", "device:=sacn,terminal")
    stand_ins.wait_for_start()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    [camera] = [line for line in stand_ins.log("camera") if line.startswith("args")]
    [light] = [line for line in stand_ins.log("ambient_light") if line.startswith("args")]
    assert "__ns:=/r1" in camera
    assert "source: '0'" in camera  # text, though it looks like a number
    assert "devices: - sacn - terminal" in light


def test_camera_false_starts_no_camera(stand_ins):
    process = start("fer_light", "camera:=false", "image_topic:=/usb/image")
    end = time.monotonic() + 30
    while not (stand_ins.log("fer_perception") and stand_ins.log("ambient_light")):
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert stand_ins.log("camera") == []
    assert "image:=/usb/image" in stand_ins.log("fer_perception")[0]


@pytest.mark.parametrize(
    ("body", "how"),
    [("sys.exit(3)", "exit code 3"), ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL")],
)
def test_a_failed_node_is_named_and_the_others_go_on(stand_ins, body, how):
    stand_ins.write("camera", body)
    process = start("fer_light", "respawn:=false")
    stand_ins.wait_for_start()
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors == f"process failed: camera (fer_perception camera_node): {how}\n"
    assert stand_ins.log("ambient_light")[1:] == ["SIGINT"]


def test_a_node_that_died_is_restarted(stand_ins):
    """It dies once; the second time it lives."""
    stand_ins.write(
        "camera",
        "again = len(log.read_text().splitlines()) > 1\n"
        "if not again: import os; os.kill(os.getpid(), 9)\ntime.sleep(60)",
    )
    process = start("fer_light")
    stand_ins.wait_for_start()
    end = time.monotonic() + 60
    while len(stand_ins.log("camera")) < 2:
        assert time.monotonic() < end, "the camera was not restarted"
        time.sleep(0.05)
    assert stand_ins.log("camera")[0] == stand_ins.log("camera")[1]  # with the same arguments
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    failed, restarted = errors.splitlines()
    assert failed == "process failed: camera (fer_perception camera_node): killed by SIGKILL"
    assert restarted.startswith("camera died; restarting it in ")
    assert stand_ins.log("camera")[2:] == ["SIGINT"]
    assert len(stand_ins.log("fer_perception")) == 2  # started once, stopped once


def test_a_node_whose_executable_is_gone_is_named_and_the_others_go_on(stand_ins):
    path = stand_ins.prefix / "lib" / EXECUTABLES["camera"]
    stand_ins.write("camera", "import os; os.remove(sys.argv[0]); os.kill(os.getpid(), 9)")
    process = start("fer_light")
    stand_ins.wait_for_start()
    assert process.stderr is not None
    lines = [process.stderr.readline() for _ in range(3)]
    assert "process not restarted" in lines[2] and str(path) in lines[2]
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 1
    assert stand_ins.log("ambient_light")[1:] == ["SIGINT"]


@pytest.mark.parametrize("code", [0, 2])
def test_a_node_that_was_stopped_or_started_wrongly_is_not_restarted(stand_ins, code):
    stand_ins.write("camera", f"sys.exit({code})")
    process = start("fer_light")
    stand_ins.wait_for_start()
    time.sleep(3.5)  # longer than the first delay
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert len(stand_ins.log("camera")) == 1


def test_a_signal_ends_the_wait_for_a_restart(stand_ins):
    stand_ins.write("camera", "sys.exit(3)")
    process = start("fer_light")
    assert process.stderr is not None
    assert "process failed" in process.stderr.readline()
    assert "restarting it" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (1, "")
    assert len(stand_ins.log("camera")) == 1


def test_it_ends_when_all_nodes_have_ended(stand_ins):
    for name in EXECUTABLES:
        stand_ins.write(name, "sys.exit(0)")
    assert start("fer_light").wait(30) == 0


def test_a_bad_exit_code_after_the_signal_counts(stand_ins):
    stand_ins.write("ambient_light", code=7)
    process = start("fer_light")
    stand_ins.wait_for_start()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "ambient_light (ambient_light_driver light_node): exit code 7" in errors


def test_a_node_that_ignores_signals_is_killed_in_the_end(stand_ins):
    ignore = "for s in (2, 15): signal.signal(s, signal.SIG_IGN)\nnote('deaf')\ntime.sleep(60)"
    stand_ins.write("camera", ignore)
    process = start("fer_light")
    stand_ins.wait_for_start()
    while "deaf" not in stand_ins.log("camera"):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "camera (fer_perception camera_node): killed by SIGKILL" in errors


def test_an_executable_that_is_not_installed_is_named_and_nothing_starts(stand_ins):
    missing = stand_ins.prefix / "lib" / EXECUTABLES["ambient_light"]
    missing.unlink()
    process = start("fer_light")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors == f"node 'ambient_light': no executable {missing}\n"
    assert stand_ins.log("camera") == []


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("sorce:=0", "fer_light has no argument 'sorce': did you mean 'source'?"),
        ("log_level:=loud", "argument 'log_level' is 'loud': choose one of"),
        ("source=0", "argument 'source=0': write it as name:=value"),
        ("params_file:=/nowhere.yaml", "params_file is '/nowhere.yaml': no such file"),
        ("fastdds_profile:=/no.xml", "fastdds_profile is '/no.xml': no such file"),
    ],
)
def test_a_wrong_argument_gets_one_line_and_exit_code_2(monkeypatch, argument, message):
    monkeypatch.delenv("FASTRTPS_DEFAULT_PROFILES_FILE", raising=False)
    monkeypatch.delenv("FASTDDS_DEFAULT_PROFILES_FILE", raising=False)
    process = start("fer_light", argument)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (2, "")
    assert errors.startswith(message)
    assert errors.count("\n") == 1


def test_the_arguments_are_described():
    process = start("fer_light", "--show-args")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "    image_topic:\n        Topic with the images" in output


def test_when_the_player_has_ended_the_others_are_stopped(stand_ins, tmp_path):
    """A replay is over when its bag is."""
    index = stand_ins.prefix / "share" / "ament_index" / "resource_index" / "packages"
    (index / "fer_evaluation").touch()
    for executable, body in (("score_node", WAIT), ("bag_player_node", "time.sleep(0.5)")):
        path = stand_ins.prefix / "lib" / "fer_evaluation" / executable
        path.parent.mkdir(exist_ok=True)
        path.write_text(NODE.format(python=sys.executable, body=body, code=0))
        path.chmod(0o755)
    bag = write_bag(tmp_path / "bag", small_images(2))
    process = start("replay", f"bag:={bag}", "device:=sacn")
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    score = (stand_ins.prefix / "lib" / "fer_evaluation" / "score_node.log").read_text()
    assert score.splitlines()[1:] == ["SIGINT"]
    assert stand_ins.log("ambient_light")[1:] == ["SIGINT"]
    assert "use_sim_time: true" in stand_ins.log("fer_perception")[0]
