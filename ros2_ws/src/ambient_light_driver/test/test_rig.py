# SPDX-License-Identifier: Apache-2.0
"""A rig: 20 pars with white in each of three universes, read back from olad."""

import threading

import pytest

from ambient_light_driver.color.light_color import LightColor
from ambient_light_driver.devices.device_worker import DeviceWorker
from ambient_light_driver.devices.sacn import SacnConfig, SacnDevice
from ambient_light_driver.light_state import SWITCHED_OFF, LightState

PARS = 20
UNIVERSES = (1, 2, 3)
PALE_RED = LightState(LightColor(1.0, 0.735357, 0.735357, 0.5), "test")
EXPECTED = [64, 0, 0, 64]
"""Linear light 0.5, 0.25, 0.25, of which the white takes over 0.25."""


@pytest.mark.parametrize("universes", [UNIVERSES[:1], UNIVERSES])
def test_all_pars_of_all_universes_are_driven_by_one_thread(start_olad, wait_until, universes):
    olad = start_olad("e131", "input_ports = 3\n")
    for universe in universes:
        olad.listen(universe)
    fixtures = tuple(f"{universe}/1:RGBW*{PARS}" for universe in universes)
    config = SacnConfig(destination="127.0.0.1", fixtures=fixtures)
    before = threading.active_count()
    worker = DeviceWorker(SacnDevice("rig", config), lambda name, status: None)
    worker.start()
    worker.post(PALE_RED)

    def show(par):
        dark_rest = [0] * (512 - 4 * PARS)
        return all(olad.channels(u) == par * PARS + dark_rest for u in universes)

    wait_until(lambda: show(EXPECTED), "the colour on all pars")
    assert threading.active_count() == before + 1
    worker.request_stop(SWITCHED_OFF)
    assert worker.join(10.0)
    wait_until(lambda: show([0, 0, 0, 0]), "darkness on all pars")
