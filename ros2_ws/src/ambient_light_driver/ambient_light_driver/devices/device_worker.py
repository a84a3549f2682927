# SPDX-License-Identifier: Apache-2.0
"""Drive one device in its own thread, without blocking the node."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ambient_light_driver.devices.light_device import LightDevice
from ambient_light_driver.devices.reached_lamps import REACHED
from ambient_light_driver.light_state import LightState
from fer_common.backoff import Backoff

HANGING_S = 2.0
"""Time after which a call into a device counts as hanging [s]."""

RECOVERY_PERIOD_S = 1.0
"""Minimum time between two connections [s], as a lamp may flash with each."""


GIVEN_UP_REST_S = 4.0
"""Rest of a lamp that is lost again soon [s].

Each time it may go dark or obey a command late, and takes a flash from the others."""

SOON_S = 6.0
"""Time after a loss in which another one is soon [s]."""

LAST_TURN_S = 1.0
"""Maximum wait of the final state for a shared connection [s]."""


class DevicePhase(Enum):
    """Connection state of a device."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"
    HANGING = "hanging"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """Status of one device.

    :param phase: its connection state.
    :param reason: why it is lost, or a remark; may be empty.
    :param sent: colours sent.
    :param superseded: colours dropped for a newer one before they were sent.
    :param failures: failed attempts to connect or to send.
    :param recoveries: how often the lamp was reconnected.
    :param outages: how often a colour was given up: the lamp may be dark or obey it later.
    """

    phase: DevicePhase = DevicePhase.CONNECTING
    reason: str = ""
    sent: int = 0
    superseded: int = 0
    failures: int = 0
    recoveries: int = 0
    outages: int = 0


OnChange = Callable[[str, DeviceStatus], None]
"""Called from the device's thread with its name when the lamp is lost or reconnected."""


