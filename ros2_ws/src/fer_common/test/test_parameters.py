# SPDX-License-Identifier: Apache-2.0
"""Options as the parameters of a real node: start values and changes at run time."""

from dataclasses import dataclass

import pytest

from fer_common.options import ConfigError, option

rclpy = pytest.importorskip(
    "rclpy", reason="no rclpy here: options were not declared as parameters"
)

from rcl_interfaces.msg import ParameterType  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

from fer_common.nodes.parameters import (  # noqa: E402
    config_from_parameters,
    declare_options,
    option_value,
)


@dataclass(frozen=True)
class Settings:
    source: str = option("", "Source.")
    rate_hz: float = option(30.0, "Rate.", minimum=0.0, maximum=1000.0)
    width: int = option(640, "Width.", minimum=1, maximum=4096, read_only=True)
    kind: str = option("a", "Kind.", choices=("a", "b"))
    lamps: tuple[str, ...] = option(("hue",), "Lamps.")


@pytest.fixture
def make_node():
    context = rclpy.Context()
    rclpy.init(context=context, args=[])
    nodes = []

    def make(*parameters):
        words = [word for parameter in parameters for word in ("-p", parameter)]
        nodes.append(
            rclpy.create_node("tested", context=context, cli_args=["--ros-args", *words])
            if words
            else rclpy.create_node("tested", context=context)
        )
        declare_options(nodes[-1], Settings)
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


def test_start_values_are_taken_as_typed_on_a_command_line(make_node):
    node = make_node("source:=0", "rate_hz:=15", "width:='800'", "lamps:=wled")
    assert config_from_parameters(node, Settings) == Settings(
        source="0", rate_hz=15.0, width=800, lamps=("wled",)
    )
    # What the graph sees has the declared types.
    types = {d.name: d.type for d in node.describe_parameters(["source", "rate_hz", "lamps"])}
    assert types == {
        "source": ParameterType.PARAMETER_STRING,
        "rate_hz": ParameterType.PARAMETER_DOUBLE,
        "lamps": ParameterType.PARAMETER_STRING_ARRAY,
    }


def test_a_list_is_read_from_the_start_with_an_empty_name_for_none(make_node):
    assert option_value(make_node("lamps:=['a', '', '7']"), "lamps") == ("a", "7")
    assert option_value(make_node("lamps:=['']"), "lamps") == ()
    assert option_value(make_node("lamps:=[1, 2]"), "lamps") == ("1", "2")


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("rate_hz:=fast", "tested|rate_hz: expected a number, got 'fast'"),
        ("rate_hz:=5000", "rate_hz: expected a value in [0, 1000], got 5000"),
        ("width:=0", "width: expected a value in [1, 4096], got 0"),
        ("kind:=c", "kind: expected one of a, b, got 'c'"),
        ("source:=off", "source: expected a string, got False: write it in quotes"),
        ("lamps:=[true]", "lamps: expected a list of strings"),
    ],
)
def test_a_wrong_start_value_is_an_error_and_never_the_default(make_node, typed, text):
    node = make_node(typed)
    with pytest.raises(ConfigError) as caught:
        config_from_parameters(node, Settings)
    assert text.split("|")[-1] in str(caught.value)


def test_a_wrong_start_value_can_be_set_right(make_node):
    node = make_node("rate_hz:=fast")
    assert node.set_parameters([Parameter("rate_hz", value=20)])[0].successful
    assert config_from_parameters(node, Settings).rate_hz == 20.0


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("source", 1, "1"),
        ("rate_hz", 15, 15.0),
        ("rate_hz", "15.5", 15.5),
        ("lamps", "wled", ["wled"]),
        ("lamps", [1, 2], ["1", "2"]),
    ],
)
def test_a_change_is_taken_as_typed(make_node, name, value, taken):
    node = make_node()
    [result] = node.set_parameters([Parameter(name, value=value)])
    assert result.successful, result.reason
    assert node.get_parameter(name).value == taken


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate_hz", "fast"),
        ("rate_hz", 1001),
        ("rate_hz", float("nan")),
        ("width", 800),
        ("kind", "c"),
        ("lamps", [True]),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(make_node, name, value):
    node = make_node()
    before = config_from_parameters(node, Settings)
    [result] = node.set_parameters([Parameter(name, value=value)])
    assert not result.successful and result.reason
    assert config_from_parameters(node, Settings) == before


def test_a_parameter_cannot_be_deleted(make_node):
    node = make_node()
    [result] = node.set_parameters([Parameter("source", Parameter.Type.NOT_SET)])
    assert not result.successful
    assert option_value(node, "source") == ""


def test_several_groups_of_options_are_converted_independently(make_node):
    node = make_node("second.rate_hz:=7")
    declare_options(node, Settings, "second.", changeable={"kind"})
    assert config_from_parameters(node, Settings, "second.") == Settings(rate_hz=7.0)
    changes = [Parameter("rate_hz", value=3), Parameter("second.kind", value="b")]
    assert node.set_parameters_atomically(changes).successful
    assert config_from_parameters(node, Settings, "second.").kind == "b"
    assert config_from_parameters(node, Settings).rate_hz == 3.0
    assert not node.set_parameters([Parameter("second.rate_hz", value=8.0)])[0].successful
