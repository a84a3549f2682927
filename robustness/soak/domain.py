# SPDX-License-Identifier: Apache-2.0
"""Reserve a ROS domain unused on this machine."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

from domain_coordinator import domain_id


@contextmanager
def own_domain() -> Iterator[int]:
    """Set ``ROS_DOMAIN_ID`` for this process tree and return it.

    It is reserved among all callers on this machine; discovery is limited to the machine.
    """
    start_at = random.randrange(100)
    candidates = iter(1 + (start_at + i) % 100 for i in range(100))
    names = ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE")
    before = {name: os.environ.get(name) for name in names}
    with domain_id(lambda: next(candidates)) as domain:
        os.environ.update(ROS_DOMAIN_ID=str(domain), ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
        try:
            yield int(domain)
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
