# SPDX-License-Identifier: Apache-2.0
"""Recompute every figure of a model card: ``python -m fer_training.evaluate``."""

from __future__ import annotations

import argparse
import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    recall_score,
)
from torchmetrics.functional.classification import multiclass_calibration_error

from fer_common.atomic_file import replacing, write_atomically
from fer_evaluation.datasets.challenge_sets import read_challenge_sets
from fer_evaluation.datasets.evaluation_sets import (
    EVALUATION_SETS,
    PRIVATE7,
    REPORT,
    LabelledSet,
)
from fer_evaluation.datasets.fer2013 import Fer2013
from fer_evaluation.datasets.fer2013_reader import read_fer2013
from fer_evaluation.datasets.votes import soft_targets
from fer_evaluation.report.provenance import host
from fer_perception.emotions import EMOTIONS
from fer_perception.inference.model_files import ModelError
from fer_perception.recognition.model_config import read_config
from fer_perception.recognition.model_store import Model, load_model
from fer_perception.recognition.recognizer import EmotionRecognizer

from .figures.abstention import Abstention, abstain, draw_abstention, threshold_for
from .figures.confusion import write_confusion
from .figures.cost import count_multiply_adds, count_weights, measure_speed
from .figures.model_card import figures, overview, prior_adjustment_table, write_figures
from .learning.trained_network import load_network

_LOG = logging.getLogger(__name__)
# Attention maps of larger batches take gigabytes.
_BATCH: Final = 32
_CALIBRATION_BINS: Final = 15
_ABSTENTION_ACCURACIES: Final = (0.90, 0.95)
_PRIOR_ADJUSTMENTS: Final = (0.0, 0.3, 1.0)


@dataclass(frozen=True)
class SetMetrics:
    """Metrics of a model on one set.

    Contempt, which a model of seven classes cannot predict, counts as wrong in ``accuracy`` and
    ``balanced_accuracy``; the other figures are over the pictures of the seven classes.

    :ivar images: pictures in the set.
    :ivar accuracy: share of correct predictions.
    :ivar balanced_accuracy: mean recall.
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


@dataclass(frozen=True)
class SplitScores:
    """Scores of the test pictures, N x 7; NaN for other rows.

    :ivar single_view: of the pictures.
    :ivar flip_average: of the pictures and their mirror images together.
    """

    single_view: NDArray[np.float32]
    flip_average: NDArray[np.float32]


def score_images(model: Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the node's scores of ``images``, N x 7."""
    recognizer = EmotionRecognizer(model)
    return np.concatenate(
        [recognizer.recognize(images[i : i + _BATCH]) for i in range(0, len(images), _BATCH)]
    )


def score_splits(model: Model, data: Fer2013) -> SplitScores:
    """Return the scores of all test pictures, shared by the sets."""
    single = np.full((len(data.usage), len(EMOTIONS)), np.nan, np.float32)
    both = single.copy()
    for usage in {evaluation_set.usage for evaluation_set in EVALUATION_SETS}:
        split = data.rows(usage)
        images = data.images[split]
        single[split] = score_images(model, images)
        # The mean of the logits equals that of the scores' logarithms up to a constant.
        mirrored = score_images(model, np.ascontiguousarray(images[:, :, ::-1]))
        both[split] = softmax((np.log(single[split]) + np.log(mirrored)) / 2, axis=1)
    return SplitScores(single, both)


def measure(
    scores: NDArray[np.float32], labels: NDArray[np.int64], votes: NDArray[np.integer]
) -> SetMetrics:
    """Return the metrics of ``scores`` on pictures with these labels and votes."""
    predicted = scores.argmax(axis=1)
    ours = labels < len(EMOTIONS)
    classes = np.arange(len(EMOTIONS))
    recall = recall_score(labels, predicted, labels=classes, average=None, zero_division=0.0)
    with warnings.catch_warnings():  # scikit-learn warns of contempt, which is never predicted
        warnings.simplefilter("ignore", UserWarning)
        balanced = balanced_accuracy_score(labels, predicted)
    exact = scores[ours].astype(np.float64)  # sums to 1 within the precision of its type
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
        accuracy=_rounded(accuracy_score(labels, predicted)),
        balanced_accuracy=_rounded(balanced),
        macro_f1=_rounded(f1_score(labels[ours], predicted[ours], average="macro")),
        nll=_rounded(log_loss(labels[ours], exact / exact.sum(1, keepdims=True), labels=classes)),
        ece=_rounded(ece.item()),
        kl_to_raters=_rounded(divergence.item()),
        recall={name: _rounded(value) for name, value in zip(EMOTIONS, recall, strict=True)},
    )


