# SPDX-License-Identifier: Apache-2.0
"""Entry points of the node."""

from __future__ import annotations

from functools import partial

from fer_common.command import run

light_node = partial(run, "ambient_light_driver.nodes.light_node")
