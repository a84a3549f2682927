# SPDX-License-Identifier: Apache-2.0
import signal

import pytest

from ambient_light_driver.safety.flash_limiter import LATE_S, SECOND_S
from fer_bringup.restart_backoff import (
    LIGHT_FIRST_DELAY_S,
    LONGEST_DELAY_S,
    SETTLED_S,
    RestartBackoff,
    is_failure,
)


@pytest.mark.parametrize("code", [1, 3, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGABRT])
def test_a_node_that_died_has_failed(code):
    assert is_failure(code)


@pytest.mark.parametrize("code", [0, 2, -signal.SIGINT, -signal.SIGTERM])
def test_a_stopped_node_has_not_failed(code):
    assert not is_failure(code)


def test_no_second_holds_flashes_of_two_light_nodes():
    delays = (RestartBackoff(LIGHT_FIRST_DELAY_S).delay_after(0.0) for _ in range(100))
    assert min(delays) > SECOND_S + LATE_S


def test_a_node_that_dies_again_and_again_waits_longer_and_a_settled_one_does_not():
    backoff = RestartBackoff()
    delays = [backoff.delay_after(0.1) for _ in range(12)]
    assert max(delays) <= LONGEST_DELAY_S and min(delays[6:]) >= LONGEST_DELAY_S / 2
    assert backoff.delay_after(SETTLED_S) < 4.0
