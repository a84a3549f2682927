# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_bringup import fast_dds
from fer_bringup.standalone.launch_file import LaunchFile
from launched import launched, parameters_of
from small_disk import small_disk_fixture  # noqa: F401


def nodes(**given):
    # diagnostic_aggregator may or may not be installed.
    return launched("fer_light", **{"aggregator": "false", **given})


@pytest.fixture
def included(tmp_path: Path) -> Callable[..., dict]:
    """``included(*actions, **given)``: fer_light included by a file that acts before it."""

    def read(*actions: str, **given: str) -> dict:
        path = tmp_path / "robot.launch.py"
        path.write_text(
            "from launch import LaunchDescription\n"
            "from launch.actions import GroupAction, IncludeLaunchDescription\n"
            "from launch.launch_description_sources import PythonLaunchDescriptionSource\n"
            "from launch_ros.actions import PushRosNamespace, SetParameter\n"
            "from fer_bringup.standalone.launch_file import folder\n"
            "def generate_launch_description():\n"
            "    source = PythonLaunchDescriptionSource(str(folder() / 'fer_light.launch.py'))\n"
            f"    return LaunchDescription([GroupAction([{', '.join(actions)},\n"
            f"        IncludeLaunchDescription(source, launch_arguments={given}.items())])])\n"
        )
        context = LaunchFile(path).visit({"aggregator": "false"})
        return {spec.name: spec for _, spec in context.take_started()}

    return read


def test_names_by_default():
    assert {node.name: node.what for node in nodes().values()} == {
        "camera": "fer_perception camera_node",
        "fer_perception": "fer_perception emotion_node",
        "ambient_light": "ambient_light_driver light_node",
    }


def test_topics_stay_inside_the_namespace():
    started = nodes(namespace="robot1")
    assert {node.namespace for node in started.values()} == {"/robot1"}
    for node in started.values():
        assert all(not topic.startswith("/") for _, topic in node.remappings)


def test_namespace_and_parameters_of_the_including_scope_hold(included):
    scope = ("PushRosNamespace('robot1')", "SetParameter('use_sim_time', True)")
    for node in included(*scope).values():
        assert node.namespace == "/robot1"
        assert parameters_of(node)["use_sim_time"] is True
    for node in included(*scope, namespace="head").values():
        assert node.namespace == "/robot1/head"
        assert f"/robot1/head/{node.name}" in node.ros_arguments


@pytest.mark.parametrize("given", [{}, {"namespace": "robot1"}])
def test_the_log_level_holds_in_any_namespace(given):
    for node in nodes(log_level="warn", **given).values():
        # Without a logger name, which would contain the namespace.
        assert node.ros_arguments[:2] == ("--log-level", "warn")


def test_parts_can_run_elsewhere():
    assert set(nodes(light="false")) == {"camera", "fer_perception"}
    topics = ["/robot1/fer_perception/emotions", "/robot2/fer_perception/emotions"]
    alone = nodes(camera="false", perception="false", emotions_topics=",".join(topics))
    assert set(alone) == {"ambient_light"}
    assert parameters_of(alone["ambient_light"])["emotions_topics"] == topics


def test_a_model_of_ones_own_reaches_the_perception():
    perception = nodes(model="models/mine")["fer_perception"]
    assert parameters_of(perception)["model"] == "models/mine"


def test_text_that_looks_like_a_number_stays_text():
    assert parameters_of(nodes(source="0")["camera"])["source"] == "0"


def test_both_transports_of_the_image_are_remapped():
    remappings = dict(nodes(image_topic="/usb/image")["fer_perception"].remappings)
    assert remappings == {"image": "/usb/image", "image/compressed": "/usb/image/compressed"}


