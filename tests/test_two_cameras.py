# SPDX-License-Identifier: Apache-2.0
"""Two cameras run side by side and do not mix their faces."""

from fer_msgs.msg import EmotionArray

from fer_bringup.standalone.launch_file import processes


def test_both_cameras_are_answered_in_their_namespaces(start_specs, peer, tmp_path):
    (tmp_path / "empty").mkdir()
    # The right folder is empty: its perception must not see the left camera's face.
    given = {"left_source": "portrait", "right_source": str(tmp_path / "empty")}
    topics = [f"/{side}/fer_perception/emotions" for side in ("left", "right")]
    left, right = (peer.collect(EmotionArray, topic) for topic in topics)
    started = start_specs(processes("two_cameras", aggregator="false", **given))
    peer.wait_until(
        lambda: sum(bool(message.faces) for message in left) >= 5,
        "faces of the left camera",
        nodes=tuple(node.node for node in started[:2]),
    )
    assert right == []
