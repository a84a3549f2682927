# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass

import pytest

from ambient_light_driver.devices.claim_ledger import (
    DISCOVERY_S,
    ClaimLedger,
    DeviceClaim,
    PeerClaims,
)
from ambient_light_driver.devices.claims import Claim
from ambient_light_driver.devices.device_set import DeviceSet, DeviceSpec
from ambient_light_driver.devices.lamps import Lamps, WantedLamps
from ambient_light_driver.devices.light_device import DeviceConfig, LightDevice
from ambient_light_driver.light_state import SWITCHED_OFF
from fer_common.options import option


@dataclass(frozen=True, kw_only=True)
class LampConfig(DeviceConfig):
    lamp: str = option("", "Which lamp; empty for one that nobody else can drive.")

    def claims(self):
        return (Claim(self.lamp),) if self.lamp else ()


class Lamp(LightDevice[LampConfig]):
    config_type = LampConfig

    def open(self):
        pass

    def send(self, state):
        pass

    def close(self):
        pass


def spec(lamp):
    return DeviceSpec(Lamp, LampConfig(lamp=lamp))


class Rig:
    def __init__(self):
        self.ledger = ClaimLedger("b", 0.0)
        self.dark, self.errors = 0, []
        devices = DeviceSet(lambda name, status: None)
        self.lamps = Lamps(devices, self.ledger, self._on_dark, self.errors.append)

    def _on_dark(self, name):
        self.dark += 1


@pytest.fixture
def rig():
    rig = Rig()
    yield rig
    rig.lamps.stop(SWITCHED_OFF, 0.0)


OTHER = PeerClaims("/other", "a", (DeviceClaim("strip", Claim("x://1"), True),))


def test_a_lamp_waits_for_others_one_without_claims_does_not(rig):
    rig.lamps.want(WantedLamps({"lamp": spec("x://1"), "swatch": spec("")}), 0.0)
    assert rig.lamps.statuses()["lamp"].reason == "waiting for claims of other nodes"
    assert rig.lamps.statuses()["swatch"].reason == ""
    rig.lamps.update(DISCOVERY_S)
    assert rig.lamps.statuses()["lamp"].reason == ""
    assert not rig.errors and not rig.dark


def test_a_refused_lamp_is_said_once_and_driven_when_it_is_free(rig):
    rig.ledger.hear(OTHER, 0.5)
    rig.lamps.want(WantedLamps({"lamp": spec("x://1")}), 0.5)
    rig.lamps.update(1.5)
    assert len(rig.errors) == 1 and "/other" in rig.errors[0]
    assert "lamp" in rig.lamps.errors and "lamp" not in rig.lamps.statuses()
    rig.ledger.hear(PeerClaims("/other", "a", ()), 2.0)
    rig.lamps.update(2.0)
    assert not rig.lamps.errors and "lamp" in rig.lamps.statuses()


def test_a_lamp_that_turns_out_to_be_anothers_goes_out_and_the_limiter_learns_of_it(rig):
    rig.lamps.want(WantedLamps({"lamp": spec("x://1")}), 0.0)
    rig.lamps.update(DISCOVERY_S)
    rig.ledger.hear(OTHER, DISCOVERY_S)
    rig.lamps.update(DISCOVERY_S)
    assert rig.dark == 1
    assert "/other" in rig.errors[0]


def test_a_relay_and_a_device_on_one_lamp_are_refused_with_both_names(rig):
    wanted = WantedLamps({"lamp": spec("x://1")}, {"relay ring": (Claim("x://1"),)})
    rig.lamps.want(wanted, 0.0)
    rig.lamps.update(DISCOVERY_S)
    assert not rig.lamps.may_drive("relay ring")
    assert "relay ring" in rig.errors[0] and "which lamp drives" in rig.errors[0]


def test_a_relay_is_driven_once_it_is_granted_and_until_the_end(rig):
    rig.lamps.want(WantedLamps(others={"relay ring": (Claim("x://1"),)}), 0.0)
    assert not rig.lamps.may_drive("relay ring")
    rig.lamps.update(DISCOVERY_S)
    assert rig.lamps.may_drive("relay ring")
    rig.lamps.stop(SWITCHED_OFF, 2.0)
    assert not rig.lamps.may_drive("relay ring")
    assert rig.ledger.own_claims() == ()
