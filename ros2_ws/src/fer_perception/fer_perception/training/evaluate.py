# SPDX-License-Identifier: Apache-2.0
"""Recomputes every number of a model card: ``python -m fer_perception.training.evaluate``."""

from __future__ import annotations

import argparse
import csv
import json
import logging
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    recall_score,
)
from torchmetrics.functional.classification import multiclass_calibration_error

from ..emotions import EMOTIONS
from ..model_store import Model, load_model
from ..recognition import EmotionRecognizer
from .evaluation_sets import EVALUATION_SETS, EvaluationSet
from .fer2013 import Fer2013
from .fer2013_reader import read_fer2013
from .votes import soft_targets

_LOG = logging.getLogger(__name__)
_BATCH: Final = 256
_CALIBRATION_BINS: Final = 15


@dataclass(frozen=True)
class SetMetrics:
    """What a model reaches on one set.

    Contempt, which a model of seven classes cannot answer, counts as wrong in ``accuracy`` and
    ``balanced_accuracy``; the other figures are over the pictures of the seven classes.

    :ivar images: pictures in the set.
    :ivar accuracy: share of right answers.
    :ivar balanced_accuracy: mean of the recalls.
    :ivar macro_f1: mean of the classes' F1 scores.
    :ivar nll: negative log-likelihood of the label, in nats.
    :ivar ece: expected calibration error, over 15 bins of equal width.
    :ivar kl_to_raters: Kullback-Leibler divergence from the raters' distribution to the scores,
        in nats.
    :ivar recall: of each class.
    """

    images: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    nll: float
    ece: float
    kl_to_raters: float
    recall: dict[str, float]


def score_images(
    model: Model, images: NDArray[np.uint8], flip_average: bool
) -> NDArray[np.float32]:
    """Return the scores of ``images``, N x 7, as the node would give them."""
    recognizer = EmotionRecognizer(model, flip_average)
    return np.concatenate(
        [recognizer.recognize(images[i : i + _BATCH]) for i in range(0, len(images), _BATCH)]
    )


def measure(
    scores: NDArray[np.float32], labels: NDArray[np.int64], votes: NDArray[np.integer]
) -> SetMetrics:
    """Return the metrics of ``scores`` on pictures with these labels and votes."""
    guessed = scores.argmax(axis=1)
    ours = labels < len(EMOTIONS)
    classes = np.arange(len(EMOTIONS))
    recall = recall_score(labels, guessed, labels=classes, average=None, zero_division=0.0)
    with warnings.catch_warnings():  # scikit-learn warns of contempt, which is never answered
        warnings.simplefilter("ignore", UserWarning)
        balanced = balanced_accuracy_score(labels, guessed)
    exact = scores[ours].astype(np.float64)  # sums to 1 only to the precision of its type
    ece = multiclass_calibration_error(
        torch.from_numpy(scores[ours]),
        torch.from_numpy(labels[ours]),
        num_classes=len(EMOTIONS),
        n_bins=_CALIBRATION_BINS,
    )
    raters = torch.from_numpy(soft_targets(votes[ours]))
    log_scores = torch.from_numpy(scores[ours]).clamp(min=1e-12).log()
    divergence = torch.nn.functional.kl_div(log_scores, raters, reduction="batchmean")
    return SetMetrics(
        images=len(labels),
        accuracy=_rounded(accuracy_score(labels, guessed)),
        balanced_accuracy=_rounded(balanced),
        macro_f1=_rounded(f1_score(labels[ours], guessed[ours], average="macro")),
        nll=_rounded(log_loss(labels[ours], exact / exact.sum(1, keepdims=True), labels=classes)),
        ece=_rounded(ece.item()),
        kl_to_raters=_rounded(divergence.item()),
        recall={name: _rounded(value) for name, value in zip(EMOTIONS, recall, strict=True)},
    )


def _rounded(value: float) -> float:
    # The sixth decimal and on differ between processors.
    return round(float(value), 5)


def _save_confusion(
    folder: Path, name: str, labels: NDArray[np.int64], guessed: NDArray[np.int64], title: str
) -> None:
    """Write the confusion matrix of one set as a picture and as CSV."""
    from matplotlib.figure import Figure

    counts = confusion_matrix(labels, guessed, labels=np.arange(len(EMOTIONS)))
    with (folder / f"confusion_{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["true \\ answered", *EMOTIONS])
        writer.writerows([emotion, *row] for emotion, row in zip(EMOTIONS, counts, strict=True))
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    display = ConfusionMatrixDisplay(shares, display_labels=EMOTIONS)
    axes = figure.subplots()
    display.plot(ax=axes, cmap="Blues", values_format=".2f", xticks_rotation=45.0, colorbar=False)
    axes.set_title(title)
    figure.savefig(folder / f"confusion_{name}.png", dpi=100)


def evaluate(
    folder: Path, data: Fer2013, flip_average: bool, pictures: bool = True
) -> dict[str, SetMetrics]:
    """Return what the model in ``folder`` reaches on each set.

    :param pictures: also write the confusion matrices into ``folder``.
    """
    model = load_model(folder)
    # Several sets are of the same split, and the scores are what takes time.
    split_scores = np.full((len(data.usage), len(EMOTIONS)), np.nan, np.float32)
    for usage in {evaluation_set.usage for evaluation_set in EVALUATION_SETS}:
        split = data.rows(usage)
        split_scores[split] = score_images(model, data.images[split], flip_average)
    results = {}
    for evaluation_set in EVALUATION_SETS:
        rows, labels = evaluation_set.rows_and_labels(data)
        scores = split_scores[rows]
        metrics = measure(scores, labels, data.votes[rows])
        results[evaluation_set.name] = metrics
        _LOG.info(_line(evaluation_set, metrics))
        if pictures:
            ours = labels < len(EMOTIONS)
            title = f"{model.model_id} on {evaluation_set.name}: {100 * metrics.accuracy:.2f} %"
            _save_confusion(
                folder,
                evaluation_set.name,
                labels[ours],
                scores[ours].argmax(axis=1).astype(np.int64),
                title,
            )
    return results


def _line(evaluation_set: EvaluationSet, metrics: SetMetrics) -> str:
    return (
        f"{evaluation_set.name:<15} {metrics.images} images: accuracy "
        f"{100 * metrics.accuracy:.2f} %, balanced {100 * metrics.balanced_accuracy:.2f} %, "
        f"macro-F1 {100 * metrics.macro_f1:.2f} %, NLL {metrics.nll:.3f}, "
        f"ECE {100 * metrics.ece:.2f} %, KL {metrics.kl_to_raters:.3f}"
    )


def main(args: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure a model on all evaluation sets.")
    parser.add_argument("model", type=Path, help="folder of the model, for example models/NAME")
    parser.add_argument("--data", type=Path, required=True, help="folder of FER2013 with FER+")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write metrics.json and the confusion matrices into the model's folder",
    )
    options = parser.parse_args(args)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    data = read_fer2013(options.data)
    report = {}
    for flip_average in (False, True):
        key = "flip_average" if flip_average else "single_view"
        _LOG.info("%s:", key)
        results = evaluate(options.model, data, flip_average, options.write and not flip_average)
        report[key] = {name: asdict(metrics) for name, metrics in results.items()}
    if options.write:
        config = load_model(options.model).config
        report["sha256"] = config.sha256  # type: ignore[assignment]
        text = json.dumps(report, indent=2) + "\n"
        (options.model / "metrics.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