class DeviceWorker:
    """Open a device, send the newest colour and reconnect, in one thread.

    At most one colour is in flight: when :meth:`LightDevice.send` returns, the newest one follows.
    A failed colour is sent again only while it is the newest. Thus a lamp shows a subsequence of
    the posted colours.

    :param device: the device, used by this worker only.
    :param on_change: called once for each loss and each recovery.
    """

    def __init__(self, device: LightDevice[Any], on_change: OnChange) -> None:
        self._device = device
        self._on_change = on_change
        self._changed = threading.Condition()
        self._mail: LightState | None = None
        self._stopping = False
        self._status = DeviceStatus()
        self._backoff = Backoff()
        self._busy_since_s: float | None = None
        self._delay_s = 0.0
        self._recovered_s = -math.inf
        self._given_up_s = -math.inf
        self._is_given_up_again = False
        self._thread = threading.Thread(target=self._run, name=f"lamp {device.name}", daemon=True)

    @property
    def name(self) -> str:
        """The device's name."""
        return self._device.name

    def start(self, delay_s: float = 0.0) -> None:
        """Start connecting after ``delay_s`` seconds; do not wait."""
        self._delay_s = delay_s
        self._thread.start()

    def post(self, state: LightState) -> None:
        """Post the newest state, replacing an unsent one; never block."""
        with self._changed:
            if self._mail not in (None, state):
                self._status = replace(self._status, superseded=self._status.superseded + 1)
            self._mail = state
            self._changed.notify()

    def status(self) -> DeviceStatus:
        """Return the status of the device."""
        with self._changed:
            busy_since_s, status = self._busy_since_s, self._status
        if busy_since_s is not None and time.monotonic() - busy_since_s > HANGING_S:
            seconds = time.monotonic() - busy_since_s
            reason = f"no answer for {seconds:.0f} s"
            return replace(status, phase=DevicePhase.HANGING, reason=reason)
        if status.phase is DevicePhase.CONNECTED:
            return replace(status, reason=self._device.remark)
        return status

    def request_stop(self, last: LightState) -> None:
        """Request to send ``last``, close the device and stop; do not wait."""
        with self._changed:
            self._mail = last
            self._stopping = True
            self._changed.notify()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread to end.

        :returns: False when the device still hangs after ``timeout_s``.
        """
        self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def _run(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, self._delay_s)
        while not self._is_stopping():
            self._connect_and_send()
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, self._rest_s())
                last_is_unsent = self._stopping and self._mail is not None
            if last_is_unsent:  # retry once, so that a single error does not leave the lamp on
                self._connect_and_send()
        with self._changed:
            self._status = replace(self._status, phase=DevicePhase.STOPPED, reason="")

    def _rest_s(self) -> float:
        """Return the time until the next attempt to connect."""
        since_recovery_s = time.monotonic() - self._recovered_s
        rest_s = GIVEN_UP_REST_S if self._is_given_up_again else 0.0
        return max(self._backoff.next_s(), RECOVERY_PERIOD_S - since_recovery_s, rest_s)

    def _connect_and_send(self) -> None:
        """Drive the device until it fails or the last state is sent."""
        try:
            self._call(self._device.open)
            REACHED.take(self._device, self.name, self._device.reached())
            self._send_until_stopped()
        except Exception as error:  # a failing device must not stop the node
            self._note_loss(str(error) or type(error).__name__)
        finally:
            self._close()

    def _is_stopping(self) -> bool:
        with self._changed:
            return self._stopping

    def _send_until_stopped(self) -> None:
        last: LightState | None = None
        sent_s = -math.inf
        while True:
            self._wait_for_news(last, sent_s)
            self._wait_for_turn()
            state, stopping = self._take(last)
            sent_s = time.monotonic()
            try:
                self._call(self._device.send, state)
            except Exception:
                self._give_up(state)
                raise
            self._note_sent()
            if stopping:
                return
            last = state

    def _wait_for_news(self, last: LightState | None, sent_s: float) -> None:
        """Wait for a state to send: new, repeated or final."""
        config = self._device.config
        with self._changed:
            self._wait_until(sent_s + 1.0 / config.max_rate_hz, lambda: self._stopping)
            self._wait_until(
                math.inf if last is None else sent_s + config.refresh_s,
                lambda: self._stopping or self._mail not in (None, last),
            )

    def _wait_for_turn(self) -> None:
        """Wait until the device may send, limited for the final state."""
        end_s = math.inf
        while (wait_s := self._device.take_turn()) > 0.0:
            now_s = time.monotonic()
            if self._is_stopping():
                end_s = min(end_s, now_s + LAST_TURN_S)
                if now_s >= end_s:
                    return
                time.sleep(min(wait_s, end_s - now_s))
            else:
                with self._changed:
                    self._wait_until(now_s + wait_s, lambda: self._stopping)

    def _take(self, last: LightState | None) -> tuple[LightState, bool]:
        """Return the newest state, and whether it is the final one."""
        with self._changed:
            state = self._mail or last
            self._mail = None
            assert state is not None  # without a last state, only a posted one ends the wait
            return state, self._stopping

    def _wait_until(self, end_s: float, condition: Callable[[], bool]) -> None:
        timeout_s = max(0.0, end_s - time.monotonic())
        self._changed.wait_for(condition, None if math.isinf(timeout_s) else timeout_s)

    def _give_up(self, state: LightState) -> None:
        """Keep and count ``state``, since the lamp may still obey it."""
        now_s = time.monotonic()
        self._is_given_up_again = now_s - self._given_up_s < SOON_S
        self._given_up_s = now_s
        with self._changed:
            self._mail = self._mail or state
            was = self._status
            self._status = replace(was, outages=was.outages + 1)

    def _call(self, function: Callable[..., None], *arguments: LightState) -> None:
        with self._changed:
            self._busy_since_s = time.monotonic()
        try:
            function(*arguments)
        finally:
            with self._changed:
                self._busy_since_s = None

    def _close(self) -> None:
        try:
            self._call(self._device.close)
        except Exception as error:
            self._note_loss(f"closing failed: {error}")
        finally:
            REACHED.release(self._device)

    def _note_sent(self) -> None:
        self._backoff.reset()
        with self._changed:
            was = self._status
            lost = was.phase is DevicePhase.LOST
            self._status = replace(
                was,
                phase=DevicePhase.CONNECTED,
                reason="",
                sent=was.sent + 1,
                recoveries=was.recoveries + lost,
            )
            status = self._status
        if lost:
            self._recovered_s = time.monotonic()
            self._on_change(self.name, status)

    def _note_loss(self, reason: str) -> None:
        with self._changed:
            was = self._status
            first = was.phase is not DevicePhase.LOST
            self._status = replace(
                was,
                phase=DevicePhase.LOST,
                reason=reason,
                failures=was.failures + 1,
            )
            status = self._status
        if first:
            self._on_change(self.name, status)
