# SPDX-License-Identifier: Apache-2.0
"""Several cameras run side by side and do not mix their faces."""

import pytest
from fer_msgs.msg import EmotionArray

from fer_bringup.standalone.launch_file import processes


@pytest.mark.parametrize("one_process", ["false", "true"])
def test_cameras_are_answered_in_their_namespaces(start_specs, peer, tmp_path, one_process):
    (tmp_path / "empty").mkdir()
    # The right folder is empty: its perception must not see the left camera's face.
    config = tmp_path / "cameras.yaml"
    config.write_text(
        f"cameras:\n  left: {{source: portrait}}\n  right: {{source: {tmp_path / 'empty'}}}\n"
        f"one_process: {one_process}\n"
    )
    topics = [f"/{side}/fer_perception/emotions" for side in ("left", "right")]
    left, right = (peer.collect(EmotionArray, topic) for topic in topics)
    started = start_specs(processes("cameras", aggregator="false", config=str(config)))
    peer.wait_until(
        lambda: sum(bool(message.faces) for message in left) >= 5,
        "faces of the left camera",
        nodes=tuple(node.node for node in started[:2]),
    )
    assert right == []
