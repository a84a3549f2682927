# SPDX-License-Identifier: Apache-2.0
from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.manual_off import SETTLE_S, ManualOff
from ambient_light_driver.light_state import SWITCHED_OFF, LightState

LIT = LightState(LightColor(1.0, 1.0, 1.0, 0.5), "neutral")


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def test_a_lamp_switched_off_by_hand_stays_off_until_it_is_switched_on():
    lamp = ManualOff(respected=True)
    lamp.sent(LIT)
    lamp.reported(is_on=False)
    assert lamp.holds(LIT) and "by hand" in lamp.remark
    assert not lamp.holds(SWITCHED_OFF)
    lamp.sent(SWITCHED_OFF)
    lamp.reported(is_on=False)
    assert lamp.holds(LIT)
    lamp.reported(is_on=True)
    assert not lamp.holds(LIT) and lamp.remark == ""


def test_darkness_that_we_sent_is_not_by_hand():
    lamp = ManualOff(respected=True)
    lamp.reported(is_on=False)
    lamp.sent(LIT)
    lamp.sent(SWITCHED_OFF)
    lamp.reported(is_on=False)
    assert not lamp.holds(LIT)


def test_a_report_that_may_be_older_than_our_light_does_not_count():
    clock = Clock()
    lamp = ManualOff(respected=True, clock=clock)
    lamp.sent(LIT)
    lamp.reported(is_on=False, is_new=False)
    assert not lamp.holds(LIT)
    clock.now_s = SETTLE_S + 0.1
    lamp.reported(is_on=False, is_new=False)
    assert lamp.holds(LIT)


def test_nothing_holds_unless_it_is_asked_for():
    lamp = ManualOff(respected=False)
    lamp.sent(LIT)
    lamp.reported(is_on=False)
    assert not lamp.holds(LIT)
