# SPDX-License-Identifier: Apache-2.0
"""A short run of the attack on real counterparts of the lamps; the long one is ``make fuzz``."""

import numpy as np
import pytest

from robustness.fuzz.wire_lamps import Shown
from robustness.fuzz.wire_table import count, measure

PHASE_S = 4.0
RESPONSES = 60


def test_the_count_sees_flashes_of_what_arrives():
    strobe = [Shown(0.1 * i, (float(i % 2),) * 3) for i in range(11)]
    assert count(strobe, RESPONSES, np.random.default_rng(0)).general == 5
    by_level = [Shown(0.1 * i, (1.0, 0.0, 0.0), float(i % 2)) for i in range(11)]
    assert count(by_level, RESPONSES, np.random.default_rng(0)).red == 5


def test_what_arrives_at_real_counterparts_does_not_flash(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wire", numbered=True)
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # olad runs as nobody
    rows = measure(folder, seed=3, phase_s=PHASE_S, responses=RESPONSES)
    for row in rows:
        print(row)
    tried = [row for row in rows if row.flashes is not None]
    assert tried
    bad = [row for row in tried if row.flashes.flashes > 3]
    assert not bad
    counterparts = {row.lamp.split(":")[0] for row in tried}
    attacks = {row.attack for row in tried}
    assert {"WLED's contract, json", "WLED's contract, ddp"} <= counterparts
    assert len(attacks) == 6
    # A light that shows nothing does not flash either.
    assert sum(row.events for row in tried if row.attack == "light_node") > 20
    if skipped := [f"{row.lamp} ({row.attack})" for row in rows if "skipped" in row.attack]:
        pytest.skip(f"the others do not flash; not tried: {', '.join(skipped)}")
