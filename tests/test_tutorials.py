# SPDX-License-Identifier: Apache-2.0
"""Run the blocks of each tutorial unchanged.

Only local values are replaced: the reader's photographs and clip (small ones here), a free port,
and the path of a lamp's file. The build is not repeated.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import cv2
import pytest
from fer_msgs.action import WaitForExpression
from fer_msgs.msg import EmotionStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import ColorRGBA

from ambient_light_driver.color.palette import load_palette
from fer_perception.emotions import EMOTIONS
from fer_perception.images.frame_source import PortraitSource
from real_peers import free_port

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
PALETTE = load_palette("default")
# Longer than the default of idle_timeout_s.
PATIENCE_OF_THE_LIGHT_S = 4.0


class Tutorial:
    """A tutorial's text and its blocks."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text(encoding="utf-8")

    @property
    def commands(self) -> list[str]:
        """The blocks of shell commands, in order."""
        return re.findall(r"^```bash\n(.*?)^```", self.text, re.DOTALL | re.MULTILINE)

    def file(self, name: str) -> str:
        """Return the content of a file given in a block."""
        pattern = rf"^`{re.escape(name)}`.*?\n```\w+\n(.*?)^```"
        return re.search(pattern, self.text, re.DOTALL | re.MULTILINE)[1]


@pytest.fixture
def tutorial(repository: Path) -> Callable[[str], Tutorial]:
    """``tutorial(name)`` reads it."""
    return lambda name: Tutorial(repository / "docs" / "tutorials" / f"{name}.md")


