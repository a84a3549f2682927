# SPDX-License-Identifier: Apache-2.0
"""Camera, perception and light together, on a real clip."""

import pytest
from fer_msgs.msg import EmotionArray
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import ColorRGBA

from ambient_light_driver.color.palette import load_palette
from fer_bringup.standalone.launch_file import processes

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def test_when_the_face_leaves_the_arrays_are_empty_and_the_lamp_fades_to_idle(
    start_node, start_specs, peer, media
):
    emotions = peer.collect(EmotionArray, "/fer_perception/emotions")
    colors = peer.collect(ColorRGBA, "/ambient_light/color", LATCHED)
    perception, light = processes("fer_light", camera="false", aggregator="false")
    started = start_specs((light, perception))
    peer.wait_until(lambda: "waiting for images" in started[1].output, "the perception node")
    start_node(
        "fer_perception",
        "camera_node",
        "camera",
        parameters={"source": str(media / "face_then_no_face.mov")},
    )
    palette = load_palette("default")

    def shows(light_color) -> bool:
        last = colors[-1]
        return pytest.approx(light_color.displayed_rgb(), abs=0.02) == (last.r, last.g, last.b)

    peer.wait_until(lambda: any(m.faces for m in emotions), "a face")
    peer.wait_until(lambda: colors and not shows(palette.idle), "a light that answers")
    # The clip runs in a loop until all nodes have found each other, and then once to its end.
    client = peer.node.create_client(SetParameters, "/camera/set_parameters")
    once = Parameter("loop", value=False).to_parameter_msg()
    assert peer.call(client, SetParameters.Request(parameters=[once])).results[0].successful
    peer.wait_until(
        lambda: len(emotions) > 20 and not any(m.faces for m in emotions[-20:]), "empty arrays"
    )
    peer.wait_until(lambda: shows(palette.idle), "the idle light")
