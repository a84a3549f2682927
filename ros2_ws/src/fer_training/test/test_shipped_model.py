# SPDX-License-Identifier: Apache-2.0
"""The shipped weights and what is said of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from fer_evaluation.datasets.evaluation_sets import EVALUATION_SETS, REPORT
from fer_perception.recognition.model_store import load_model
from fer_training.figures.model_card import REPORT_FIGURES
from fer_training.figures.set_metrics import measure
from fer_training.figures.split_scores import score_images

MODELS = Path(__file__).resolve().parents[4] / "models"


@pytest.fixture(
    scope="module", params=sorted(path.parent.name for path in MODELS.glob("*/config.json"))
)
def shipped(request):
    """The folder of each model, one after the other."""
    return MODELS / request.param


@pytest.fixture(scope="module")
def metrics(shipped):
    return json.loads((shipped / "metrics.json").read_text())


def test_metrics_are_those_of_these_weights(shipped, metrics):
    assert metrics["sha256"] == load_model(shipped).config.sha256


def test_every_set_has_the_size_that_its_rule_gives(metrics):
    sizes = {"report": 3529, "private7": 3519, "ferplus8": 3153, "ferplus8_loose": 3573}
    sizes |= {"pose30": 1170, "pose45": 633, "occlusion": 605}
    for view in ("single_view", "flip_average"):
        assert {name: entry["images"] for name, entry in metrics[view].items()} == sizes


def test_the_report_is_reached(shipped, metrics):
    # The report has no compact network: below this, one would not be worth shipping.
    accuracy_percent, _ = REPORT_FIGURES.get(load_model(shipped).config.network, (82.5, None))
    assert 100 * metrics["single_view"]["report"]["accuracy"] >= accuracy_percent


def test_confidence_is_calibrated(metrics):
    assert metrics["single_view"]["report"]["ece"] <= 0.03


def test_weights_still_reach_what_the_metrics_say(shipped, metrics, fer2013):
    rows, labels = REPORT.rows_and_labels(fer2013)
    scores = score_images(load_model(shipped), fer2013.images[rows])
    got, said = measure(scores, labels, fer2013.votes[rows]), metrics["single_view"]["report"]
    assert got.accuracy == pytest.approx(said["accuracy"], abs=1e-3)
    assert got.balanced_accuracy == pytest.approx(said["balanced_accuracy"], abs=5e-3)
    assert got.nll == pytest.approx(said["nll"], abs=5e-3)


def test_sets_have_their_sizes_and_rules(fer2013):
    sizes = {s.name: len(s.rows_and_labels(fer2013)[0]) for s in EVALUATION_SETS}
    assert sizes == {"report": 3529, "private7": 3519, "ferplus8": 3153, "ferplus8_loose": 3573}
    contempt = {s.name: int((s.rows_and_labels(fer2013)[1] == 7).sum()) for s in EVALUATION_SETS}
    assert contempt["report"] == contempt["private7"] == 0 < contempt["ferplus8"]


def test_metrics_count_contempt_as_wrong_and_know_a_perfect_answer():
    labels = np.array([0, 1, 2, 3, 4, 5, 6, 7])
    scores = np.full((8, 7), 0.01, np.float32)
    scores[np.arange(8), [0, 1, 2, 3, 4, 5, 6, 0]] = 0.94
    votes = np.zeros((8, 10), np.uint8)
    votes[np.arange(8), labels] = 10
    with_contempt = measure(scores, labels, votes)
    assert with_contempt.accuracy == pytest.approx(7 / 8)
    assert with_contempt.balanced_accuracy == pytest.approx(7 / 8)
    without = measure(scores[:7], labels[:7], votes[:7])
    assert without.accuracy == without.balanced_accuracy == without.macro_f1 == 1.0
    assert without.ece == pytest.approx(0.06, abs=1e-4)
    assert without.nll == pytest.approx(-np.log(0.94), abs=1e-4)
    assert without.kl_to_raters == pytest.approx(-np.log(0.94), abs=1e-4)
