# SPDX-License-Identifier: Apache-2.0
"""Query the instruction sets of this machine's processor."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def cpu_flags() -> frozenset[str]:
    """Return the first processor's flags as listed by the kernel."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    # x86 calls them flags, Arm Features.
    listed = (line.partition(":")[2] for line in lines if line.startswith(("flags", "Features")))
    return frozenset(next(listed, "").split())


def multiplies_int8_fast() -> bool:
    """Return whether 8-bit networks are exact and faster than float32.

    Older x86 processors multiply 8-bit numbers with saturation, which changes results, and without
    gain in speed.
    """
    return not cpu_flags().isdisjoint({"avx512_vnni", "avx_vnni", "asimddp"})


def multiplies_bfloat16() -> bool:
    """Return whether the processor has instructions for bfloat16."""
    return not cpu_flags().isdisjoint({"avx512_bf16", "amx_bf16", "bf16"})
