# SPDX-License-Identifier: Apache-2.0
import pytest

from fer_bringup.standalone.launch_file import processes
from launched import parameters_of


def specs(**given):
    return processes("two_cameras", aggregator="false", **given)


def test_each_camera_has_a_perception_in_its_own_namespace():
    assert [(spec.namespace, spec.name) for spec in specs()] == [
        ("/left", "camera"),
        ("/left", "fer_perception"),
        ("/right", "camera"),
        ("/right", "fer_perception"),
    ]
    for spec in specs():
        assert all(not topic.startswith("/") for _, topic in spec.remappings)


def test_each_camera_shows_its_own_source_and_shares_the_rest():
    started = specs(left="front", left_source="portrait", right_source="2", log_level="warn")
    left, left_perception, right, _ = started
    assert left.namespace == left_perception.namespace == "/front"
    assert parameters_of(left)["source"] == "portrait"
    assert parameters_of(right)["source"] == "2"
    assert all(spec.ros_arguments[:2] == ("--log-level", "warn") for spec in started)


def test_drivers_of_others_are_subscribed_to_in_the_namespaces():
    perceptions = specs(camera="false", image_topic="image_raw")
    assert [spec.executable for spec in perceptions] == ["emotion_node"] * 2
    assert dict(perceptions[1].remappings)["image"] == "image_raw"


def test_one_aggregator_serves_both():
    assert [s.namespace for s in processes("two_cameras", aggregator="true")].count("/left") == 3
    assert len(processes("two_cameras", aggregator="true")) == 5


@pytest.mark.parametrize("argument", ["light", "device", "dashboard", "source"])
def test_what_cannot_be_shared_out_is_no_argument(argument):
    with pytest.raises(ValueError, match=f"no argument {argument!r}"):
        specs(**{argument: "true"})
