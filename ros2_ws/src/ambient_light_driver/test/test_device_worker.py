# SPDX-License-Identifier: Apache-2.0
import threading
import time
from collections import deque

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.device_worker import DevicePhase, DeviceWorker
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.backoff import FIRST_S, LONGEST_S, Backoff

PATIENCE_S = 30.0


def state(level):
    return LightState(LightColor(level, level, level), f"{level:.2f}")


class Lamp(LightDevice[DeviceConfig]):
    """A lamp whose cable can be pulled and whose answers can be held back."""

    config_type = DeviceConfig

    def __init__(self, **options):
        super().__init__("lamp", DeviceConfig(**options))
        self.plugged = True
        self.answers = threading.Event()
        self.answers.set()
        self.calls = deque()

    def open(self):
        self.calls.append("open")
        if not self.plugged:
            raise ConnectionError("no such lamp")

    def send(self, state):
        self.answers.wait()
        if not self.plugged:
            raise ConnectionError("cable pulled")
        self.calls.append(state)

    def close(self):
        self.calls.append("close")


def wait_until(condition):
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.005)


@pytest.fixture
def start():
    workers = []

    def start_worker(lamp):
        events = []
        worker = DeviceWorker(lamp, lambda name, status: events.append((name, status)))
        worker.start()
        workers.append((worker, lamp))
        return worker, events

    yield start_worker
    for worker, lamp in workers:
        lamp.answers.set()
        worker.request_stop(SWITCHED_OFF)
        assert worker.join(PATIENCE_S)


def test_a_lamp_is_opened_fed_darkened_and_closed(start):
    lamp = Lamp()
    worker, events = start(lamp)
    worker.post(state(0.5))
    wait_until(lambda: state(0.5) in lamp.calls)
    assert worker.status().phase is DevicePhase.CONNECTED
    worker.request_stop(SWITCHED_OFF)
    assert worker.join(PATIENCE_S)
    assert list(lamp.calls)[-2:] == [SWITCHED_OFF, "close"]
    assert worker.status().phase is DevicePhase.STOPPED
    assert events == []


def test_an_unchanged_color_is_sent_again_only_after_the_refresh_time(start):
    lamp = Lamp(refresh_s=3600.0)
    worker, _ = start(lamp)
    worker.post(state(0.5))
    wait_until(lambda: worker.status().sent == 1)
    for _ in range(20):
        worker.post(state(0.5))
    worker.post(state(0.6))
    wait_until(lambda: state(0.6) in lamp.calls)
    assert worker.status().sent == 2
    refreshed = Lamp(refresh_s=0.05)
    worker, _ = start(refreshed)
    worker.post(state(0.5))
    wait_until(lambda: worker.status().sent >= 3)


def test_a_hanging_lamp_never_blocks_post_and_gets_only_the_newest_color(start, monkeypatch):
    monkeypatch.setattr("ambient_light_driver.devices.device_worker.HANGING_S", 0.05)
    lamp = Lamp()
    worker, _ = start(lamp)
    lamp.answers.clear()
    worker.post(state(0.01))
    wait_until(lambda: worker.status().phase is DevicePhase.HANGING)
    assert "no answer" in worker.status().reason
    for level in range(100):
        worker.post(state(level / 100))  # would wait for ever if it blocked
    lamp.answers.set()
    wait_until(lambda: state(0.99) in lamp.calls)
    shown = [call for call in lamp.calls if isinstance(call, LightState)]
    assert shown == [state(0.01), state(0.99)]
    assert worker.status().superseded == 99


def test_a_loss_and_a_recovery_are_told_once_and_the_newest_color_is_shown(start):
    lamp = Lamp()
    worker, events = start(lamp)
    worker.post(state(0.1))
    wait_until(lambda: state(0.1) in lamp.calls)
    lamp.plugged = False
    worker.post(state(0.2))
    wait_until(lambda: worker.status().failures >= 3)
    assert [status.phase for _, status in events] == [DevicePhase.LOST]
    assert events[0][1].reason == "cable pulled"
    assert worker.status().reason == "no such lamp"
    worker.post(state(0.3))
    lamp.plugged = True
    wait_until(lambda: state(0.3) in lamp.calls)
    wait_until(lambda: len(events) == 2)
    assert events[1][1].phase is DevicePhase.CONNECTED
    assert worker.status().recoveries == 1
    assert state(0.2) not in lamp.calls


