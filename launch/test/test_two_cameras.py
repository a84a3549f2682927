# SPDX-License-Identifier: Apache-2.0
from fer_bringup.two_cameras_graph import two_cameras


def specs(**given):
    graph = two_cameras()
    return graph.nodes(graph.values(given))


def test_each_camera_has_a_perception_in_its_own_namespace():
    names = [(spec.namespace, spec.name) for spec in specs()]
    assert names == [
        ("left", "camera"),
        ("left", "fer_perception"),
        ("right", "camera"),
        ("right", "fer_perception"),
    ]
    for spec in specs():
        assert all(not topic.startswith("/") for _, topic in spec.remappings)


def test_each_camera_shows_its_own_source_and_shares_the_rest():
    left, left_perception, right, right_perception = specs(
        left="front", left_source="portrait", right_source="2", log_level="warn"
    )
    assert left.namespace == left_perception.namespace == "front"
    assert dict(left.parameters)["source"] == "portrait"
    assert dict(right.parameters)["source"] == "2"
    assert {spec.log_level for spec in (left, right, right_perception)} == {"warn"}


def test_drivers_of_others_are_listened_to_in_the_namespaces():
    perceptions = specs(camera="false", image_topic="image_raw")
    assert [spec.executable for spec in perceptions] == ["emotion_node"] * 2
    assert dict(perceptions[1].remappings)["image"] == "image_raw"
