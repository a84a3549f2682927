# SPDX-License-Identifier: Apache-2.0
"""Render HTML pages without scripts or requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from fer_perception.emotion_colors import hex_color

from ..scoring.classification_metrics import PREDICTED_LABELS

NOTHING: Final = "–"
"""Stands for an undefined figure."""


@dataclass(frozen=True)
class KeyFigure:
    """A tile at the top of a page.

    :ivar meaning: explanation in one line.
    """

    name: str
    value: str
    unit: str
    detail: str
    meaning: str = ""


def render(template: str, **values: Any) -> str:
    """Return a page of a template."""
    environment = Environment(
        loader=PackageLoader("fer_evaluation.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    defaults: dict[str, Any] = {
        "labels": PREDICTED_LABELS,
        "colors": {label: hex_color(label) for label in PREDICTED_LABELS},
        "tables": [],
    }
    return environment.get_template(template).render(**{**defaults, **values})


def number(value: float | None, digits: int) -> str:
    """Return a number as text."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """Return a share in [0, 1] as text in %."""
    return NOTHING if value is None else f"{100.0 * value:.1f} %"


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return the (name, text) pairs of nested settings."""
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", NOTHING if value is None else str(value)))
    return rows


@dataclass(frozen=True)
class Column:
    """A column of a sortable table.

    :ivar is_number: aligned to the right.
    """

    name: str
    is_number: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell of a sortable table.

    :ivar href: address that the text links to; empty for none.
    :ivar shares: (label, share) of a bar in place of the text.
    """

    text: str = ""
    href: str = ""
    shares: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Row:
    """A row of a sortable table.

    :ivar places: its place in each order, from 0.
    """

    cells: tuple[Cell, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class SortableTable:
    """A table with up to six orders to choose from, without scripts."""

    columns: tuple[Column, ...]
    orders: tuple[str, ...]
    rows: tuple[Row, ...]


def sortable(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    orders: Mapping[str, Sequence[Any]],
) -> SortableTable:
    """Return a table in the first order.

    :param orders: name -> a sortable key for each row.
    """
    places = []
    for keys in orders.values():
        ranked = sorted(range(len(rows)), key=lambda row, keys=keys: keys[row])  # type: ignore[misc]
        places.append({row: place for place, row in enumerate(ranked)})
    built = [
        Row(tuple(cells), tuple(place[n] for place in places)) for n, cells in enumerate(rows)
    ]
    built.sort(key=lambda row: row.places[0])
    return SortableTable(tuple(columns), tuple(orders), tuple(built))
