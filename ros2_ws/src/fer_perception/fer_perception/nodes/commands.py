# SPDX-License-Identifier: Apache-2.0
"""Entry points of the nodes."""

from __future__ import annotations

from functools import partial

from fer_common.command import run

camera_node = partial(run, "fer_perception.nodes.camera_node")
emotion_node = partial(run, "fer_perception.nodes.emotion_node")
emotion_nodes = partial(run, "fer_perception.nodes.emotion_nodes")
