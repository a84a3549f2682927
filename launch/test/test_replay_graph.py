# SPDX-License-Identifier: Apache-2.0
import pytest

from fer_bringup import record_graph, replay_graph
from fer_bringup.graph import CommandSpec, NodeSpec
from fer_bringup.processes import command
from fer_bringup.record_graph import WITHOUT_IMAGES, record
from fer_bringup.replay_graph import replay
from replay_bags import small_images, write_bag


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return write_bag(tmp_path_factory.mktemp("bags") / "bag", small_images(3), encoding="jpeg")


def nodes(graph, **given):
    return {spec.name: spec for spec in graph.nodes(graph.values(given))}


@pytest.fixture(params=[True, False], ids=["with ros2 bag", "without"])
def has_ros2_bag(request, monkeypatch):
    for module in (replay_graph, record_graph):
        monkeypatch.setattr(module, "has_ros2_bag", lambda: request.param)
    return request.param


def test_all_nodes_of_a_replay_take_their_time_from_the_bag(bag, has_ros2_bag):
    started = nodes(replay(), bag=str(bag), rate="2", loop="true")
    for name in ("fer_perception", "ambient_light", "score"):
        assert dict(started[name].parameters)["use_sim_time"] is True
    perception = started["fer_perception"]
    assert dict(perception.parameters)["image_transport"] == "compressed"
    # The bag's topic holds compressed images, though its name does not say so.
    assert dict(perception.remappings)["image/compressed"] == "/camera/image_raw"
    player = started["player"]
    assert player.ends_graph
    assert not any(spec.ends_graph for spec in started.values() if spec is not player)
    if has_ros2_bag:
        words = command(player)
        assert words[:4] == ["ros2", "bag", "play", str(bag)]
        assert words[words.index("--rate") + 1] == "2"
        assert {"--clock", "--loop", "--delay"} <= set(words)
        assert words[words.index("--topics") + 1] == "/camera/image_raw"
    else:
        parameters = dict(player.parameters)
        assert (parameters["rate"], parameters["loop"]) == (2.0, True)
        assert parameters["topics"] == ["/camera/image_raw"]


def test_a_namespace_holds_for_all_but_the_bags_topics(bag):
    started = nodes(replay(), bag=str(bag), namespace="robot1")
    assert started["score"].namespace == started["fer_perception"].namespace == "robot1"
    assert dict(started["score"].remappings)["emotions"] == "fer_perception/emotions"


def recorded(spec):
    if isinstance(spec, CommandSpec):
        return {word.removeprefix("/robot1/") for word in spec.words if "/" in word}
    assert isinstance(spec, NodeSpec)
    return set(dict(spec.parameters)["topics"])


def test_images_are_recorded_only_when_asked_for(has_ros2_bag):
    default = recorded(nodes(record(), namespace="robot1")["recorder"])
    assert default == set(WITHOUT_IMAGES)
    asked = recorded(nodes(record(), namespace="robot1", images="true")["recorder"])
    assert asked - default == {
        "camera/image_raw",
        "camera/image_raw/compressed",
        "camera/camera_info",
    }


def test_a_recording_is_not_overwritten(tmp_path):
    with pytest.raises(ValueError, match="is there already"):
        nodes(record(), out=str(tmp_path))
