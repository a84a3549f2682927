# SPDX-License-Identifier: Apache-2.0
"""Entry points of the nodes."""

from __future__ import annotations

from functools import partial

from fer_common.command import run

hri_expression_node = partial(run, "fer_bridges.nodes.hri_expression_node")
ros4hri_node = partial(run, "fer_bridges.nodes.ros4hri_node")
vision_msgs_node = partial(run, "fer_bridges.nodes.vision_msgs_node")
