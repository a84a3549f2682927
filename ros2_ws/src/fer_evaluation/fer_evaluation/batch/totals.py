# SPDX-License-Identifier: Apache-2.0
"""Figures over several recordings, with confidence intervals by bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_perception.emotions import EMOTIONS

from ..report.figures import FIGURES, Figure
from ..scoring.classification_metrics import CALIBRATION_BINS, PREDICTED_LABELS

Floats = NDArray[np.float64]

RESAMPLES: Final = 2000
LEVEL: Final = 95.0
"""Confidence level [%]."""

_SHAPES: Final[Mapping[str, tuple[int, ...]]] = {
    "frames": (),
    "true_faces": (),
    "labels": (len(PREDICTED_LABELS),),
    "confusion": (len(EMOTIONS), len(PREDICTED_LABELS)),
    "bin_count": (CALIBRATION_BINS,),
    "bin_confidence": (CALIBRATION_BINS,),
    "bin_correct": (CALIBRATION_BINS,),
    "id_matched": (),
    "id_counted": (),
    "flips": (),
    "face_s": (),
}


def sums_matrix(documents: Sequence[Mapping[str, Any]]) -> Floats:
    """Return the sums of each recording as a row.

    :param documents: ``metrics.json`` of each.
    :raises ValueError: when one has no sums, as those of earlier versions.
    """
    rows = []
    for document in documents:
        sums = document.get("sums", {})
        try:
            parts = [np.reshape(sums[name], -1) for name in _SHAPES]
        except KeyError as error:
            name = document.get("source", {}).get("name", "a recording")
            raise ValueError(
                f"the metrics.json of {name} has no sum {error}: evaluate it again with this "
                "version"
            ) from None
        rows.append(np.concatenate(parts).astype(np.float64))
    size = sum(int(np.prod(shape)) for shape in _SHAPES.values())
    return np.array(rows) if rows else np.zeros((0, size))


class _Sums:
    """Named parts of rows of sums, each ... x its shape."""

    def __init__(self, rows: Floats) -> None:
        start = 0
        self._parts: dict[str, Floats] = {}
        for name, shape in _SHAPES.items():
            size = int(np.prod(shape))
            self._parts[name] = rows[..., start : start + size].reshape(rows.shape[:-1] + shape)
            start += size

    def __getitem__(self, name: str) -> Floats:
        return self._parts[name]


def _found(sums: _Sums) -> Floats:
    return sums["confusion"].sum((-1, -2))


def _right(sums: _Sums) -> Floats:
    """Return the right predictions of each class."""
    index = np.arange(len(EMOTIONS))
    return np.asarray(sums["confusion"][..., index, index])


def _mean_over_classes(values: Floats, sums: _Sums) -> Floats:
    """Return the mean over the classes that occur in the ground truth."""
    occurs = sums["confusion"].sum(-1) > 0
    return np.where(occurs, values, 0.0).sum(-1) / occurs.sum(-1)


def _balanced_accuracy(sums: _Sums) -> Floats:
    return _mean_over_classes(_right(sums) / sums["confusion"].sum(-1), sums)


def _macro_f1(sums: _Sums) -> Floats:
    truth = sums["confusion"].sum(-1)
    predicted = sums["confusion"].sum(-2)[..., : len(EMOTIONS)]
    return _mean_over_classes(2.0 * _right(sums) / (truth + predicted), sums)


_POOLED: Final[Mapping[str, Callable[[_Sums], Floats]]] = {
    "accuracy": lambda sums: _right(sums).sum(-1) / _found(sums),
    "balanced_accuracy": _balanced_accuracy,
    "macro_f1": _macro_f1,
    "coverage": lambda sums: _found(sums) / sums["true_faces"],
    "idf1": lambda sums: 2.0 * sums["id_matched"] / sums["id_counted"],
    "ece": lambda sums: (
        np.abs(sums["bin_correct"] - sums["bin_confidence"]).sum(-1) / sums["bin_count"].sum(-1)
    ),
    "label_flips_per_minute": lambda sums: 60.0 * sums["flips"] / sums["face_s"],
}


def _share_of(label: str) -> Callable[[_Sums], Floats]:
    index = PREDICTED_LABELS.index(label)
    return lambda sums: sums["labels"][..., index] / sums["labels"].sum(-1)


def _figures() -> list[tuple[Figure, Callable[[_Sums], Floats]]]:
    known = [(figure, _POOLED[figure.key]) for figure in FIGURES if figure.key in _POOLED]
    shares = [
        (
            Figure(
                f"share_{label}", label, "%", 100.0, 0, "Share of the predicted faces with it."
            ),
            _share_of(label),
        )
        for label in PREDICTED_LABELS
    ]
    return known + shares


@dataclass(frozen=True)
class Total:
    """A figure over all recordings.

    :ivar value: in the figure's displayed unit.
    :ivar low: lower end of the confidence interval; None for a single recording.
    :ivar high: upper end.
    """

    figure: Figure
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Difference:
    """The change of a figure between two runs on the same recordings.

    :ivar change: in the figure's displayed unit; low and high are its confidence interval.
    """

    figure: Figure
    before: float
    after: float
    change: float
    low: float | None
    high: float | None

    @property
    def is_significant(self) -> bool:
        """Return whether the confidence interval excludes no change."""
        if self.low is None or self.high is None:
            return False
        return self.low > 0.0 or self.high < 0.0


def totals(rows: Floats) -> list[Total]:
    """Return the figures that are defined, over all recordings together.

    :param rows: the sums of each recording, see :func:`sums_matrix`.
    """
    resampled = _Sums(_weights(len(rows)) @ rows)
    pooled = _Sums(rows.sum(0))
    found = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for figure, of in _figures():
            value = float(of(pooled)) * figure.scale
            if np.isfinite(value) and (value or not figure.key.startswith("share_")):
                low, high = _interval(of(resampled) * figure.scale, len(rows))
                found.append(Total(figure, round(value, 3), low, high))
    return found


def differences(before: Floats, after: Floats) -> list[Difference]:
    """Return the changes of figures common to both runs, by paired bootstrap.

    :param before: the sums of each recording; in the order of ``after``.
    """
    weights = _weights(len(before))
    old, new = _Sums(weights @ before), _Sums(weights @ after)
    old_pooled, new_pooled = _Sums(before.sum(0)), _Sums(after.sum(0))
    found = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for figure, of in _figures():
            was = float(of(old_pooled)) * figure.scale
            now = float(of(new_pooled)) * figure.scale
            if np.isfinite(was) and np.isfinite(now) and (was or now or figure.key in _POOLED):
                low, high = _interval((of(new) - of(old)) * figure.scale, len(before))
                found.append(
                    Difference(
                        figure, round(was, 3), round(now, 3), round(now - was, 3), low, high
                    )
                )
    return found


def _weights(count: int) -> Floats:
    """Return how often each resample draws each recording, RESAMPLES x count.

    Equal in each run, so that equal recordings give equal intervals.
    """
    if not count:
        return np.zeros((RESAMPLES, 0))
    generator = np.random.default_rng(0)
    return generator.multinomial(count, np.full(count, 1.0 / count), RESAMPLES).astype(np.float64)


def _interval(values: Floats, count: int) -> tuple[float | None, float | None]:
    """Return the percentile interval of the resamples that define the figure."""
    defined = values[np.isfinite(values)]
    if count < 2 or not defined.size:
        return None, None
    tail = (100.0 - LEVEL) / 2.0
    low, high = np.percentile(defined, [tail, 100.0 - tail])
    return round(float(low), 3), round(float(high), 3)