def run(commands: str, folder: Path, timeout_s: float = 240.0, **variables: str) -> str:
    """Run a block to its end and return its output."""
    ended = subprocess.run(
        ["bash", "-ec", commands],
        cwd=folder,
        # On a busy machine, waiting threads cost more than they gain.
        env=os.environ | {"OMP_NUM_THREADS": "1"} | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


class Block:
    """A block whose last command runs until Ctrl-C."""

    def __init__(self, commands: str, folder: Path, log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            # A separate session, as in a terminal: Ctrl-C reaches all its processes.
            self.process = subprocess.Popen(
                ["bash", "-ec", commands],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def ctrl_c(self) -> None:
        """Stop it by Ctrl-C and check its exit."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        assert self.process.wait(60) == 0, self.output
        assert "Traceback" not in self.output, self.output


@pytest.fixture
def start_block(tmp_path: Path, ros_domain: int) -> Iterator[Callable[[str, Path], Block]]:
    """``start_block(commands, folder)`` runs a block in the background."""
    started: list[Block] = []

    def start(commands: str, folder: Path) -> Block:
        started.append(Block(commands, folder, tmp_path / f"block{len(started)}.log"))
        return started[-1]

    yield start
    for block in started:
        if block.process.poll() is None:
            os.killpg(block.process.pid, signal.SIGINT)
            block.process.wait(60)


@pytest.fixture
def lamp(peer) -> Callable[[], str]:
    """``lamp()`` returns the emotion of the shown colour, 'idle', or None."""
    colors = peer.collect(ColorRGBA, "/ambient_light/color", LATCHED)

    def shown() -> str:
        known = PALETTE.emotions | {"idle": PALETTE.idle}
        for name, color in known.items() if colors else ():
            last = colors[-1]
            if (last.r, last.g, last.b) == pytest.approx(color.displayed_rgb(), abs=0.05):
                return name
        return ""

    return shown


def test_tutorials_use_no_command_of_ros2_that_the_wheels_lack(repository):
    """Except where the sentence says that ROS 2 has to be installed."""
    known = re.compile(r"\bros2 (?!(run|launch fer_bringup|bag record)\b)\w+ ")
    for page in sorted((repository / "docs" / "tutorials").glob("*.md")):
        for paragraph in page.read_text(encoding="utf-8").split("\n\n"):
            found = known.search(paragraph)
            assert not found or "With ROS 2 installed" in paragraph, (page.name, paragraph)


def test_first_light(tutorial, repository, start_block, peer, lamp, tmp_path):
    demo, page, own_lamp = tutorial("first_light").commands
    printed = run(demo.replace("make", "make -o build"), repository, DEMO_SECONDS="1")
    assert "happiness" in printed
    assert "demo/annotated.mp4" in printed

    port = str(free_port(socket.SOCK_STREAM))
    block = start_block(page.replace("8035", port), repository)
    peer.wait_until(lambda: lamp() == "happiness", "a lamp that follows the portrait", 120.0)
    assert f"http://127.0.0.1:{port}/" in block.output
    block.ctrl_c()
    peer.wait_until(lambda: lamp() != "happiness", "the lamp to go out")

    text = (repository / "launch" / "config" / "fer_light.yaml").read_text()
    address = '# device.sacn.destination: "192.168.0.20"'
    assert address in text
    (tmp_path / "my_lamp.yaml").write_text(
        text.replace(address, 'device.sacn.destination: "127.0.0.1"')
    )
    block = start_block(own_lamp, tmp_path)
    peer.wait_until(lambda: lamp() == "happiness", "the lamp by its parameter file", 120.0)
    block.ctrl_c()


def test_your_first_behavior(tutorial, tmp_path, start_block, ros_domain):
    text = tutorial("your_first_behavior")
    names = ("smile.yaml", "behavior.py", "greeter.py", "tree.py")
    for name in names:
        (tmp_path / name).write_text(text.file(name))
    actor, behavior, greeter, server, tree = text.commands
    start_block(actor, tmp_path)
    assert re.fullmatch("f[0-9]{4} smiles\n", run(behavior, tmp_path))
    greeting = start_block(greeter, tmp_path)
    start_block(server, tmp_path)
    if find_spec("py_trees"):
        assert "shows happiness" in run(tree, tmp_path)
    end_s = time.monotonic() + 60.0
    while not re.search("smile, f[0-9]{4}.\n(.*\n)*f[0-9]{4} has left", greeting.output):
        assert time.monotonic() < end_s, greeting.output
        time.sleep(0.1)
    if not find_spec("py_trees"):
        pytest.skip("py_trees is missing: the tree was not run, all else was")


def test_the_tree_for_behaviortree_cpp_fits_the_action(tutorial):
    """Names only: neither library is built here."""
    text = tutorial("your_first_behavior").text
    code, tree = (
        re.search(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1]
        for kind in ("cpp", "xml")
    )
    inputs = re.findall(r'InputPort<.+>\("(\w+)"', code)
    outputs = re.findall(r'OutputPort<.+>\("(\w+)"', code)
    assert inputs and set(inputs) <= WaitForExpression.Goal.get_fields_and_field_types().keys()
    assert re.findall(r'getInput\("(\w+)", goal\.(\w+)\)', code) == [(n, n) for n in inputs]
    assert all(hasattr(WaitForExpression.Result, n) for n in re.findall(r"Result::(\w+)", code))
    assert all(
        name in EmotionStamped.get_fields_and_field_types()
        for name in re.findall(r"result->face\.(\w+)", code)
    )
    root = ElementTree.fromstring(tree)
    assert root.attrib == {"BTCPP_format": "4"}
    [node] = root.iter("WaitForExpression")
    assert node.attrib.keys() <= {"action_name", *inputs, *outputs}
    assert set(node.get("expressions").split(";")) <= set(EMOTIONS)
    assert node.get("action_name") == "/expression_server/wait_for_expression"


def test_your_own_lamp_is_found_and_lit(tutorial, tmp_path, start_block, peer):
    text = tutorial("your_own_lamp")
    workspace = tmp_path / "workspace"
    package = workspace / "src" / "my_lamps"
    (package / "my_lamps").mkdir(parents=True)
    (package / "resource").mkdir()
    (package / "resource" / "my_lamps").touch()
    (package / "my_lamps" / "__init__.py").touch()
    for name in ("package.xml", "setup.py", "my_lamps/file_lamp.py"):
        (package / name).write_text(text.file(f"my_lamps/{name}"))
    [commands] = text.commands
    lamp = tmp_path / "lamp.txt"
    block = start_block(commands.replace("/tmp/lamp.txt", str(lamp)), workspace)
    peer.wait_until(
        lambda: (lamp.exists() and "idle" in lamp.read_text()) or block.process.poll() is not None,
        "a colour in the file",
        timeout_s=120.0,
    )
    block.ctrl_c()
    assert lamp.read_text().splitlines()[-1] == "0 0 0 off"


def test_train_on_your_own_faces(tutorial, tmp_path, start_block, peer, lamp):
    """Every class shows the same portrait: the steps are tested, not the result."""
    if find_spec("torch") is None:
        pytest.skip("PyTorch is missing: the tutorial on training was not run")
    source = PortraitSource(320, 240)
    for number in range(7):
        for emotion in EMOTIONS:
            folder = tmp_path / "photos" / emotion
            folder.mkdir(parents=True, exist_ok=True)
            picture = cv2.cvtColor(source.read(), cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(folder / f"{number}.jpg"), picture)
    *steps, use = tutorial("train_on_your_own_faces").commands
    printed = [run(commands, tmp_path) for commands in steps]
    assert "my_faces/validation: neutral 2, happiness 2" in printed[0]
    assert "accuracy 14.29 %" in printed[1]  # always happiness
    before, after = (
        json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("before", "after")
    )
    assert before["model"]["model_id"].startswith("vgg_stn@")
    assert after["model"]["model_id"].startswith("mine@")
    block = start_block(use, tmp_path)
    peer.wait_until(lambda: "ready: model mine@" in block.output, "the node with the model", 120.0)
    block.ctrl_c()


def test_evaluate_a_bag(tutorial, tmp_path, ros_domain):
    source = PortraitSource(320, 240)
    clip = cv2.VideoWriter(
        str(tmp_path / "clip.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 30.0, (320, 240)
    )
    for _ in range(20):
        clip.write(cv2.cvtColor(source.read(), cv2.COLOR_RGB2BGR))
    clip.release()
    text = tutorial("evaluate_a_bag")
    (tmp_path / "labels.csv").write_text(text.file("labels.csv"))
    for commands in text.commands:
        run(commands, tmp_path)
    for folder in ("my_bag_report", "steadier", "my_bag_live"):
        metrics = json.loads((tmp_path / folder / "metrics.json").read_text())
        assert metrics["metrics"]["accuracy"] == 1.0
        assert (tmp_path / folder / "report.html").is_file()


def test_python_api(tutorial, tmp_path):
    source = PortraitSource(320, 240)
    frames = [cv2.cvtColor(next(source).image, cv2.COLOR_RGB2BGR) for _ in range(5)]
    cv2.imwrite(str(tmp_path / "photo.jpg"), frames[0])
    clip = cv2.VideoWriter(
        str(tmp_path / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 30.0, (320, 240)
    )
    for frame in frames:
        clip.write(frame)
    clip.release()
    page = tutorial("python_api")
    first, *others = re.findall(r"^```python\n(.*?)^```", page.text, re.DOTALL | re.MULTILINE)
    for code in (first, *(first + other for other in others)):
        (tmp_path / "example.py").write_text(code)
        printed = run(f"{sys.executable} example.py", tmp_path)
        assert "happiness" in printed, code
    _, *commands = page.commands  # the first installs
    for command in commands:
        assert run(command, tmp_path)
    assert (tmp_path / "annotated.jpg").is_file()
    assert len((tmp_path / "faces.csv").read_text().splitlines()) == 6


def test_two_robots_one_lamp(tutorial, tmp_path, start_block, peer, lamp):
    blocks = [
        start_block(commands, tmp_path) for commands in tutorial("two_robots_one_lamp").commands
    ]
    first, second, light = blocks
    peer.wait_until(lambda: lamp() == "happiness", "a lamp that follows a robot", 120.0)
    first.ctrl_c()
    peer.spin(PATIENCE_OF_THE_LIGHT_S)
    assert lamp() == "happiness", "the other robot still sees the face"
    second.ctrl_c()
    peer.wait_until(lambda: lamp() == "idle", "the idle light")
    light.ctrl_c()


def test_every_tutorial_is_listed(repository):
    folder = repository / "docs" / "tutorials"
    listed = set(re.findall(r"\]\((\w+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {path.name for path in folder.glob("*.md")} - {"README.md"}
