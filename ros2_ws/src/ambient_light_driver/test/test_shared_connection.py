# SPDX-License-Identifier: Apache-2.0
"""Devices with a shared connection to their lamps, and their remarks."""

import threading
import time
from collections import deque

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.device_worker import DeviceWorker
from ambient_light_driver.devices.hue_bridge import (
    COMMAND_GAP_S,
    BridgeAddress,
    Resource,
    shared_pace,
)
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.light_state import SWITCHED_OFF, LightState

LAMP, ROOM = Resource("light", "1"), Resource("grouped_light", "2")


def state(level):
    return LightState(LightColor(level, level, level), f"{level:.2f}")


class Shared(LightDevice[DeviceConfig]):
    """A lamp that may be commanded only while ``turn`` is set."""

    config_type = DeviceConfig
    remark = "on a shared line"

    def __init__(self):
        super().__init__("lamp", DeviceConfig(max_rate_hz=200.0))
        self.turn = threading.Event()
        self.asked = 0
        self.sent = deque()

    def open(self):
        pass

    def take_turn(self):
        self.asked += 1
        return 0.0 if self.turn.is_set() else 0.005

    def send(self, state):
        self.sent.append(state)

    def close(self):
        pass


def test_the_newest_color_is_sent_when_the_turn_comes(wait_until):
    lamp = Shared()
    worker = DeviceWorker(lamp, lambda name, status: None)
    worker.start()
    for i in range(10):
        worker.post(state(i / 10.0))
        wait_until(lambda asked=lamp.asked: lamp.asked > asked + 1, "the worker to ask")
    assert not lamp.sent
    lamp.turn.set()
    wait_until(lambda: lamp.sent, "a color")
    assert lamp.sent[0] == state(0.9)
    assert worker.status().reason == "on a shared line"
    lamp.turn.clear()
    worker.request_stop(SWITCHED_OFF)  # which does not wait for ever
    assert worker.join(30.0)
    assert lamp.sent[-1] == SWITCHED_OFF


def test_a_room_gets_one_command_a_second_and_takes_no_turn_while_it_waits():
    pace = shared_pace(BridgeAddress("Bridge-1", 443, "", "", True))
    assert shared_pace(BridgeAddress("bridge-1", 443, "", "", False)) is pace
    assert pace.take_turn(ROOM) == 0.0
    time.sleep(COMMAND_GAP_S)
    assert 0.1 < pace.take_turn(ROOM) <= 1.0
    assert pace.take_turn(LAMP) == 0.0
    assert 0.0 < pace.take_turn(LAMP) <= 0.1