def _rounded(value: float) -> float:
    # The sixth decimal and on differ between processors.
    return round(float(value), 5)


def evaluate(
    scores: NDArray[np.float32], data: Fer2013, sets: Sequence[LabelledSet] = EVALUATION_SETS
) -> dict[str, SetMetrics]:
    """Return the metrics of ``scores``, one of :class:`SplitScores`, on each set."""
    results = {}
    for evaluation_set in sets:
        rows, labels = evaluation_set.rows_and_labels(data)
        results[evaluation_set.name] = measure(scores[rows], labels, data.votes[rows])
        _LOG.info(_line(evaluation_set, results[evaluation_set.name]))
    return results


def measure_abstention(scores: NDArray[np.float32], data: Fer2013) -> list[Abstention]:
    """Return the effect on ``report`` of thresholds fitted on ``private7``."""
    validation_rows, validation_labels = PRIVATE7.rows_and_labels(data)
    rows, labels = REPORT.rows_and_labels(data)
    return [
        abstain(
            scores[rows],
            labels,
            threshold_for(accuracy, scores[validation_rows], validation_labels),
        )
        for accuracy in _ABSTENTION_ACCURACIES
    ]


def measure_prior_adjustments(
    scores: NDArray[np.float32], data: Fer2013, class_shares: Sequence[float]
) -> list[dict[str, Any]]:
    """Return the effect of ``prior_adjustment`` on ``report`` and ``private7``.

    :param class_shares: of the model; without them it has no effect, and the list is empty.
    """
    points: list[dict[str, Any]] = []
    if not class_shares:
        return points
    log_shares = np.log(np.array(class_shares, np.float32))
    for adjustment in _PRIOR_ADJUSTMENTS:
        point: dict[str, Any] = {"prior_adjustment": adjustment}
        for evaluation_set in (REPORT, PRIVATE7):
            rows, labels = evaluation_set.rows_and_labels(data)
            logits = np.log(scores[rows]) - adjustment * log_shares
            adjusted = softmax(logits, axis=1).astype(np.float32)
            metrics = measure(adjusted, labels, data.votes[rows])
            point[evaluation_set.name] = {
                name: getattr(metrics, name) for name in ("accuracy", "balanced_accuracy", "ece")
            }
        points.append(point)
    return points


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


def measure_cost(folder: Path, with_speed: bool) -> dict[str, Any]:
    """Return multiply-adds, weights and, if measured, the time a face.

    :param with_speed: measure the time; else that of ``metrics.json`` is kept where it belongs to
        these weights.
    """
    network = load_network(folder).network
    cost: dict[str, Any] = {
        "multiply_adds": count_multiply_adds(network),
        "weights": count_weights(network),
    }
    if with_speed:
        speed = measure_speed(folder)
        cost["speed"] = {"processor": host()["processor"], "precision": speed.precision} | {
            f"ms_per_face_in_{batch}": round(ms, 3) for batch, ms in speed.ms_per_face.items()
        }
        _LOG.info("%s", cost["speed"])
    elif (folder / "metrics.json").is_file():
        earlier = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        if earlier.get("sha256") == read_config(folder).sha256:
            cost |= {k: v for k, v in earlier.get("cost", {}).items() if k == "speed"}
    return cost


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
        help="measure the time a face on this processor too; the machine should be idle",
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
        {name: _rounded(value) for name, value in asdict(point).items()} for point in marked
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
