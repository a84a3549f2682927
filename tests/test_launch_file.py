# SPDX-License-Identifier: Apache-2.0
"""The launch file, run by the real ``launch``, starts what the start script starts."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from fer_bringup import security, start
from fer_bringup.graph import PROFILE_VARIABLES
from fer_bringup.graphs import GRAPHS

pytest.importorskip(
    "launch_ros", reason="launch and launch_ros are not installed: the launch file was not tried"
)

from launch.actions import IncludeLaunchDescription  # noqa: E402
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402

from launch import LaunchDescription, LaunchService  # noqa: E402

VARIABLES = (*PROFILE_VARIABLES, *security.variables("/keystore"))

# Notes how it was started, and the parameter files before they are removed.
NODE = """#!{python}
import json, os, pathlib, sys
words = sys.argv[1:]
files = [b for a, b in zip(words, words[1:]) if a == "--params-file"]
pathlib.Path(sys.argv[0] + ".json").write_text(json.dumps({{
    "words": words,
    "files": [pathlib.Path(file).read_text() for file in files],
    "environment": {{name: os.environ.get(name) for name in {variables}}},
}}))
"""


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An install space with nodes that end at once; it is found before the real one."""
    for package, executable in (
        ("fer_perception", "camera_node"),
        ("fer_perception", "emotion_node"),
        ("ambient_light_driver", "light_node"),
    ):
        index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
        index.mkdir(parents=True, exist_ok=True)
        (index / package).touch()
        path = tmp_path / "lib" / package / executable
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(NODE.format(python=sys.executable, variables=VARIABLES))
        path.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path}:{os.environ['AMENT_PREFIX_PATH']}")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    for variable in PROFILE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    # Whether the keystore is good is no matter here.
    monkeypatch.setattr(security, "check", lambda keystore, enclaves: None)
    return tmp_path


def seen_by_the_nodes(stand_ins: Path) -> dict[str, Any]:
    """Return what each node was told, however the command line says it."""
    seen = {}
    for record in sorted(stand_ins.glob("lib/*/*.json")):
        told = json.loads(record.read_text())
        record.unlink()
        pairs = list(zip(told["words"], told["words"][1:], strict=False))
        [node_name] = [word[8:] for _, word in pairs if word.startswith("__node:=")]
        parameters: dict[str, Any] = {}
        for text in told["files"]:
            for key, node in (yaml.safe_load(text) or {}).items():
                if key == "/**" or key.split("/")[-1] == node_name:
                    parameters.update(node["ros__parameters"])
        for option, value in pairs:
            if option == "-p":
                name, text = value.split(":=", 1)
                parameters[name] = yaml.safe_load(text)
        seen[record.stem] = {
            "parameters": parameters,
            "remappings": {value for option, value in pairs if option == "-r"},
            "log level": {value for option, value in pairs if option == "--log-level"},
            "enclave": {value for option, value in pairs if option == "--enclave"},
            "environment": told["environment"],
        }
    return seen


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"namespace": "robot1", "source": "0", "device": "sacn,terminal", "log_level": "debug"},
        {"camera": "false", "image_topic": "/usb/image", "image_transport": "compressed"},
        {"use_sim_time": "true", "autostart": "false", "fastdds_profile": "none"},
        {"security_keystore": "/keystore", "namespace": "robot1"},
    ],
)
def test_launch_file_and_start_script_start_the_same(repository, stand_ins, given):
    source = PythonLaunchDescriptionSource(str(repository / "launch" / "fer_light.launch.py"))
    service = LaunchService(noninteractive=True)
    service.include_launch_description(
        LaunchDescription([IncludeLaunchDescription(source, launch_arguments=given.items())])
    )
    assert service.run() == 0
    launched = seen_by_the_nodes(stand_ins)

    assert start.main(["fer_light", *(f"{name}:={value}" for name, value in given.items())]) == 0
    started = seen_by_the_nodes(stand_ins)

    assert launched == started
    assert len(started) == (2 if given.get("camera") == "false" else 3)


def test_launch_starts_a_node_again_that_died(repository, stand_ins):
    path = stand_ins / "lib" / "fer_perception" / "camera_node"
    path.write_text(
        f"#!{sys.executable}\n"
        "import os, pathlib, sys\n"
        "log = pathlib.Path(sys.argv[0] + '.log')\n"
        "words = log.read_text() if log.exists() else ''\n"
        "log.write_text(words + ' '.join(w for w in sys.argv if '__node' in w) + '\\n')\n"
        "if not words: os.kill(os.getpid(), 9)\n"
    )
    source = PythonLaunchDescriptionSource(str(repository / "launch" / "fer_light.launch.py"))
    service = LaunchService(noninteractive=True)
    service.include_launch_description(LaunchDescription([IncludeLaunchDescription(source)]))
    service.run()
    assert path.with_name("camera_node.log").read_text() == 2 * "__node:=camera\n"


def launch_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("launch_file", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(GRAPHS))
def test_every_argument_is_declared_and_described(repository, name):
    module = launch_file(repository / "launch" / f"{name}.launch.py")
    declared = module.generate_launch_description().get_launch_arguments()
    assert [argument.name for argument in declared] == [a.name for a in GRAPHS[name]().arguments]
    assert all(argument.description for argument in declared)
