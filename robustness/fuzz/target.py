# SPDX-License-Identifier: Apache-2.0
"""What is fuzzed: a way to make inputs, and the code that reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

Try = Callable[[Random], object]
"""Makes one input from the random numbers and has it read; the result is not looked at.

Anything it raises but the target's refusals is a crash."""


@dataclass(frozen=True)
class Target:
    """One kind of input.

    :ivar name: of the target.
    :ivar inputs: how many a whole run tries.
    :ivar prepare: called once in the process that tries the inputs; returns what tries one.
    :ivar refusals: the errors that say properly what is wrong with an input.
    """

    name: str
    inputs: int
    prepare: Callable[[], Try]
    refusals: tuple[type[BaseException], ...] = ()

    def input_rng(self, seed: int, number: int) -> Random:
        """Return the random numbers of input ``number``."""
        return Random(f"{self.name}:{seed}:{number}")


def one_of(rng: Random, *makers: Callable[[Random], Any]) -> Any:
    """Return what one of ``makers`` makes."""
    return rng.choice(makers)(rng)