def test_only_a_loss_of_a_lamp_that_may_go_dark_counts_as_darkness(start):
    lamp = Lamp()
    lamp.plugged = False
    worker, _ = start(lamp)
    worker.post(state(0.1))
    wait_until(lambda: worker.status().failures >= 2)
    assert worker.status().outages == 0  # it was never asked to show a colour
    lamp.plugged = True
    wait_until(lambda: worker.status().phase is DevicePhase.CONNECTED)
    lamp.plugged = False
    worker.post(state(0.2))
    wait_until(lambda: worker.status().failures >= 4)
    assert worker.status().outages == 1


def test_colors_that_are_given_up_are_counted_and_become_rare(start, monkeypatch):
    """The lamp takes the connection, and may obey what it does not confirm."""
    monkeypatch.setattr("ambient_light_driver.devices.device_worker.GIVEN_UP_REST_S", 0.6)
    lamp = Lamp()
    given_up_s = []

    def give_up(shown):
        given_up_s.append(time.monotonic())
        raise TimeoutError("no answer")

    lamp.send = give_up
    worker, _ = start(lamp)
    worker.post(state(0.5))
    wait_until(lambda: len(given_up_s) >= 4)
    assert worker.status().outages >= 3
    assert given_up_s[2] - given_up_s[1] >= 0.6
    assert given_up_s[3] - given_up_s[2] >= 0.6


def test_a_connection_that_breaks_again_and_again_is_not_made_more_than_once_a_second(
    start, monkeypatch
):
    monkeypatch.setattr("ambient_light_driver.devices.device_worker.GIVEN_UP_REST_S", 0.0)
    lamp = Lamp(refresh_s=0.05)
    sent_s = []

    def break_at_once(shown):
        if sent_s and sent_s[-1] is not None:
            sent_s.append(None)
            raise ConnectionError("closed")
        sent_s.append(time.monotonic())

    lamp.send = break_at_once
    worker, _ = start(lamp)
    worker.post(state(0.5))
    wait_until(lambda: len(sent_s) >= 7)
    connected_s = [moment for moment in sent_s if moment is not None]
    # The first connection does not count as a recovery; later ones wait for their turn.
    assert all(b - a >= 1.0 for a, b in zip(connected_s[1:], connected_s[2:], strict=False))


def test_a_color_that_failed_is_sent_after_the_recovery(start):
    lamp = Lamp(refresh_s=3600.0)
    worker, _ = start(lamp)
    worker.post(state(0.1))
    wait_until(lambda: state(0.1) in lamp.calls)
    lamp.plugged = False
    worker.post(state(0.2))
    wait_until(lambda: worker.status().phase is DevicePhase.LOST)
    lamp.plugged = True
    wait_until(lambda: state(0.2) in lamp.calls)


def test_one_error_at_the_very_end_does_not_leave_the_lamp_on(start):
    lamp = Lamp(refresh_s=3600.0)
    worker, _ = start(lamp)
    worker.post(state(0.5))
    wait_until(lambda: worker.status().sent == 1)
    send = lamp.send

    def fail_once(last):
        lamp.send = send
        raise ConnectionError("the other side has closed the connection")

    lamp.send = fail_once
    worker.request_stop(SWITCHED_OFF)
    assert worker.join(PATIENCE_S)
    assert list(lamp.calls)[-4:] == ["close", "open", SWITCHED_OFF, "close"]


def test_a_lamp_that_is_back_but_not_reached_yet_gets_the_last_state(start):
    lamp = Lamp()
    worker, _ = start(lamp)
    worker.post(state(0.5))
    wait_until(lambda: worker.status().sent == 1)
    lamp.plugged = False
    wait_until(lambda: worker.status().failures >= 4)  # it waits for long between attempts now
    lamp.plugged = True
    worker.request_stop(SWITCHED_OFF)
    assert worker.join(PATIENCE_S)
    assert list(lamp.calls)[-2:] == [SWITCHED_OFF, "close"]


def test_every_open_is_followed_by_a_close(start):
    lamp = Lamp()
    lamp.plugged = False
    worker, _ = start(lamp)
    wait_until(lambda: worker.status().failures >= 3)
    worker.request_stop(SWITCHED_OFF)
    assert worker.join(PATIENCE_S)
    assert list(lamp.calls)[:4] == ["open", "close"] * 2
    assert lamp.calls.count("open") == lamp.calls.count("close")


def test_backoff_grows_to_its_bound_with_jitter_and_starts_anew():
    longest = Backoff(lambda low, high: high)
    times_s = [longest.next_s() for _ in range(8)]
    assert times_s[:3] == pytest.approx([FIRST_S, 2 * FIRST_S, 4 * FIRST_S])
    assert times_s[-1] == LONGEST_S < 1.0
    longest.reset()
    assert longest.next_s() == FIRST_S
    assert Backoff(lambda low, high: low).next_s() == FIRST_S / 2
