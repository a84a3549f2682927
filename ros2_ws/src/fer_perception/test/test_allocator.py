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


_HOLES = """
import ctypes
from pathlib import Path
from fer_perception.inference.allocator import large_blocks_returned

library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]

def own_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1e3

def grow():
    # As by a loader: large blocks, and what stays between them.
    large, kept = [], []
    for _ in range(40):
        large.append(library.malloc(1 << 20))
        ctypes.memset(large[-1], 1, 1 << 20)
        kept.append(library.malloc(5000))
    for block in large:
        library.free(block)

library.free(library.malloc(30 << 20))  # the library then takes large blocks from the heap
before = own_mb()
with large_blocks_returned():
    grow()
    print(own_mb() - before)
"""


def test_large_blocks_between_small_ones_are_returned_when_freed():
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("mallopt is missing: the return of large blocks was not checked")
    done = subprocess.run(
        [sys.executable, "-c", _HOLES], check=True, capture_output=True, text=True, timeout=60
    )
    assert float(done.stdout) < 5.0  # up to 40 without, as the heap happens to be


_KEPT = """
import weakref
import onnxruntime
from pathlib import Path
from fer_perception.inference import onnx_session
from fer_perception.inference.model_files import models_folder
from fer_perception.settings import PerceptionSettings, build_pipeline

def own_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1e3

graph = (models_folder() / "vgg_stn" / "model.onnx").read_bytes()
onnx_session.open_session(graph, 1)
from fer_perception.inference.allocator import give_back_free_memory
give_back_free_memory()
before = own_mb()
sessions = [onnx_session.open_session(bytes(bytearray(graph)), 1) for _ in range(4)]
give_back_free_memory()
print((own_mb() - before) / 4 / (len(graph) / 1e6))
"""


def test_a_session_does_not_keep_the_file_beside_its_weights():
    done = subprocess.run(
        [sys.executable, "-c", _KEPT], check=True, capture_output=True, text=True, timeout=120
    )
    assert 0.5 < float(done.stdout) < 2.5
