# SPDX-License-Identifier: Apache-2.0
import pytest

from fer_bringup import graph, graphs
from fer_bringup.graph import NodeSpec, fer_light


def nodes(**given: str) -> dict[str, NodeSpec]:
    return {node.name: node for node in fer_light().nodes(fer_light().values(given))}


def test_names_by_default():
    assert {node.name: f"{node.package} {node.executable}" for node in nodes().values()} == {
        "camera": "fer_perception camera_node",
        "fer_perception": "fer_perception emotion_node",
        "ambient_light": "ambient_light_driver light_node",
    }


def test_topics_stay_inside_the_namespace():
    for node in nodes(namespace="robot1").values():
        assert all(not topic.startswith("/") for _, topic in node.remappings)


def test_parts_can_run_elsewhere():
    assert set(nodes(light="false")) == {"camera", "fer_perception"}
    alone = nodes(
        camera="false",
        perception="false",
        emotions_topics="/robot1/fer_perception/emotions,/robot2/fer_perception/emotions",
    )
    assert set(alone) == {"ambient_light"}
    assert dict(alone["ambient_light"].parameters)["emotions_topics"] == [
        "/robot1/fer_perception/emotions",
        "/robot2/fer_perception/emotions",
    ]


def test_a_model_of_ones_own_reaches_the_perception():
    assert dict(nodes(model="models/mine")["fer_perception"].parameters)["model"] == "models/mine"


def test_both_transports_of_the_image_are_remapped():
    remappings = dict(nodes(image_topic="/usb/image")["fer_perception"].remappings)
    assert remappings == {"image": "/usb/image", "image/compressed": "/usb/image/compressed"}


def test_managed_nodes_wait_for_bring_up_which_knows_what_was_started():
    started = nodes(autostart="managed", namespace="robot1")
    assert started["bring_up"].arguments == ("fer_perception", "ambient_light")
    assert started["bring_up"].namespace == "robot1"
    for name in ("fer_perception", "ambient_light"):
        assert dict(started[name].parameters)["autostart"] is False
    assert nodes(autostart="managed", light="false")["bring_up"].arguments == ("fer_perception",)
    assert "bring_up" not in nodes() | nodes(autostart="false")


def test_the_aggregator_is_started_where_it_is_installed_or_asked_for(monkeypatch):
    assert "analyzers" in nodes(aggregator="true")
    for installed in (True, False):
        monkeypatch.setattr(graph, "has_aggregator", lambda installed=installed: installed)
        assert ("analyzers" in nodes()) == installed
        assert "analyzers" not in nodes(aggregator="false")


def test_what_is_not_given_is_left_to_the_parameter_file():
    assert dict(nodes()["camera"].parameters) == {"use_sim_time": False}
    assert "devices" not in dict(nodes()["ambient_light"].parameters)


def test_several_lamps():
    assert dict(nodes(device="terminal,sacn")["ambient_light"].parameters)["devices"] == [
        "terminal",
        "sacn",
    ]


@pytest.mark.parametrize(
    ("namespace", "logger"),
    [("", "camera"), ("robot1", "robot1.camera"), ("/a/b", "a.b.camera")],
)
def test_name_of_the_logger(namespace, logger):
    assert NodeSpec("p", "e", "camera", namespace=namespace).logger == logger


def test_unknown_argument_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="no argument 'devise': did you mean 'device'"):
        fer_light().values({"devise": "sacn"})


def test_value_outside_the_choices_is_refused():
    with pytest.raises(ValueError, match="'camera' of fer_light is 'yes': choose one of 'true'"):
        fer_light().values({"camera": "yes"})


def test_the_profile_is_set_for_old_and_new_fast_dds(monkeypatch):
    for variable in graph.PROFILE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    variables = graph.environment(fer_light().values({}))
    assert set(variables) == set(graph.PROFILE_VARIABLES)
    assert all(path.endswith("fastdds_large_images.xml") for path in variables.values())


def test_no_profile_on_request(monkeypatch):
    for variable in graph.PROFILE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert graph.environment(fer_light().values({"fastdds_profile": "none"})) == {}


@pytest.mark.parametrize("variable", graph.PROFILE_VARIABLES)
def test_a_profile_of_the_user_wins(monkeypatch, variable):
    monkeypatch.setenv(variable, "/etc/own.xml")
    assert graph.environment(fer_light().values({})) == {}


def test_each_graph_has_a_launch_file():
    for name, make in graphs.GRAPHS.items():
        assert make().name == name
        assert graph.share(f"{name}.launch.py").is_file()
