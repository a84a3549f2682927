# SPDX-License-Identifier: Apache-2.0
"""Write the figures of a model into its card.

Only the text between the two marks is replaced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fer_common.atomic_file import write_atomically

BEGIN: Final = "<!-- figures: written by evaluate --write -->"
END: Final = "<!-- end of figures -->"

REPORT_FIGURES: Final = {
    "baseline_cnn": (60.61, None),
    "deep_emotion": (66.05, None),
    "deep_emotion_msa": (67.86, None),
    "vgg_stn": (81.61, None),
    "vgg_stn_msa": (82.54, 74.7),
}
"""Accuracy and mean recall of the report, in percent, for the set ``report``."""

_COLUMNS: Final = (
    ("accuracy %", "accuracy", 100.0, ".2f"),
    ("balanced %", "balanced_accuracy", 100.0, ".2f"),
    ("macro-F1 %", "macro_f1", 100.0, ".2f"),
    ("NLL", "nll", 1.0, ".3f"),
    ("ECE %", "ece", 100.0, ".2f"),
    ("KL", "kl_to_raters", 1.0, ".3f"),
)
_OVERVIEW_SETS: Final = ("ferplus8", "pose30", "pose45", "occlusion")
_OVERVIEW_FACES: Final = (1, 20)
_VIEWS: Final = {"single_view": "one", "flip_average": "with mirror image"}


def figures(metrics: dict[str, Any]) -> str:
    """Return a card's Markdown tables for the content of ``metrics.json``."""
    heads = " | ".join(head for head, *_ in _COLUMNS)
    lines = [f"| Set | images | view | {heads} |", "|---" * (3 + len(_COLUMNS)) + "|"]
    for set_name in metrics["single_view"]:
        for view, view_name in _VIEWS.items():
            entry = metrics[view][set_name]
            values = " | ".join(
                format(scale * entry[key], style) for _, key, scale, style in _COLUMNS
            )
            lines.append(f"| `{set_name}` | {entry['images']} | {view_name} | {values} |")
    recall = metrics["single_view"]["report"]["recall"]
    lines += [
        "",
        "Recall on `report` (one view): "
        + ", ".join(f"{name} {value:.2f}" for name, value in recall.items())
        + ".",
        "",
        "| `min_confidence` | coverage of `report` % | accuracy at that coverage % |",
        "|---|---|---|",
    ]
    lines += [
        f"| {point['min_confidence']:.2f} | {100 * point['coverage']:.1f} | "
        f"{100 * point['accuracy']:.2f} |"
        for point in metrics["abstention"]
    ]
    lines += ["", *prior_adjustment_table(metrics["prior_adjustment"])]
    return "\n".join(lines)


def prior_adjustment_table(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of the table of the parameter ``prior_adjustment``.

    :param points: from :func:`~..evaluate.measure_prior_adjustments`.
    """
    if not points:
        return []
    columns = [
        (f"`{set_name}`, {head}", set_name, key)
        for set_name in ("report", "private7")
        for head, key, *_ in _COLUMNS
        if key in points[0][set_name]
    ]
    heads = " | ".join(head for head, *_ in columns)
    lines = [f"| `prior_adjustment` | {heads} |", "|---" * (1 + len(columns)) + "|"]
    for point in points:
        values = " | ".join(f"{100 * point[set_name][key]:.2f}" for _, set_name, key in columns)
        lines.append(f"| {point['prior_adjustment']:g} | {values} |")
    return lines


def overview(models: Path) -> str:
    """Return tables of the models in ``models``: accuracy and cost."""
    accuracy_heads = (
        "Model",
        "`report`, accuracy %",
        "the report's",
        "balanced %",
        "the report's",
        "ECE %",
        *(f"`{name}`, accuracy %" for name in _OVERVIEW_SETS),
        "Card",
    )
    cost_heads = (
        "Model",
        "multiply-adds, millions",
        "weights, millions",
        "precision",
        *(f"ms a face, {faces} at once" for faces in _OVERVIEW_FACES),
        "on",
    )
    accuracy_rows, cost_rows = [], []
    for path in sorted(models.glob("*/metrics.json")):
        folder = path.parent
        network = json.loads((folder / "config.json").read_text(encoding="utf-8"))["network"]
        metrics = json.loads(path.read_text(encoding="utf-8"))
        accuracy_rows.append(_accuracy_row(folder.name, network, metrics))
        if "cost" in metrics:
            cost_rows.append(_cost_row(folder.name, metrics["cost"]))
    return "\n".join([*_table(accuracy_heads, accuracy_rows), "", *_table(cost_heads, cost_rows)])


def _accuracy_row(name: str, network: str, metrics: dict[str, Any]) -> list[str]:
    one, both = (metrics[view] for view in _VIEWS)
    accuracy, recall = (
        "" if value is None else f"{value}" for value in REPORT_FIGURES.get(network, (None, None))
    )
    return [
        f"`{name}`",
        f"{100 * one['report']['accuracy']:.2f} "
        f"({100 * both['report']['accuracy']:.2f} with `flip_average`)",
        accuracy,
        f"{100 * one['report']['balanced_accuracy']:.2f}",
        recall,
        f"{100 * one['report']['ece']:.2f}",
        *(
            f"{100 * one[set_name]['accuracy']:.2f}" if set_name in one else ""
            for set_name in _OVERVIEW_SETS
        ),
        f"[card]({name}/README.md)",
    ]


def _cost_row(name: str, cost: dict[str, Any]) -> list[str]:
    speed = cost.get("speed", {})
    times = (speed.get(f"ms_per_face_in_{faces}") for faces in _OVERVIEW_FACES)
    return [
        f"`{name}`",
        f"{cost['multiply_adds'] / 1e6:.1f}",
        f"{cost['weights'] / 1e6:.2f}",
        speed.get("precision", ""),
        *("" if ms is None else f"{ms:.2f}" for ms in times),
        speed.get("processor", ""),
    ]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        "|---" * len(heads) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def replace_figures(text: str, tables: str) -> str:
    """Return ``text`` with ``tables`` between the two marks.

    :raises ValueError: when a mark is missing.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"the card lacks the lines {BEGIN} and {END} around its figures")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables}\n{END}{after}"


def write_figures(path: Path, tables: str) -> None:
    """Write ``tables`` into the card ``path``, creating it if needed."""
    text = (
        path.read_text(encoding="utf-8")
        if path.is_file()
        else f"# {path.parent.name}\n\n{BEGIN}\n{END}\n"
    )
    write_atomically(path, replace_figures(text, tables).encode())
