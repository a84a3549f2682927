# SPDX-License-Identifier: Apache-2.0
"""The memory table of the benchmarks adds up."""

import mmap
import os
import sys
from pathlib import Path

import pytest

from bench.processes import Memory
from robustness.soak.resources import resident_kib


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc: the memory table was not checked")
def test_parts_add_up_and_grow_where_memory_is_taken():
    size = 20_000_000
    content = b"x" * size
    before = Memory.of(os.getpid())
    assert before.resident == pytest.approx(resident_kib() * 1024 / 1e6, abs=6.0)
    parts = before.shared_memory + before.anonymous + sum(before.files.values())
    assert parts == pytest.approx(before.resident, abs=0.01)
    assert before.private <= before.proportional <= before.resident
    taken = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    taken.write(content)
    with Path("/dev/shm/fer_light_memory_test").open("w+b") as file:
        Path(file.name).unlink()
        file.truncate(size)
        shared = mmap.mmap(file.fileno(), size)
        shared.write(content)
        after = Memory.of(os.getpid())
    assert after.anonymous - before.anonymous == pytest.approx(20.0, abs=5.0)
    assert after.shared_memory - before.shared_memory == pytest.approx(20.0, abs=1.0)
    taken.close()
    shared.close()
