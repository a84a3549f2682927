# SPDX-License-Identifier: Apache-2.0
"""Read the accuracy of the shipped models, as written by ``evaluate``."""

import json
from dataclasses import dataclass
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent / "models"


@dataclass(frozen=True)
class ModelFigures:
    """Figures of one model in percent; see models/README.md for the sets.

    :param report: accuracy on PublicTest, one view.
    :param report_flip: the same averaged with the mirror image.
    :param balanced: mean recall on PublicTest.
    :param ferplus8: accuracy by FER+'s own rule on PrivateTest.
    :param ece: expected calibration error on PublicTest.
    """

    name: str
    report: float
    report_flip: float
    balanced: float
    ferplus8: float
    ece: float


def read() -> list[ModelFigures]:
    """Return the figures of all shipped models, best last."""
    found = []
    for file in MODELS.glob("*/metrics.json"):
        metrics = json.loads(file.read_text())
        one, flip = metrics["single_view"], metrics["flip_average"]
        found.append(
            ModelFigures(
                file.parent.name,
                100 * one["report"]["accuracy"],
                100 * flip["report"]["accuracy"],
                100 * one["report"]["balanced_accuracy"],
                100 * one["ferplus8"]["accuracy"],
                100 * one["report"]["ece"],
            )
        )
    return sorted(found, key=lambda model: model.report)
