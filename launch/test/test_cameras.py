# SPDX-License-Identifier: Apache-2.0

import pytest

from fer_bringup.standalone.launch_file import processes
from launched import parameters_of

THREE = """
cameras:
  front: {source: portrait, model: vgg_stn}
  back: {source: 2}
  arm/wrist: {camera: false, image_topic: image_raw}
"""


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / "cameras.yaml"
        path.write_text(text)
        return str(path)

    return write


def specs(**given):
    return processes("cameras", **{"aggregator": "false", **given})


def test_without_a_file_there_are_two_cameras_each_in_its_own_namespace():
    assert [(spec.namespace, spec.name) for spec in specs()] == [
        ("/left", "camera"),
        ("/left", "fer_perception"),
        ("/right", "camera"),
        ("/right", "fer_perception"),
    ]
    for spec in specs():
        assert all(not topic.startswith("/") for _, topic in spec.remappings)


def test_each_camera_has_its_own_arguments_and_shares_the_rest(config):
    started = specs(
        config=config(THREE), namespace="robot1", log_level="warn", model="baseline_cnn"
    )
    assert [(spec.namespace, spec.executable) for spec in started] == [
        ("/robot1/front", "camera_node"),
        ("/robot1/front", "emotion_node"),
        ("/robot1/back", "camera_node"),
        ("/robot1/back", "emotion_node"),
        ("/robot1/arm/wrist", "emotion_node"),
    ]
    front, front_perception, back, back_perception, wrist = started
    assert parameters_of(front)["source"] == "portrait"
    assert parameters_of(back)["source"] == "2"
    assert parameters_of(front_perception)["model"] == "vgg_stn"
    assert parameters_of(back_perception)["model"] == "baseline_cnn"
    assert dict(wrist.remappings)["image"] == "image_raw"
    assert dict(back_perception.remappings)["image"] == "camera/image_raw"
    assert all(spec.ros_arguments[:2] == ("--log-level", "warn") for spec in started)


def test_one_process_runs_the_perception_of_all(config):
    text = "cameras: {a: {source: portrait}, b: {}}\none_process: true\n"
    *cameras, perception = specs(config=config(text), namespace="robot1", model="baseline_cnn")
    assert [(spec.namespace, spec.executable) for spec in cameras] == [
        ("/robot1/a", "camera_node"),
        ("/robot1/b", "camera_node"),
    ]
    assert perception.executable == "emotion_nodes"
    assert perception.arguments == ("robot1/a", "robot1/b")
    assert parameters_of(perception)["model"] == "baseline_cnn"
    assert parameters_of(perception)["autostart"] is True
    assert dict(perception.remappings)["image"] == "camera/image_raw"
    profiles = [name for name in perception.environment if name.endswith("PROFILES_FILE")]
    assert profiles
    assert {perception.environment[name] for name in profiles} == {
        cameras[0].environment[name] for name in profiles
    }


def test_one_aggregator_serves_all(config):
    started = specs(config=config(THREE), aggregator="true")
    assert [spec.name for spec in started].count("analyzers") == 1


@pytest.mark.parametrize("argument", ["light", "device", "dashboard", "perception", "left"])
def test_what_cannot_be_shared_out_is_no_argument(argument):
    with pytest.raises(ValueError, match=f"no argument {argument!r}"):
        specs(**{argument: "true"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("left: {}", "expected a mapping 'cameras'"),
        ("cameras: {}", "cameras is empty"),
        ("cameras: {1st: {}}", "camera '1st' is not a namespace"),
        ("cameras: {a: {sauce: x}}", "camera a: unknown key 'sauce': known are camera, image"),
        ("cameras: {a: {source: [1]}}", r"camera a: source is \[1\]: expected text"),
        ("cameras: {a: }\nodd: 1", "unknown key 'odd'"),
        ("cameras: {a: , b: {model: m}}\none_process: true", "model differs between cameras"),
        ("cameras: {a: {camera: maybe}}", "argument 'camera' is 'maybe'"),
        ("cameras: [", "while parsing"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_the_place(config, text, message):
    with pytest.raises(ValueError, match=message):
        specs(config=config(text))


def test_a_missing_file_is_named():
    with pytest.raises(ValueError, match="config is '/nowhere.yaml': No such file"):
        specs(config="/nowhere.yaml")


def test_one_process_has_no_manager(config):
    text = config("cameras: {a: , b: }\none_process: true")
    with pytest.raises(ValueError, match="allows neither autostart:=managed"):
        specs(config=text, autostart="managed")
