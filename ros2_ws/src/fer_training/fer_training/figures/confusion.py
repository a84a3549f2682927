# SPDX-License-Identifier: Apache-2.0
"""Draw the confusion matrices of model cards: ``python -m fer_training.figures.confusion``.

The cards contain the counts as CSV; the documentation's pictures are drawn from them.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CORNER = "true \\ predicted"


def write_confusion(path: Path, labels: tuple[str, ...], counts: NDArray[np.integer]) -> None:
    """Write a confusion matrix as CSV.

    :param counts: classes x classes; a row per true class, a column per predicted one.
    """
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([CORNER, *labels])
        writer.writerows([label, *row] for label, row in zip(labels, counts, strict=True))


def read_confusion(path: Path) -> tuple[list[str], NDArray[np.int64]]:
    """Return the labels and counts (classes x classes) of a confusion matrix.

    :raises ValueError: when the file is not a square table of counts.
    """
    with path.open(newline="") as file:
        [_, *labels], *rows = csv.reader(file)
    if [row[0] for row in rows] != labels:
        raise ValueError(f"{path}: the rows' labels are not the columns'")
    return labels, np.array([row[1:] for row in rows], np.int64)


def draw_confusion(path: Path, picture: Path, title: str) -> None:
    """Draw the confusion matrix in ``path``, each row as shares, into ``picture``."""
    from matplotlib.figure import Figure

    labels, counts = read_confusion(path)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for row, column in np.ndindex(*shares.shape):
        share = shares[row, column]
        color = "white" if share > 0.5 else "black"
        axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=color)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    figure.savefig(picture, dpi=100)


def main(args: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="confusion", description="Draw every confusion matrix of the model cards."
    )
    parser.add_argument("models", type=Path, help="folder of the models")
    parser.add_argument("out", type=Path, help="folder for the pictures, MODEL_SET.png")
    options = parser.parse_args(args)
    paths = sorted(options.models.glob("*/confusion_*.csv"))
    if not paths:
        parser.exit(2, f"confusion: no confusion_*.csv below {options.models}\n")
    options.out.mkdir(parents=True, exist_ok=True)
    for path in paths:
        model, evaluation_set = path.parent.name, path.stem.removeprefix("confusion_")
        picture = options.out / f"{model}_{evaluation_set}.png"
        draw_confusion(path, picture, f"{model} on {evaluation_set}")


if __name__ == "__main__":
    main()
