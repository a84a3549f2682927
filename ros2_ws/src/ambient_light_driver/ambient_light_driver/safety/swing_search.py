# SPDX-License-Identifier: Apache-2.0
"""Search for the lamp that swings most along a straight line.

The family is a continuum of lamps: the search covers the extreme ones and some between, with
thresholds below the standard's to cover the others.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ambient_light_driver.color.root_light import RootLight

Floats = NDArray[np.float64]

_POINTS = np.linspace(0.0, 1.0, 13)
_EXPONENTS = (1.0, 1.5, 3.0, 9.0)
"""Exponents of the cube root, with the brightness multiplied in."""
_HUE_EXPONENTS = (1.25, 2.1, 3.75)
"""Exponents of the cube root of a hue, with the brightness sent separately."""
_BRIGHTNESS_EXPONENTS = (1.25, 3.75)
"""Exponents of the cube root of the strongest channel, with and without sRGB encoding."""
_LUMINANCE_THRESHOLD = 0.03
_RED_THRESHOLD = 0.006
_SATURATED = 0.75
_CHROMATICITY_THRESHOLD = 0.17
"""Undetected changes at the end of one move and the start of the next add up, and rounding to 8
bit adds 0.036 (red: 0.05) to a swing: together less than the standard's."""


@lru_cache(maxsize=64)
def most_swings(start: RootLight, end: RootLight) -> int:
    """Return the maximum swings of the searched lamps up to ``end``."""
    way = np.outer(1.0 - _POINTS, start.channels) + np.outer(_POINTS, end.channels)
    peak = way.max(axis=1)
    hue = way / np.maximum(peak, 1e-9)[:, None]
    multiplied = np.stack([way**exponent for exponent in _EXPONENTS])
    # A dip is deepest with all weight on one falling and one rising channel.
    exponents, weights = _lamps(len(_EXPONENTS), 8, True)
    general = [_mixed(multiplied, exponents, weights)]
    exponents, weights = _lamps(len(_HUE_EXPONENTS), 4, False)
    colors = _mixed(np.stack([hue**e for e in _HUE_EXPONENTS]), exponents, weights)
    general += [colors * peak**exponent for exponent in _BRIGHTNESS_EXPONENTS]
    red, green, blue = (multiplied[:, :, k] for k in range(3))
    redness = red[:, None, None] - green[:, None] - blue
    return max(
        _count_red_transitions(red[:, None, None], green[:, None], blue),
        _count(np.concatenate(general), _LUMINANCE_THRESHOLD),
        _count(np.maximum(redness, 0.0).reshape(-1, len(_POINTS)), _RED_THRESHOLD),
    )


@cache
def _lamps(exponents: int, steps: int, in_pairs: bool) -> tuple[NDArray[np.intp], Floats]:
    """Return exponent indices and weights of the lamps.

    :param steps: number of steps of each weight.
    :param in_pairs: whether one weight is 0.
    """
    weights = [
        (i / steps, j / steps, (steps - i - j) / steps)
        for i in range(steps + 1)
        for j in range(steps + 1 - i)
        if not in_pairs or 0 in (i, j, steps - i - j)
    ]
    # The exponent of a channel without weight has no effect.
    lamps = sorted(
        {
            (tuple(e if w else 0 for e, w in zip(lamp, weight, strict=True)), weight)
            for lamp, weight in product(product(range(exponents), repeat=3), weights)
        }
    )
    return np.array([lamp[0] for lamp in lamps]), np.array([lamp[1] for lamp in lamps])


def _mixed(channels: Floats, exponents: NDArray[np.intp], weights: Floats) -> Floats:
    """Return each lamp's light at each point."""
    red, green, blue = (weights[:, k, None] * channels[exponents[:, k], :, k] for k in range(3))
    return red + green + blue


def _count(light: Floats, threshold: float) -> int:
    """Return the maximum number of alternating changes in ``light``."""
    low = high = light[:, 0]
    direction = np.zeros(len(light), dtype=np.int8)
    swings = np.zeros(len(light), dtype=np.int8)
    for value in light.T[1:]:
        low, high = np.minimum(low, value), np.maximum(high, value)
        rises = (direction <= 0) & (value - low >= threshold)
        falls = (direction >= 0) & (high - value >= threshold)
        turns = rises | falls
        swings += turns
        direction = np.where(rises, 1, np.where(falls, -1, direction)).astype(np.int8)
        low, high = np.where(turns, value, low), np.where(turns, value, high)
    return int(swings.max())


def _count_red_transitions(red: Floats, green: Floats, blue: Floats) -> int:
    """Return the maximum number of transitions to or from saturated red."""
    total = np.maximum(red + green + blue, 1e-12)
    # CIE 1976 u' and v' of linear sRGB.
    weighted = 3.6593 * red + 11.4432 * green + 4.1146 * blue + 1e-12
    u = np.moveaxis(4.0 * (0.4124 * red + 0.3576 * green + 0.1805 * blue) / weighted, -1, 0)
    v = np.moveaxis(9.0 * (0.2126 * red + 0.7152 * green + 0.0722 * blue) / weighted, -1, 0)
    saturated = np.moveaxis(red / total >= _SATURATED, -1, 0)
    was_saturated, u_before, v_before = saturated[0], u[0], v[0]
    transitions = np.zeros(u[0].shape, dtype=np.int8)
    for is_saturated, u_now, v_now in zip(saturated, u, v, strict=True):
        far = np.hypot(u_now - u_before, v_now - v_before) > _CHROMATICITY_THRESHOLD
        counts = far & (is_saturated | was_saturated)
        transitions += counts
        follows = counts | is_saturated | ~was_saturated
        was_saturated = np.where(follows, is_saturated, was_saturated)
        u_before = np.where(follows, u_now, u_before)
        v_before = np.where(follows, v_now, v_before)
    return int(transitions.max())
