# SPDX-License-Identifier: Apache-2.0
"""Repeated reloading of networks does not leak memory."""

import ctypes
import subprocess
import sys

import pytest

MAX_GROWTH_MB = 8.0
"""One network and its session take more than this."""

# In a separate process, to exclude memory of other tests.
_RELOADS = """
import gc, os, sys
from dataclasses import replace
from pathlib import Path

from fer_perception.images.frame_source import PortraitSource
from fer_perception.inference.allocator import give_back_free_memory
from fer_perception.runtime.shared_parts import SharedParts
from fer_perception.settings import PerceptionSettings, build_pipeline, prepare_change

SETTLED, ROUNDS = 6, 18
name, choices = sys.argv[1], eval(sys.argv[2], {})

def resident_mb():
    gc.collect()
    give_back_free_memory()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

settings = PerceptionSettings()
pipeline = build_pipeline(settings)
frames = PortraitSource()
for number in range(ROUNDS):
    settings = replace(settings, **{name: choices[number % 2]})
    prepare_change(settings, {name}, SharedParts()).apply_to(pipeline)
    assert pipeline.track(frames.read(), 0.1 * number)
    if number == SETTLED:
        settled_mb = resident_mb()
print(resident_mb() - settled_mb)
"""


@pytest.mark.parametrize(
    ("name", "choices"),
    [("flip_average", (True, False)), ("detector_backend", ("onnxruntime", "auto"))],
)
def test_memory_stays_when_a_network_is_loaded_anew(name, choices):
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("malloc_trim is missing: leaks of reloading were not checked")
    done = subprocess.run(
        [sys.executable, "-c", _RELOADS, name, repr(choices)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert float(done.stdout) < MAX_GROWTH_MB
