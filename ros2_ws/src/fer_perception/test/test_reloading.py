# SPDX-License-Identifier: Apache-2.0
"""Repeated reloading of networks does not leak memory."""

import ctypes
import gc
import os
from dataclasses import replace
from pathlib import Path

import pytest

from fer_perception.images.frame_source import PortraitSource
from fer_perception.inference.allocator import give_back_free_memory
from fer_perception.runtime.shared_parts import SharedParts
from fer_perception.settings import PerceptionSettings, build_pipeline, prepare_change

SETTLED, ROUNDS = 6, 18
MAX_GROWTH_MB = 8.0
"""One network and its session take more than this."""


def resident_mb():
    """Return the resident memory without free heap blocks."""
    gc.collect()
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("malloc_trim is missing: leaks of reloading were not checked")
    give_back_free_memory()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.parametrize(
    ("name", "choices"),
    [("flip_average", (True, False)), ("detector_backend", ("onnxruntime", "auto"))],
)
def test_memory_stays_when_a_network_is_loaded_anew(name, choices):
    settings = PerceptionSettings()
    pipeline = build_pipeline(settings)
    frames = PortraitSource()
    settled_mb = 0.0
    for number in range(ROUNDS):
        settings = replace(settings, **{name: choices[number % 2]})
        prepare_change(settings, {name}, SharedParts()).apply_to(pipeline)
        assert pipeline.track(frames.read(), 0.1 * number)
        if number == SETTLED:
            settled_mb = resident_mb()
    assert resident_mb() - settled_mb < MAX_GROWTH_MB
