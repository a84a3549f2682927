# SPDX-License-Identifier: Apache-2.0
"""Lamps with colour conversions unknown to the limiter.

Each receives the colour in one of the forms sent to lamps, rounded to 8 bit, raises each channel
to its own exponent, rounds again to the steps of its pulse width, and has its own weights, which
sum to 1 at full white.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ambient_light_driver.color.light_color import LightColor
from robustness.soak.flashes import (
    LUMINANCE_CHANGE,
    MAX_FLASHES,
    RED_CHANGE,
    most_flashes,
    opposing_changes,
    red_transitions,
)

Floats = NDArray[np.float64]

LUMINANCE = (0.2126, 0.7152, 0.0722, 1.0)
"""Relative luminance of red, green, blue and white of an ordinary lamp."""


def _bytes(values: Floats) -> Floats:
    return np.round(255.0 * values) / 255.0


def _encoded(linear: Floats) -> Floats:
    high = 1.055 * np.maximum(linear, 1e-9) ** (1.0 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, high)


def _decoded(encoded: Floats) -> Floats:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _linear(rgb: Floats, level: Floats) -> tuple[Floats, Floats]:
    return _bytes(_decoded(rgb) * level), np.ones_like(level)


def _corrected(rgb: Floats, level: Floats) -> tuple[Floats, Floats]:
    return _bytes((_decoded(rgb) * level) ** (1.0 / 3.0)), np.ones_like(level)


def _displayed(rgb: Floats, level: Floats) -> tuple[Floats, Floats]:
    return _bytes(_encoded(_decoded(rgb) * level)), np.ones_like(level)


def _apart(rgb: Floats, level: Floats) -> tuple[Floats, Floats]:
    return _bytes(rgb), _bytes(level)


def _apart_as_a_screen(rgb: Floats, level: Floats) -> tuple[Floats, Floats]:
    return _bytes(rgb), _bytes(_encoded(level))


def _multiplied(rgb: Floats, level: Floats) -> tuple[Floats, Floats]:
    return np.floor(255.0 * _bytes(rgb) * _bytes(level)) / 255.0, np.ones_like(level)


def _with_white(rgb: Floats, level: Floats) -> tuple[Floats, Floats]:
    linear = _decoded(rgb) * level
    white = linear.min(axis=1, keepdims=True)
    return _bytes(np.concatenate((linear - white, white), axis=1)), np.ones_like(level)


def _with_a_dimmer(rgb: Floats, level: Floats) -> tuple[Floats, Floats]:
    return _bytes(_decoded(rgb)), _bytes(level)


FORMS: Mapping[str, Callable[[Floats, Floats], tuple[Floats, Floats]]] = MappingProxyType(
    {
        "linear": _linear,
        "gamma 3": _corrected,
        "displayed": _displayed,
        "apart": _apart,
        "apart, encoded": _apart_as_a_screen,
        "multiplied": _multiplied,
        "dimmer": _with_a_dimmer,
        "white": _with_white,
    }
)
"""Form of the data sent -> (channels, brightness) from sRGB numbers and brightness."""


@dataclass(frozen=True)
class Lamps:
    """Several lamps of one form.

    :ivar exponents: of red, green, blue (and white) of each, 1 to 3.
    :ivar level_exponents: of the brightness, where it is sent separately.
    :ivar weights: of the same channels of each, sum 1.
    """

    form: str
    exponents: Floats
    level_exponents: Floats
    weights: Floats

    def light(self, colors: Sequence[LightColor]) -> Floats:
        """Return the channels of each lamp at each colour, unweighted."""
        channels = np.array([color.channels for color in colors])
        return self.light_of(*FORMS[self.form](channels[:, :3], channels[:, 3:]))

    def light_of(self, sent: Floats, level: Floats) -> Floats:
        """Return the channels sent to each lamp, without its weights.

        :param sent: numbers of the channels, N x C, in [0, 1].
        :param level: brightness that is sent apart, N x 1; ones where it is not.
        """
        shown = sent[None] ** self.exponents[:, None] * level[None] ** self.level_exponents
        return _bytes(shown)


def random_lamps(form: str, count: int, rng: np.random.Generator) -> Lamps:
    """Return lamps of a form; the extreme exponents and weights are frequent."""
    channels = len(FORMS[form](np.zeros((1, 3)), np.zeros((1, 1)))[0][0])
    shared = rng.random((count, 1)) < 0.5
    exponents = np.where(shared, _exponents(rng, (count, 1)), _exponents(rng, (count, channels)))
    weights = rng.dirichlet([0.5] * channels, count)
    ordinary, single = count // 4, count // 3 - count // 4
    weights[:ordinary] = LUMINANCE[:channels]
    weights[ordinary : ordinary + single] = np.eye(channels)[rng.integers(channels, size=single)]
    weights /= weights.sum(axis=1, keepdims=True)
    return Lamps(form, exponents, _exponents(rng, (count, 1, 1)), weights)


def _exponents(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    extreme = rng.choice([1.0, 2.2, 2.8, 3.0], shape)
    return np.where(rng.random(shape) < 0.6, extreme, rng.uniform(1.0, 3.0, shape))


@dataclass(frozen=True)
class Worst:
    """Flashes of the worst lamp in its worst second.

    :ivar general: pairs of opposing changes of luminance.
    :ivar red: the same of saturated red, by the definition that finds more.
    """

    general: int
    red: int

    @property
    def flashes(self) -> int:
        """The larger of the two numbers."""
        return max(self.general, self.red)


def worst_flashes(times_s: Sequence[float], colors: Sequence[LightColor], lamps: Lamps) -> Worst:
    """Return the flashes of the worst of ``lamps``.

    :param times_s: when each of ``colors`` is shown, rising; each stays until the next.
    """
    return flashes_of_light(times_s, lamps.light(colors), lamps.weights)


def flashes_of_light(times_s: Sequence[float], light: Floats, weights: Floats) -> Worst:
    """Return the flashes of the worst of several lamps.

    :param times_s: when each light is shown, rising; each stays until the next.
    :param light: channels of each lamp at each time, L x N x C.
    :param weights: of the channels of each lamp, L x C.
    """
    times = np.array(times_s)
    luminance = (light * weights[:, None]).sum(axis=2)
    red = 320.0 * np.maximum(0.0, light[..., 0] - light[..., 1] - light[..., 2])
    general_pairs = _pairs(times, luminance, LUMINANCE_CHANGE)
    red_pairs = _pairs(times, red, RED_CHANGE)
    newer = max(
        most_flashes(
            list(times_s), [tuple(rgb) for rgb in light[k, :, :3].tolist()], red_transitions
        )
        for k in range(0, len(light), max(1, len(light) // 4))
    )
    return Worst(general_pairs, max(red_pairs, newer))


def _pairs(times: Floats, values: Floats, threshold: float) -> int:
    """Return the maximum pairs of opposing changes in a second, per row.

    Changes are placed at their end, which may count one too many: rows that seem to exceed the
    limit are counted again, second by second.
    """
    ends = np.zeros(values.shape, dtype=bool)
    low = high = values[:, 0]
    direction = np.zeros(len(values), dtype=np.int8)
    for i, value in enumerate(values.T):
        low, high = np.minimum(low, value), np.maximum(high, value)
        rises = (direction <= 0) & (value - low >= threshold)
        falls = (direction >= 0) & (high - value >= threshold)
        ends[:, i] = turns = rises | falls
        direction = np.where(rises, 1, np.where(falls, -1, direction)).astype(np.int8)
        low, high = np.where(turns, value, low), np.where(turns, value, high)
    total = np.cumsum(ends, axis=1)
    first = np.searchsorted(times, times - 1.0, side="right")
    before = np.where(first > 0, total[:, np.maximum(first - 1, 0)], 0)
    pairs = (total - before).max(axis=1) // 2
    worst = int(pairs.max())
    if worst <= MAX_FLASHES:
        return worst
    suspects = np.argsort(pairs)[:-33:-1]
    return max(
        most_flashes(
            times.tolist(), values[k].tolist(), lambda row: opposing_changes(row, threshold)
        )
        for k in suspects
    )
