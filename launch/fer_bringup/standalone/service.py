# SPDX-License-Identifier: Apache-2.0
"""Start the processes of a launch file and handle their exits."""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import dataclass

from .launch import Action, LaunchContext, visit
from .launch.event_handlers import ProcessExited
from .processes import GRACE_S, NodeProcess, send, start, stop

_PERIOD_S = 0.05


@dataclass
class _Running:
    """One started process.

    :ivar is_over: whether its exit is handled.
    :ivar is_replaced: whether a replacement is started.
    """

    action: Action
    node: NodeProcess
    is_over: bool = False
    is_replaced: bool = False


@dataclass(frozen=True)
class _Timer:
    due_s: float
    actions: list[Action]
    cause: _Running


def run(context: LaunchContext, asked: list[int]) -> int:
    """Run the processes of a context until all have ended.

    :param asked: signals to forward; grows, by a signal handler, while this runs. After the
        first one no timer fires.
    :returns: 0 if all ended cleanly, 1 if one failed and was not replaced.
    :raises FileNotFoundError: an executable is not installed; nothing was started.
    """
    running = _start(context)
    timers: list[_Timer] = []
    forwarded = 0
    deadline_s = float("inf")
    while (timers or any(one.node.running for one in running)) and time.monotonic() < deadline_s:
        if context.is_shutdown and not asked:
            asked.append(signal.SIGINT)
        while forwarded < len(asked):
            send([one.node for one in running], asked[forwarded])
            forwarded += 1
            deadline_s = min(deadline_s, time.monotonic() + GRACE_S)
        context.is_shutdown |= bool(asked)
        for one in running:
            timers += _handle_exit(one, context)
        if context.is_shutdown:
            timers.clear()
        for timer in [timer for timer in timers if timer.due_s <= time.monotonic()]:
            timers.remove(timer)
            for action in timer.actions:
                visit(action, context)
            try:
                started = _start(context)
            except OSError as error:
                # For example during a rebuild of a package; the others keep running.
                print(f"process not restarted: {error}", file=sys.stderr, flush=True)
                continue
            timer.cause.is_replaced |= bool(started)
            running += started
        time.sleep(_PERIOD_S)
    stop([one.node for one in running], signal.SIGTERM)
    context.is_shutdown = True
    for one in running:
        _handle_exit(one, context)
    return 1 if any(one.node.failure and not one.is_replaced for one in running) else 0


def _start(context: LaunchContext) -> list[_Running]:
    """Start the requested processes, all or none."""
    started = context.take_started()
    nodes = start([spec for _, spec in started])
    return [_Running(action, node) for (action, _), node in zip(started, nodes, strict=True)]


def _handle_exit(one: _Running, context: LaunchContext) -> list[_Timer]:
    """Report a failed process and call its exit handlers once."""
    code = one.node.process.poll()
    if code is None or one.is_over:
        return []
    one.is_over = True
    spec = one.node.spec
    if one.node.failure:
        print(f"process failed: {one.node.failure}", file=sys.stderr, flush=True)
    words = [str(word) for word in one.node.process.args]  # type: ignore[union-attr]
    event = ProcessExited(one.action, spec.name, words, spec.cwd, dict(spec.environment), code)
    for handler in list(context.handlers):
        if handler.target_action is one.action:
            for action in handler.on_exit(event, context) or ():
                visit(action, context)
    timers = [
        _Timer(time.monotonic() + delay_s, actions, one) for delay_s, actions in context.timers
    ]
    context.timers.clear()
    return timers
