# SPDX-License-Identifier: Apache-2.0
"""Write the figures of a model into its card.

Only the text between the two marks is replaced.
"""

from __future__ import annotations

import json
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
    return "\n".join(lines)


def overview(models: Path) -> str:
    """Return a row per model in ``models``, beside the report's figures."""
    lines = [
        "| Model | network | `report`, accuracy % | the report's | balanced % | the report's | "
        "`ferplus8`, accuracy % | ECE % | Card |",
        "|---" * 9 + "|",
    ]
    for path in sorted(models.glob("*/metrics.json")):
        folder = path.parent
        network = json.loads((folder / "config.json").read_text(encoding="utf-8"))["network"]
        metrics = json.loads(path.read_text(encoding="utf-8"))
        one, both = (metrics[view]["report"] for view in _VIEWS)
        accuracy, recall = (
            "" if value is None else f"{value}" for value in REPORT_FIGURES[network]
        )
        lines.append(
            f"| `{folder.name}` | `{network}` | {100 * one['accuracy']:.2f} "
            f"({100 * both['accuracy']:.2f} with `flip_average`) | {accuracy} | "
            f"{100 * one['balanced_accuracy']:.2f} | {recall} | "
            f"{100 * metrics['single_view']['ferplus8']['accuracy']:.2f} | "
            f"{100 * one['ece']:.2f} | [card]({folder.name}/README.md) |"
        )
    return "\n".join(lines)


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
