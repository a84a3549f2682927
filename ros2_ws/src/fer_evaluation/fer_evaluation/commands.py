# SPDX-License-Identifier: Apache-2.0
"""Entry points of the commands."""

from __future__ import annotations

from functools import partial

from fer_common.command import run

bag_player_node = partial(run, "fer_evaluation.nodes.bag_player_node")
bag_recorder_node = partial(run, "fer_evaluation.nodes.bag_recorder_node")
compare = partial(run, "fer_evaluation.compare")
evaluate_bag = partial(run, "fer_evaluation.evaluate_bag")
make_bag = partial(run, "fer_evaluation.make_bag")
score_node = partial(run, "fer_evaluation.nodes.score_node")
