# SPDX-License-Identifier: Apache-2.0
"""After each fault of real processes the lamp follows a face again."""

import random

import pytest

from robustness.soak.faults import FAULTS
from robustness.soak.world import LIGHT, PERCEPTION, World


@pytest.fixture(scope="module")
def world():
    with World() as world:
        yield world
        assert world.stop() == 0, world.output
        assert "Traceback" not in world.output


@pytest.mark.parametrize("name", FAULTS)
def test_it_recovers_when(world, name):
    before = {node: world.pid(node) for node in (PERCEPTION, LIGHT)}
    FAULTS[name](world, random.Random(name))
    world.wait_for_recovery()
    after = {node: world.pid(node) for node in (PERCEPTION, LIGHT)}
    killed = {"perception_is_killed": PERCEPTION, "light_is_killed": LIGHT}.get(name)
    assert {node for node in before if before[node] != after[node]} == {killed} - {None}
    assert world.lamp.flashes.worst_flashes <= 3
    assert world.lamp.flashes.worst_red_flashes <= 3


@pytest.mark.parametrize("name", ["clock_jumps_back", "clock_jumps_forward"])
def test_a_simulation_recovers_when(name):
    with World(use_sim_time=True) as world:
        FAULTS[name](world, random.Random(0))
        world.wait_for_recovery()
        assert world.lamp.flashes.worst_flashes <= 3
