# SPDX-License-Identifier: Apache-2.0
"""Entry points of the nodes."""

from __future__ import annotations

from functools import partial

from fer_common.command import run

actor = partial(run, "fer_client.nodes.actor_node", "actor")
expression_server = partial(run, "fer_client.nodes.expression_server")
