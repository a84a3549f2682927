# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from fer_perception.inference import cpu_features

RASPBERRY_PI_4 = "processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\n"
RASPBERRY_PI_5 = "processor\t: 0\nFeatures\t: fp asimd aes crc32 atomics asimdrdm asimddp\n"
HASWELL = "processor\t: 0\nflags\t\t: fpu sse avx avx2 fma\n"
ICE_LAKE = "processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_vnni\n"


@pytest.mark.parametrize(
    ("cpuinfo", "fast"),
    [(RASPBERRY_PI_4, False), (RASPBERRY_PI_5, True), (HASWELL, False), (ICE_LAKE, True)],
)
def test_8_bit_networks_are_chosen_where_the_processor_multiplies_them(monkeypatch, cpuinfo, fast):
    monkeypatch.setattr(Path, "read_text", lambda path, **_: cpuinfo)
    cpu_features.cpu_flags.cache_clear()
    try:
        assert cpu_features.multiplies_int8_fast() is fast
    finally:
        cpu_features.cpu_flags.cache_clear()
