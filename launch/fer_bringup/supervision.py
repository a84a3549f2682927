# SPDX-License-Identifier: Apache-2.0
"""Keeps the processes of a graph running until it is to end."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fer_bringup.graph import NodeSpec, ProcessSpec
from fer_bringup.processes import GRACE_S, NodeProcess, send, start, stop
from fer_bringup.respawn import Respawn, is_failure

_PERIOD_S = 0.05


@dataclass
class _Place:
    """The place of one node in the graph, whichever process fills it.

    :ivar begun_s: when that process was started, by the monotonic clock.
    :ivar due_s: when the next one is to be; None for none.
    :ivar reported: whether the end of that process was told.
    """

    node: NodeProcess
    begun_s: float = field(default_factory=time.monotonic)
    due_s: float | None = None
    reported: bool = False
    respawn: Respawn = field(default_factory=Respawn)

    @property
    def can_be_started_again(self) -> bool:
        spec, code = self.node.spec, self.node.process.poll()
        return (
            isinstance(spec, NodeSpec) and spec.respawn and code is not None and is_failure(code)
        )


def supervise(specs: Iterable[ProcessSpec], variables: Mapping[str, str], asked: list[int]) -> int:
    """Start the processes, start those again that died, and return when all have ended.

    :param variables: environment variables besides those of this process.
    :param asked: signals to forward; grows, by a signal handler, while this runs. After the
        first one nothing is started again.
    :return: 0 if all ended cleanly, 1 if one failed and was not replaced.
    :raises FileNotFoundError: an executable is not installed; nothing was started.
    """
    places = [_Place(node) for node in start(specs, variables)]
    forwarded = 0
    deadline = float("inf")
    while _is_alive(places) and time.monotonic() < deadline:
        if not asked and any(_ends_graph(place) for place in places):
            asked.append(signal.SIGINT)
        while forwarded < len(asked):
            send([place.node for place in places], asked[forwarded])
            forwarded += 1
            deadline = min(deadline, time.monotonic() + GRACE_S)
        for place in places:
            _look_after(place, variables, is_ending=bool(asked))
        time.sleep(_PERIOD_S)
    stop([place.node for place in places], signal.SIGTERM)
    for place in places:
        _look_after(place, variables, is_ending=True)
    return 1 if any(place.node.failure for place in places) else 0


def _is_alive(places: Iterable[_Place]) -> bool:
    return any(place.node.running or place.due_s is not None for place in places)


def _ends_graph(place: _Place) -> bool:
    return place.node.spec.ends_graph and not place.node.running


def _look_after(place: _Place, variables: Mapping[str, str], is_ending: bool) -> None:
    """Tell of a process that failed, and start the next one when it is time."""
    now_s = time.monotonic()
    if is_ending:
        place.due_s = None
    if place.node.failure and not place.reported:
        place.reported = True
        text = f"node failed: {place.node.failure}"
        if place.can_be_started_again and not is_ending:
            delay_s = place.respawn.delay_after(now_s - place.begun_s)
            place.due_s = now_s + delay_s
            text += f"; starting it again in {delay_s:.1f} s"
        print(text, file=sys.stderr, flush=True)
    if place.due_s is not None and now_s >= place.due_s:
        [place.node] = start([place.node.spec], variables)
        place.begun_s, place.due_s, place.reported = now_s, None, False
