# SPDX-License-Identifier: Apache-2.0
"""The launch files start the same nodes as the start script."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ament_index_python.packages import get_package_share_directory

from fer_bringup import security, start
from fer_bringup.bags import has_ros2_bag
from fer_bringup.fast_dds import PROFILE_VARIABLES
from fer_bringup.standalone.launch_file import names, read
from replay_bags import small_images, write_bag

if importlib.util.find_spec("launch_ros") is None:
    pytest.skip(
        "launch_ros is not installed: the launch files were not run by the real launch",
        allow_module_level=True,
    )

# In a process of its own: here pytest has made 'launch' of the folder of that name.
RUN = """
import sys
from fer_bringup import security
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

security.check = lambda keystore, enclaves: None  # the keystore need not be valid here
source = PythonLaunchDescriptionSource(sys.argv[1])
given = [tuple(word.split(":=", 1)) for word in sys.argv[2:]]
service = LaunchService(noninteractive=True)
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(source, launch_arguments=given)])
)
sys.exit(service.run())
"""
ARGUMENTS = """
import json, runpy, sys
arguments = runpy.run_path(sys.argv[1])["generate_launch_description"]().get_launch_arguments()
print(json.dumps({argument.name: argument.description for argument in arguments}))
"""

VARIABLES = (*PROFILE_VARIABLES, *security.variables("/keystore"))

# Records its arguments, and the parameter files before they are removed.
NODE = """#!{python}
import json, os, pathlib, sys, time
words = sys.argv[1:]
files = [b for a, b in zip(words, words[1:]) if a == "--params-file"]
pathlib.Path(sys.argv[0] + ".json").write_text(json.dumps({{
    "words": words,
    "files": [pathlib.Path(file).read_text() for file in files],
    "environment": {{name: os.environ.get(name) for name in {variables}}},
}}))
time.sleep({seconds})
"""


def add_stand_in(prefix: Path, package: str, executable: str, seconds: float = 0.0) -> None:
    """Add a node that records its command line and ends after a while."""
    index = prefix / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True, exist_ok=True)
    (index / package).touch()
    path = prefix / "lib" / package / executable
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(NODE.format(python=sys.executable, variables=VARIABLES, seconds=seconds))
    path.chmod(0o755)


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An install space of stand-in nodes that precedes the real one."""
    for package, executable in (
        ("fer_perception", "camera_node"),
        ("fer_perception", "emotion_node"),
        ("ambient_light_driver", "light_node"),
        ("fer_bringup", "lifecycle_manager"),
    ):
        if package == "fer_bringup":
            # Its launch files come with it.
            (tmp_path / "share").mkdir(exist_ok=True)
            (tmp_path / "share" / package).symlink_to(get_package_share_directory(package))
        add_stand_in(tmp_path, package, executable)
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path}:{os.environ['AMENT_PREFIX_PATH']}")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    for variable in PROFILE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(security, "check", lambda keystore, enclaves: None)
    return tmp_path


def launch(path: Path, given: dict[str, str]) -> int:
    """Run a launch file with the real launch until its nodes have ended."""
    words = [f"{name}:={value}" for name, value in given.items()]
    return subprocess.run(
        [sys.executable, "-c", RUN, path, *words], cwd="/", timeout=120
    ).returncode


def seen_by_the_nodes(stand_ins: Path) -> dict[str, Any]:
    """Return the arguments that each node was started with."""
    seen = {}
    for record in sorted(stand_ins.glob("lib/*/*.json")):
        started = json.loads(record.read_text())
        record.unlink()
        pairs = list(zip(started["words"], started["words"][1:], strict=False))
        [node_name] = [word[8:] for _, word in pairs if word.startswith("__node:=")]
        parameters: dict[str, Any] = {}
        for text in started["files"]:
            # launch_ros writes lists as tuples, which are the same to ROS.
            for key, node in yaml.safe_load(text.replace("!!python/tuple", "")).items():
                if key == "/**" or key.split("/")[-1] == node_name:
                    parameters.update(node["ros__parameters"] or {})
        for option, value in pairs:
            if option == "-p":
                name, text = value.split(":=", 1)
                parameters[name] = yaml.safe_load(text)
        seen[record.stem] = {
            "parameters": parameters,
            "remappings": {value for option, value in pairs if option == "-r"},
            "log level": {value for option, value in pairs if option == "--log-level"},
            "enclave": {value for option, value in pairs if option == "--enclave"},
            "environment": started["environment"],
        }
    return seen


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"namespace": "robot1", "source": "0", "device": "sacn,terminal", "log_level": "debug"},
        {"camera": "false", "image_topic": "/usb/image", "image_transport": "compressed"},
        {"use_sim_time": "true", "autostart": "false", "fastdds_profile": "none"},
        {"autostart": "managed", "light": "false"},
        {"security_keystore": "/keystore", "namespace": "robot1"},
    ],
)
def test_launch_file_and_start_script_start_the_same(repository, stand_ins, given):
    given = {"aggregator": "false", **given}
    assert launch(repository / "launch" / "fer_light.launch.py", given) == 0
    launched = seen_by_the_nodes(stand_ins)

    assert start.main(["fer_light", *(f"{name}:={value}" for name, value in given.items())]) == 0
    started = seen_by_the_nodes(stand_ins)

    assert launched == started
    parts = {"camera", "light"} & {name for name, value in given.items() if value == "false"}
    assert len(started) == 3 - len(parts) + (given.get("autostart") == "managed")