def test_managed_nodes_wait_for_the_manager_which_knows_what_was_started():
    started = nodes(autostart="managed", namespace="robot1")
    manager = started["lifecycle_manager"]
    assert manager.arguments == ("fer_perception", "ambient_light")
    assert manager.namespace == "/robot1"
    for name in ("fer_perception", "ambient_light"):
        assert parameters_of(started[name])["autostart"] is False
        assert parameters_of(nodes()[name])["autostart"] is True
    alone = nodes(autostart="managed", light="false")["lifecycle_manager"]
    assert list(filter(None, alone.arguments)) == ["fer_perception"]
    assert "lifecycle_manager" not in nodes() | nodes(autostart="false")
    assert not nodes(autostart="managed", camera="false", perception="false", light="false")


@pytest.mark.parametrize("is_installed", [True, False])
def test_the_aggregator_is_started_where_it_is_installed_or_asked_for(
    is_installed, tmp_path, monkeypatch
):
    assert "analyzers" in nodes(aggregator="true")
    found = {"fer_bringup": "", **({"diagnostic_aggregator": ""} if is_installed else {})}
    monkeypatch.setattr("ament_index_python.packages.get_packages_with_prefixes", lambda: found)
    assert ("analyzers" in nodes(aggregator="auto")) == is_installed
    assert "analyzers" not in nodes(aggregator="false")


def test_what_is_not_given_is_left_to_the_parameter_files():
    assert parameters_of(nodes()["camera"]) == {"source": ""}
    assert "use_sim_time" not in parameters_of(nodes()["fer_perception"])
    assert "devices" not in parameters_of(nodes()["ambient_light"])


def test_several_lamps():
    light = nodes(device="terminal,sacn")["ambient_light"]
    assert parameters_of(light)["devices"] == ["terminal", "sacn"]


def test_the_action_is_served_on_request():
    started = nodes(actions="true", namespace="robot1")
    assert set(started) - set(nodes()) == {"expression_server"}
    assert started["expression_server"].namespace.strip("/") == "robot1"


@pytest.mark.parametrize(
    ("bridges", "started"),
    [("ros4hri", {"ros4hri"}), ("vision_msgs,ros4hri", {"ros4hri", "vision_msgs"}), ("", set())],
)
def test_bridges(bridges, started):
    assert set(nodes(bridges=bridges)) - set(nodes()) == started


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"devise": "sacn"}, "no argument 'devise': did you mean 'device'"),
        ({"camera": "yes"}, "'camera' is 'yes': choose one of 'true'"),
        ({"bridges": "ros5hri"}, "'bridges' is 'ros5hri': choose one of"),
        ({"dashboard": "80350"}, "dashboard is '80350': expected a TCP port"),
    ],
)
def test_a_wrong_argument_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        nodes(**given)


@pytest.fixture
def no_profile(monkeypatch):
    for variable in fast_dds.PROFILE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def profiles(**given):
    environment = nodes(**given)["camera"].environment
    return {name: environment.get(name) for name in fast_dds.PROFILE_VARIABLES}


def test_the_profile_is_set_for_old_and_new_fast_dds(no_profile):
    assert all(path.endswith("fastdds_large_images.xml") for path in profiles().values())
    assert set(profiles(fastdds_profile="none").values()) == {None}


@pytest.mark.parametrize("variable", fast_dds.PROFILE_VARIABLES)
def test_a_profile_of_the_user_wins(no_profile, monkeypatch, variable):
    monkeypatch.setenv(variable, "/etc/own.xml")
    expected = dict.fromkeys(fast_dds.PROFILE_VARIABLES) | {variable: "/etc/own.xml"}
    assert profiles() == expected


@pytest.mark.parametrize("small_disk", [64], indirect=True)
def test_too_little_shared_memory_is_said_with_the_remedy(
    no_profile, small_disk, monkeypatch, capsys
):
    """64 MB is the default of a container."""
    monkeypatch.setattr(fast_dds, "_SHARED_MEMORY", small_disk)
    nodes(light="false")
    said = capsys.readouterr().err
    assert f"{small_disk} has 64 MB free, but the 2 processes take 135 MB" in said
    assert "--shm-size=271m or --ipc=host" in said
    # Fast DDS's own segments are small.
    nodes(fastdds_profile="none")
    assert capsys.readouterr().err == ""
