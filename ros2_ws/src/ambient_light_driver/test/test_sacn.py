# SPDX-License-Identifier: Apache-2.0
import pytest

from ambient_light_driver.color.light_color import OFF, LightColor
from ambient_light_driver.devices.sacn import SacnConfig, SacnDevice
from ambient_light_driver.light_state import SWITCHED_OFF, LightState

pytest.importorskip("sacn", reason="no Python module sacn: E1.31 was not tested")

ORANGE = LightState(LightColor(1.0, 0.735357, 0.0, 1.0), "happiness")


@pytest.fixture
def olad(start_olad):
    return start_olad("e131")


def device(**options):
    return SacnDevice("sacn", SacnConfig(destination="127.0.0.1", universe=3, **options))


def send_until(lamp, state, condition, wait_until):
    def send_and_look():
        lamp.send(state)
        return condition()

    wait_until(send_and_look, f"{state} at olad")


def test_olad_receives_the_channels_at_their_addresses(olad, wait_until):
    olad.listen(3)
    lamp = device(start_address=5, channel_order="DRGB", fixture_count=2)
    lamp.open()
    expected = [0] * 4 + [255, 255, 128, 0] * 2
    send_until(lamp, ORANGE, lambda: olad.channels(3)[:12] == expected, wait_until)
    assert not any(olad.channels(3)[12:])
    send_until(lamp, SWITCHED_OFF, lambda: not any(olad.channels(3)), wait_until)
    lamp.close()


def test_a_reopened_device_is_the_same_source(olad, wait_until):
    """Olad would merge two sources by the higher value, and black would not get through."""
    olad.listen(3)
    first = device()
    first.open()
    send_until(first, ORANGE, lambda: olad.channels(3)[:3] == [255, 128, 0], wait_until)
    second = device()
    second.open()
    # No close of the first in between: only the common id keeps it from being merged.
    send_until(second, LightState(OFF, "off"), lambda: not any(olad.channels(3)[:3]), wait_until)
    first.close()
    second.close()


def test_an_unreachable_network_is_an_error_and_not_a_crash():
    lamp = SacnDevice("sacn", SacnConfig(destination="127.0.0.1", bind_address="203.0.113.77"))
    with pytest.raises(OSError, match="assign"):
        lamp.open()
    lamp.close()
