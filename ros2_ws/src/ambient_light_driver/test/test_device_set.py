# SPDX-License-Identifier: Apache-2.0
import threading
from dataclasses import dataclass

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices import device_set
from ambient_light_driver.devices.claims import Claim
from ambient_light_driver.devices.device_set import DeviceSet, DeviceSpec
from ambient_light_driver.devices.device_worker import DevicePhase
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from fer_common.options import option

RED = LightState(LightColor(1.0, 0.0, 0.0), "anger")


@dataclass(frozen=True, kw_only=True)
class SlowConfig(DeviceConfig):
    lamp: str = option("lamp", "Which lamp.")
    number: int = option(0, "Which options.")

    def claims(self):
        return (Claim(f"test://{self.lamp}"),)


class SlowLamp(LightDevice[SlowConfig]):
    """Notes what reaches the lamp; sending can be held up."""

    config_type = SlowConfig
    sent: list = []
    may_send = threading.Event()

    def open(self):
        pass

    def send(self, state):
        self.may_send.wait()
        self.sent.append((self.name, self.config.number, state))

    def close(self):
        pass


@pytest.fixture
def lamps(monkeypatch):
    monkeypatch.setattr(device_set, "REST_S", 0.05)
    SlowLamp.sent = []
    SlowLamp.may_send = threading.Event()
    SlowLamp.may_send.set()
    lamps = DeviceSet(lambda name, status: None)
    yield lamps
    SlowLamp.may_send.set()
    lamps.stop(SWITCHED_OFF)


def spec(number, lamp="lamp"):
    return DeviceSpec(SlowLamp, SlowConfig(number=number, lamp=lamp))


def post_until(lamps, wait_until, condition, what):
    def look():
        lamps.post(RED)
        return condition()

    wait_until(look, what)


@pytest.mark.parametrize("name", ["lamp", "renamed"])
def test_new_options_light_a_slow_lamp_only_after_it_went_out(lamps, wait_until, name):
    lamps.apply({"lamp": spec(1)})
    post_until(lamps, wait_until, lambda: ("lamp", 1, RED) in SlowLamp.sent, "the first light")
    SlowLamp.may_send.clear()
    assert lamps.apply({name: spec(2)})
    for _ in range(100):
        lamps.post(RED)
    assert lamps.statuses()[name].phase is DevicePhase.CONNECTING
    assert "waiting for the lamp to go out" in lamps.statuses()[name].reason
    SlowLamp.may_send.set()
    post_until(lamps, wait_until, lambda: (name, 2, RED) in SlowLamp.sent, "the light again")
    dark = SlowLamp.sent.index(("lamp", 1, SWITCHED_OFF))
    assert all(number == 1 for _, number, _ in SlowLamp.sent[: dark + 1])
    assert all(number == 2 for _, number, _ in SlowLamp.sent[dark + 1 :])


def test_another_lamp_does_not_wait_for_one_that_hangs(lamps, wait_until):
    now_s = 0.0
    lamps = DeviceSet(lambda name, status: None, lambda: now_s)
    lamps.apply({"lamp": spec(1)})
    SlowLamp.may_send.clear()
    lamps.post(RED)
    lamps.apply({"lamp": spec(2), "other": spec(3, lamp="other")})
    assert lamps.statuses()["other"].reason == ""
    now_s = 10.0
    status = lamps.statuses()["lamp"]
    assert status.phase is DevicePhase.HANGING and "10 s" in status.reason
    SlowLamp.may_send.set()
    lamps.stop(SWITCHED_OFF)


def test_options_that_did_not_change_leave_a_lamp_alone(lamps, wait_until):
    lamps.apply({"lamp": spec(1)})
    post_until(lamps, wait_until, lambda: SlowLamp.sent, "light")
    assert not lamps.apply({"lamp": spec(1), "other": spec(2, lamp="other")})
    post_until(lamps, wait_until, lambda: ("other", 2, RED) in SlowLamp.sent, "the other's light")
    assert all(state == RED for _, _, state in SlowLamp.sent)
