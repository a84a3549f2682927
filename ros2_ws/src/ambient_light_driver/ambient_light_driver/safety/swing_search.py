# SPDX-License-Identifier: Apache-2.0
"""Search for the lamp that swings most along straight lines.

The family is a continuum of lamps: the search covers the extreme ones and some between, with
thresholds below the standard's to cover the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ambient_light_driver.color.root_light import RootLight

Floats = NDArray[np.floating]
_UP, _DOWN = np.int8(1), np.int8(-1)

_POINTS = 13
_EXPONENTS = (1.0, 1.5, 3.0, 9.0)
"""Exponents of the cube root, with the brightness multiplied in."""
_HUE_EXPONENTS = (1.25, 2.1, 3.75)
"""Exponents of the cube root of a hue, with the brightness sent separately."""
_BRIGHTNESS_EXPONENTS = (1.25, 3.75)
"""Exponents of the cube root of the strongest channel, with and without sRGB encoding."""
_WHITE_EXPONENTS = (1.0, 2.0, 3.0)
"""Exponents of linear light, with white taken out of red, green and blue."""
_SATURATED = 0.75


@dataclass(frozen=True, slots=True)
class _Thresholds:
    """Changes that count as a swing.

    Rounding to 8 bit adds 0.036 (red: 0.05) to a swing, and lamps between those that are tried
    swing a bit more: together less than the standard's 0.1, 0.0625 and 0.2.
    """

    luminance: float
    of_white: float
    red: float
    chromaticity: float


_OF_A_PART = _Thresholds(0.03, 0.03, 0.006, 0.17)
"""Undetected changes at the end of one move and the start of the next add up."""

_OF_A_PATH = _Thresholds(0.05, 0.07, 0.03, 0.19)


@lru_cache(maxsize=64)
def most_swings(path: tuple[tuple[RootLight, RootLight], ...], is_whole: bool = False) -> int:
    """Return the maximum swings of the searched lamps along ``path``.

    :param path: straight lines in order, each from the end of the previous one.
    :param is_whole: whether all swings are on the path, instead of others before and after it.
    """
    thresholds = _OF_A_PATH if is_whole else _OF_A_PART
    way = np.concatenate([_points(start, end, is_whole) for start, end in path])
    peak = way.max(axis=1, keepdims=True)
    multiplied = _raised(way, _EXPONENTS)
    colors = _raised(way / np.maximum(peak, 1e-9), _HUE_EXPONENTS) @ _lamps(
        len(_HUE_EXPONENTS), 3, 4, False
    )
    # A dip is deepest with all weight on one falling and one rising channel.
    steps, in_pairs = (4, False) if is_whole else (8, True)
    shown = [colors * peak**exponent for exponent in _BRIGHTNESS_EXPONENTS]
    shown.append(multiplied @ _lamps(len(_EXPONENTS), 3, steps, in_pairs))
    relative = [light / thresholds.luminance for light in shown]
    if is_whole:
        linear = way**3
        white = linear.min(axis=1, keepdims=True)
        extracted = _raised(np.hstack((linear - white, white)), _WHITE_EXPONENTS)
        light = extracted @ _lamps(len(_WHITE_EXPONENTS), 4, 4, True)
        relative.append(light / thresholds.of_white)
    by_exponent = multiplied.reshape(len(way), len(_EXPONENTS), 3)
    red, green, blue = by_exponent[:, :, 0], by_exponent[:, :, 1], by_exponent[:, :, 2]
    reds = red[:, :, None, None], green[:, None, :, None], blue[:, None, None, :]
    redness = np.maximum(reds[0] - reds[1] - reds[2], 0.0)
    relative.append(redness.reshape(len(way), -1) / thresholds.red)
    changes = _count(np.hstack(relative).astype(np.float32))
    return max(changes, _count_red_transitions(*reds, thresholds.chromaticity))


def _points(start: RootLight, end: RootLight, is_sparse: bool) -> Floats:
    """Return points of a line: N x 3."""
    count = min(_POINTS, 2 + round(_POINTS * start.distance(end))) if is_sparse else _POINTS
    share = np.linspace(0.0, 1.0, count)
    return np.outer(1.0 - share, start.channels) + np.outer(share, end.channels)


def _raised(channels: Floats, exponents: tuple[float, ...]) -> Floats:
    """Return each channel by each exponent: points x (exponents * channels)."""
    return np.hstack([channels**exponent for exponent in exponents]).astype(np.float32)


@cache
def _lamps(exponents: int, channels: int, steps: int, in_pairs: bool) -> Floats:
    """Return the weights of the lamps: (exponents * channels) x lamps.

    :param steps: number of steps of each weight.
    :param in_pairs: whether at most two weights are above 0.
    """
    weights = [
        parts
        for parts in product(range(steps + 1), repeat=channels)
        if sum(parts) == steps and (not in_pairs or sum(part > 0 for part in parts) <= 2)
    ]
    lamps = set()
    for powers, parts in product(product(range(exponents), repeat=channels), weights):
        lamp = [0.0] * (exponents * channels)
        for k, (power, part) in enumerate(zip(powers, parts, strict=True)):
            lamp[power * channels + k] = part / steps
        lamps.add(tuple(lamp))
    return np.array(sorted(lamps), dtype=np.float32).T


def _count(relative: Floats) -> int:
    """Return the maximum number of alternating changes of 1 in a column."""
    low = high = relative[0]
    direction = np.zeros(relative.shape[1], dtype=np.int8)
    swings = np.zeros(relative.shape[1], dtype=np.int8)
    for value in relative[1:]:
        low, high = np.minimum(low, value), np.maximum(high, value)
        rises = (direction <= 0) & (value - low >= 1.0)
        falls = (direction >= 0) & (high - value >= 1.0)
        turns = rises | falls
        if turns.any():
            swings += turns
            direction = np.where(rises, _UP, np.where(falls, _DOWN, direction))
            low, high = np.where(turns, value, low), np.where(turns, value, high)
    return int(swings.max())


def _count_red_transitions(red: Floats, green: Floats, blue: Floats, threshold: float) -> int:
    """Return the maximum number of transitions to or from saturated red.

    :param threshold: smallest change of chromaticity that counts.
    """
    total = np.maximum(red + green + blue, 1e-12)
    # CIE 1976 u' and v' of linear sRGB.
    weighted = 3.6593 * red + 11.4432 * green + 4.1146 * blue + 1e-12
    u = 4.0 * (0.4124 * red + 0.3576 * green + 0.1805 * blue) / weighted
    v = 9.0 * (0.2126 * red + 0.7152 * green + 0.0722 * blue) / weighted
    saturated = red / total >= _SATURATED
    was_saturated, u_before, v_before = saturated[0], u[0], v[0]
    transitions = np.zeros(u[0].shape, dtype=np.int8)
    for is_saturated, u_now, v_now in zip(saturated, u, v, strict=True):
        far = np.hypot(u_now - u_before, v_now - v_before) > threshold
        counts = far & (is_saturated | was_saturated)
        transitions += counts
        follows = counts | is_saturated | ~was_saturated
        was_saturated = np.where(follows, is_saturated, was_saturated)
        u_before = np.where(follows, u_now, u_before)
        v_before = np.where(follows, v_now, v_before)
    return int(transitions.max())
