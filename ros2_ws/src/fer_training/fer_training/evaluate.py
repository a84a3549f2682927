# SPDX-License-Identifier: Apache-2.0
"""Recompute every figure of a model card: ``python -m fer_training.evaluate``."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from fer_common.atomic_file import replacing, write_atomically
from fer_evaluation.datasets.challenge_sets import read_challenge_sets
from fer_evaluation.datasets.evaluation_sets import EVALUATION_SETS, REPORT, LabelledSet
from fer_evaluation.datasets.fer2013 import Fer2013
from fer_evaluation.datasets.fer2013_reader import read_fer2013
from fer_perception.emotions import EMOTIONS
from fer_perception.inference.model_files import ModelError
from fer_perception.recognition.model_store import load_model

from .figures.abstention import Abstention, draw_abstention, measure_abstention
from .figures.confusion import write_confusion
from .figures.cost import measure_cost
from .figures.model_card import figures, overview, prior_adjustment_table, write_figures
from .figures.prior_adjustment import measure_prior_adjustments
from .figures.set_metrics import SetMetrics, measure, rounded
from .figures.split_scores import score_splits

_LOG = logging.getLogger(__name__)


def evaluate(
    scores: NDArray[np.float32], data: Fer2013, sets: Sequence[LabelledSet] = EVALUATION_SETS
) -> dict[str, SetMetrics]:
    """Return the metrics of ``scores``, one view of :class:`.SplitScores`, on each set."""
    results = {}
    for evaluation_set in sets:
        rows, labels = evaluation_set.rows_and_labels(data)
        results[evaluation_set.name] = measure(scores[rows], labels, data.votes[rows])
        _LOG.info(_line(evaluation_set, results[evaluation_set.name]))
    return results


def draw(
    folder: Path,
    model_id: str,
    scores: NDArray[np.float32],
    data: Fer2013,
    marked: list[Abstention],
) -> None:
    """Write the pictures and tables of the model card into ``folder``."""
    for evaluation_set in EVALUATION_SETS:
        rows, labels = evaluation_set.rows_and_labels(data)
        ours = labels < len(EMOTIONS)
        predicted = scores[rows].argmax(axis=1)
        classes = np.arange(len(EMOTIONS))
        counts = confusion_matrix(labels[ours], predicted[ours], labels=classes)
        with replacing(folder / f"confusion_{evaluation_set.name}.csv") as part:
            write_confusion(part, EMOTIONS, counts)
    rows, labels = REPORT.rows_and_labels(data)
    title = f"{model_id} on {REPORT.name}"
    draw_abstention(folder / "abstention_report.png", scores[rows], labels, marked, title)


def _line(evaluation_set: LabelledSet, metrics: SetMetrics) -> str:
    return (
        f"{evaluation_set.name:<15} {metrics.images} images: accuracy "
        f"{100 * metrics.accuracy:.2f} %, balanced {100 * metrics.balanced_accuracy:.2f} %, "
        f"macro-F1 {100 * metrics.macro_f1:.2f} %, NLL {metrics.nll:.3f}, "
        f"ECE {100 * metrics.ece:.2f} %, KL {metrics.kl_to_raters:.3f}"
    )


def main(args: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="evaluate", description="Measure a model on all evaluation sets."
    )
    parser.add_argument("model", type=Path, help="folder of the model, for example models/NAME")
    parser.add_argument("--data", type=Path, required=True, help="folder of FER2013 with FER+")
    parser.add_argument(
        "--speed",
        action="store_true",
        help="also measure the time per face on this processor; the machine should be idle",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="write metrics.json, the pictures and the card's figures into the model's folder",
    )
    options = parser.parse_args(args)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        data = read_fer2013(options.data)
        sets = (*EVALUATION_SETS, *read_challenge_sets(options.data, data))
        model = load_model(options.model)
    except (FileNotFoundError, ModelError, ValueError) as error:
        parser.exit(2, f"evaluate: {error}\n")
    scores = score_splits(model, data)
    report: dict[str, Any] = {}
    for view, view_scores in asdict(scores).items():
        _LOG.info("%s:", view)
        results = evaluate(view_scores, data, sets)
        report[view] = {name: asdict(metrics) for name, metrics in results.items()}
    marked = measure_abstention(scores.single_view, data)
    for point in marked:
        _LOG.info(
            "min_confidence %.3f: coverage of report %.1f %%, accuracy %.2f %%",
            point.min_confidence,
            100 * point.coverage,
            100 * point.accuracy,
        )
    report["abstention"] = [
        {name: rounded(value) for name, value in asdict(point).items()} for point in marked
    ]
    report["prior_adjustment"] = measure_prior_adjustments(
        scores.single_view, data, model.config.class_shares
    )
    for line in prior_adjustment_table(report["prior_adjustment"]):
        _LOG.info(line)
    report["sha256"] = model.config.sha256
    report["cost"] = measure_cost(options.model, options.speed)
    if options.write:
        draw(options.model, model.model_id, scores.single_view, data, marked)
        text = json.dumps(report, indent=2) + "\n"
        write_atomically(options.model / "metrics.json", text.encode())
        write_figures(options.model / "README.md", figures(report))
        if (options.model.parent / "README.md").is_file():
            write_figures(options.model.parent / "README.md", overview(options.model.parent))


if __name__ == "__main__":
    main()