ROBOT = """
from launch import LaunchDescription
from launch.actions import GroupAction, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import PushRosNamespace, SetParameter

def generate_launch_description():
    return LaunchDescription([
        GroupAction([
            PushRosNamespace("robot1"),
            SetParameter("use_sim_time", True),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource({path!r}),
                launch_arguments={{"aggregator": "false", "source": "0"}}.items(),
            ),
        ])
    ])
"""


def test_a_node_that_died_is_restarted_in_the_scope_of_the_including_file(
    repository, stand_ins, tmp_path
):
    camera = stand_ins / "lib" / "fer_perception" / "camera_node"
    camera.write_text(
        f"#!{sys.executable}\n"
        "import json, os, pathlib, sys\n"
        "log = pathlib.Path(sys.argv[0] + '.log')\n"
        "before = log.read_text() if log.exists() else ''\n"
        "log.write_text(before + json.dumps([sys.argv[1:], dict(os.environ)]) + '\\n')\n"
        "if not before: os.kill(os.getpid(), 9)\n"
    )
    robot = tmp_path / "robot.launch.py"
    robot.write_text(ROBOT.format(path=str(repository / "launch" / "fer_light.launch.py")))
    launch(robot, {})
    first, second = map(json.loads, camera.with_name("camera_node.log").read_text().splitlines())
    assert first == second
    words, environment = second
    assert "__ns:=/robot1" in words
    assert "use_sim_time:=True" in words
    assert environment[PROFILE_VARIABLES[0]].endswith("fastdds_large_images.xml")


@pytest.mark.parametrize("name", names())
def test_every_argument_is_declared_and_described(repository, name):
    path = repository / "launch" / f"{name}.launch.py"
    words = [sys.executable, "-c", ARGUMENTS, path]
    described = json.loads(subprocess.run(words, cwd="/", check=True, capture_output=True).stdout)
    assert set(described) >= set(read(name).arguments)
    assert all(described.values())


def test_a_recording_and_a_replay_start(stand_ins, repository, tmp_path):
    add_stand_in(stand_ins, "fer_evaluation", "bag_recorder_node")
    add_stand_in(stand_ins, "fer_evaluation", "score_node")
    # The others are stopped when it ends: they need time to note what they were started with.
    add_stand_in(stand_ins, "fer_evaluation", "bag_player_node", seconds=3.0)
    if has_ros2_bag():
        pytest.skip("ros2 bag is installed: our recorder and player were not checked")
    assert launch(repository / "launch" / "record.launch.py", {"namespace": "robot1"}) == 0
    recorder = seen_by_the_nodes(stand_ins)["bag_recorder_node"]
    assert "fer_perception/events" in recorder["parameters"]["topics"]
    bag = write_bag(tmp_path / "bag", small_images(2), encoding="jpeg")
    given = {"bag": str(bag), "rate": "2", "out": str(tmp_path / "live")}
    assert launch(repository / "launch" / "replay.launch.py", given) == 0
    launched = seen_by_the_nodes(stand_ins)
    assert start.main(["replay", *(f"{name}:={value}" for name, value in given.items())]) == 0
    started = seen_by_the_nodes(stand_ins)
    assert launched == started
    assert started["bag_player_node"]["parameters"]["rate"] == 2.0


def test_cameras_do_not_mix(stand_ins, repository, tmp_path):
    log = "pathlib.Path(sys.argv[0] + '.log').open('a').write(' '.join(sys.argv[1:]) + '\\n')"
    camera = stand_ins / "lib" / "fer_perception" / "camera_node"
    camera.write_text(f"#!{sys.executable}\nimport pathlib, sys\n{log}\n")
    config = tmp_path / "cameras.yaml"
    config.write_text("cameras: {left: , right: {source: 2}}")
    path = repository / "launch" / "cameras.launch.py"
    assert launch(path, {"config": str(config), "aggregator": "false"}) == 0
    lines = camera.with_name("camera_node.log").read_text().splitlines()
    assert sorted("__ns:=/left" in line for line in lines) == [False, True]
    assert sorted("__ns:=/right" in line for line in lines) == [False, True]


def test_the_shared_perception_of_cameras_starts_the_same(stand_ins, repository, tmp_path):
    add_stand_in(stand_ins, "fer_perception", "emotion_nodes")
    config = tmp_path / "cameras.yaml"
    config.write_text("cameras: {left: , right: {source: 2}}\none_process: true")
    given = {"config": str(config), "namespace": "robot1", "aggregator": "false"}
    assert launch(repository / "launch" / "cameras.launch.py", given) == 0
    launched = seen_by_the_nodes(stand_ins)["emotion_nodes"]
    assert start.main(["cameras", *(f"{name}:={value}" for name, value in given.items())]) == 0
    assert launched == seen_by_the_nodes(stand_ins)["emotion_nodes"]
    assert launched["parameters"]["autostart"] is True
