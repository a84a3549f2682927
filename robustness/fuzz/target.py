# SPDX-License-Identifier: Apache-2.0
"""A fuzz target: a generator of inputs and the code under test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

Try = Callable[[Random], object]
"""Creates one input from the random numbers and runs the code under test on it.

Any exception other than the target's refusals is a crash."""


@dataclass(frozen=True)
class Target:
    """One kind of input.

    :ivar name: of the target.
    :ivar inputs: number of inputs in a full run.
    :ivar prepare: called once in each process; returns the function that runs one input.
    :ivar refusals: the expected exceptions for invalid input.
    """

    name: str
    inputs: int
    prepare: Callable[[], Try]
    refusals: tuple[type[BaseException], ...] = ()

    def input_rng(self, seed: int, number: int) -> Random:
        """Return the random generator of input ``number``."""
        return Random(f"{self.name}:{seed}:{number}")


def one_of(rng: Random, *makers: Callable[[Random], Any]) -> Any:
    """Return the result of one of ``makers``."""
    return rng.choice(makers)(rng)
