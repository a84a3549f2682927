# SPDX-License-Identifier: Apache-2.0
"""Parameters as used by ``ros2 param``; incompatible QoS."""

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

NODES = {
    "fer_perception": ("fer_perception", "emotion_node"),
    "ambient_light": ("ambient_light_driver", "light_node"),
    "camera": ("fer_perception", "camera_node"),
}


@pytest.fixture
def parameters_of(peer):
    """``parameters_of(name)`` returns name -> value, as ``ros2 param dump`` asks for them."""

    def ask(node):
        names = peer.call(
            peer.node.create_client(ListParameters, f"/{node}/list_parameters"),
            ListParameters.Request(),
        ).result.names
        values = peer.call(
            peer.node.create_client(GetParameters, f"/{node}/get_parameters"),
            GetParameters.Request(names=names),
        ).values
        return {
            name: parameter_value_to_python(value)
            for name, value in zip(names, values, strict=True)
            if value.type != ParameterType.PARAMETER_NOT_SET
        }

    return ask


@pytest.mark.parametrize("name", NODES)
def test_what_was_dumped_can_be_loaded(name, start_node, peer, parameters_of, tmp_path):
    package, executable = NODES[name]
    changed = {
        "fer_perception": {"min_face_px": 55.0, "autostart": False},
        "ambient_light": {"brightness": 0.25, "devices": ["terminal"], "autostart": False},
        "camera": {"source": "portrait", "rate_hz": 7.0},
    }[name]
    first = start_node(package, executable, name, parameters=changed)
    dumped = parameters_of(name)
    assert first.stop() == 0
    assert changed.items() <= dumped.items()
    path = tmp_path / "dump.yaml"
    path.write_text(yaml.safe_dump({f"/{name}": {"ros__parameters": dumped}}))
    second = start_node(package, executable, name, params_files=(path,))
    assert parameters_of(name) == dumped
    assert "[ERROR]" not in second.output


@pytest.mark.parametrize("name", NODES)
def test_every_parameter_of_ours_is_described(name, start_node, peer, parameters_of):
    package, executable = NODES[name]
    start_node(package, executable, name)
    # These are declared by rclpy itself.
    values = {
        n: value
        for n, value in parameters_of(name).items()
        if not n.startswith("qos_overrides.")
        and n not in ("use_sim_time", "start_type_description_service")
    }
    names = list(values)
    descriptors = peer.call(
        peer.node.create_client(DescribeParameters, f"/{name}/describe_parameters"),
        DescribeParameters.Request(names=names),
    ).descriptors
    assert len(descriptors) == len(names) > 0
    for descriptor in descriptors:
        assert descriptor.description, descriptor.name
        if descriptor.type == ParameterType.PARAMETER_DOUBLE:
            assert descriptor.floating_point_range, descriptor.name
        if descriptor.type == ParameterType.PARAMETER_INTEGER:
            assert descriptor.integer_range, descriptor.name
        if descriptor.type == ParameterType.PARAMETER_STRING:
            # 'ros2 param set' and 'load' read a value as YAML, to which 'off' is not a string.
            words = descriptor.additional_constraints.removeprefix("one of: ").split(", ")
            for word in filter(None, [*words, values[descriptor.name]]):
                assert yaml.safe_load(word) == word, descriptor.name


def test_a_camera_whose_qos_does_not_match_is_reported(start_node, peer):
    node = start_node(
        "fer_perception",
        "emotion_node",
        "fer_perception",
        parameters={"qos_overrides./image.subscription.reliability": "reliable"},
    )
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    heard = peer.collect(DiagnosticArray, "/diagnostics")
    peer.node.create_publisher(Image, "/image", best_effort)
    peer.wait_until(
        lambda: (
            "a publisher on /image offers incompatible QoS (RELIABILITY)" in node.output
            and "qos_overrides./image.subscription.reliability" in node.output
        ),
        "the node's words on QoS",
        nodes=(node.node,),
    )

    def is_reported() -> bool:
        return any(
            status.level == DiagnosticStatus.ERROR and "(RELIABILITY)" in status.message
            for array in heard
            for status in array.status
        )

    peer.wait_until(is_reported, "the same in the diagnostics", nodes=(node.node,))


def test_a_source_typed_as_a_number_is_that_camera_and_nothing_else(start_node, peer):
    node = start_node("fer_perception", "camera_node", "camera", parameters={"source": 63})
    frames = peer.collect(Image, "/camera/image_raw", QoSProfile(depth=1))
    peer.wait_until(lambda: "[ERROR]" in node.output, "an error", nodes=(node.node,))
    assert "63" in node.output and "type" not in node.output
    peer.spin(2.0)
    assert not frames


def test_a_misspelt_option_of_a_lamp_is_named_when_the_lamp_is_added(start_node, peer):
    light = start_node(
        "ambient_light_driver", "light_node", "light", parameters={"device.wled.hots": "127.0.0.1"}
    )
    setter = peer.node.create_client(SetParameters, "/light/set_parameters")
    change = Parameter("devices", value=["terminal", "wled"]).to_parameter_msg()
    assert "device.wled.hots" not in light.output
    assert peer.call(setter, SetParameters.Request(parameters=[change])).results[0].successful
    warning = "ignored the unknown parameter 'device.wled.hots' (did you mean 'device.wled.host'?)"
    peer.wait_until(lambda: warning in light.output, "the warning", nodes=(light.node,))


@pytest.mark.parametrize(
    ("package", "executable", "wrong", "words"),
    [
        ("fer_perception", "camera_node", {"rate_hz": "fast"}, "expected a number, got 'fast'"),
        ("fer_perception", "camera_node", {"width": -1}, "expected a value in [0, 16384], got -1"),
        ("fer_evaluation", "bag_player_node", {"rate": 0.0}, "expected a value in [0.01, 100]"),
        ("fer_evaluation", "bag_recorder_node", {"storage": "tape"}, "expected one of "),
    ],
)
def test_a_node_with_a_wrong_start_value_ends_with_one_line_and_code_2(
    start_node, peer, package, executable, wrong, words
):
    node = start_node(package, executable, "tested", parameters=wrong)
    peer.wait_until(lambda: not node.node.running, "the end of the node")
    assert node.node.process.returncode == 2
    [line] = [line for line in node.output.splitlines() if line.strip()]
    [name] = wrong
    assert line.startswith(f"cannot start: {name}: ") and words in line
