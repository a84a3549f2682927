# SPDX-License-Identifier: Apache-2.0
"""Memory needed only to load a network is returned to the system."""

import ctypes
import subprocess
import sys

import pytest

# In a separate process, to exclude memory freed by other tests.
_LOAD = """
from pathlib import Path
from fer_perception.inference.allocator import give_back_free_memory
from fer_perception.settings import PerceptionSettings, build_pipeline

def own_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1e3

pipeline = build_pipeline(PerceptionSettings(precision="float32"))
loaded = own_mb()
give_back_free_memory()
print(loaded - own_mb())
"""


def test_a_pipeline_that_was_made_keeps_no_free_memory():
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("malloc_trim is missing: the return of free memory was not checked")
    done = subprocess.run(
        [sys.executable, "-c", _LOAD], check=True, capture_output=True, text=True, timeout=120
    )
    assert float(done.stdout) < 40.0  # 140 without
