# SPDX-License-Identifier: Apache-2.0
"""Read runs of ``evaluate_bag`` and pair their bags."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..batch.run import BAGS_FOLDER, RUN_FILE
from ..report.output_folder import METRICS_FILE

Document = Mapping[str, Any]


def read_metrics(path: Path) -> dict[str, Any]:
    """Read a metrics.json.

    :param path: of the file, or of the folder that holds it.
    :raises ValueError: when it cannot be read or has another content.
    """
    file = path / METRICS_FILE if path.is_dir() else path
    document = _read_json(file)
    if not isinstance(document, dict) or not isinstance(document.get("metrics"), dict):
        raise ValueError(f"{file} is not a metrics.json of evaluate_bag: 'metrics' is missing")
    return document


def is_run_of_many(path: Path) -> bool:
    """Return whether a path is the folder or ``run.json`` of many bags."""
    return path.name == RUN_FILE or (path / RUN_FILE).is_file()


def read_run(path: Path) -> dict[str, Document]:
    """Return bag name -> ``metrics.json`` of a run of many bags.

    :raises ValueError: when the run is not finished, or a file of it cannot be read.
    """
    folder = path if path.is_dir() else path.parent
    run = _read_json(folder / RUN_FILE)
    if not isinstance(run, dict) or not isinstance(run.get("bags"), list):
        raise ValueError(f"{folder / RUN_FILE} has no 'bags': let evaluate_bag finish the run")
    names = [bag["name"] for bag in run["bags"]]
    return {name: read_metrics(folder / BAGS_FOLDER / name) for name in names}


@dataclass(frozen=True)
class PairedRuns:
    """The bags that two runs have in common.

    :ivar before: ``metrics.json`` of each; in the order of ``names`` and ``after``.
    :ivar notes: bags that are left out, and why.
    :ivar missing: bags that only the first run has: they failed in the second, or were not given.
    """

    names: Sequence[str]
    before: Sequence[Document]
    after: Sequence[Document]
    notes: Sequence[str]
    missing: Sequence[str] = ()


def paired(before: Mapping[str, Document], after: Mapping[str, Document]) -> PairedRuns:
    """Pair the bags of two runs by name and content.

    :raises ValueError: when they have none in common.
    """
    one_run = [*(before.keys() - after.keys()), *(after.keys() - before.keys())]
    both = [name for name in before if name in after]
    other = [n for n in both if before[n]["source"]["sha256"] != after[n]["source"]["sha256"]]
    names = [name for name in both if name not in other]
    missing = sorted(before.keys() - after.keys())
    notes = [
        f"{len(left_out)} bags are left out, as {why}: {', '.join(sorted(left_out)[:5])}"
        + (" ..." if len(left_out) > 5 else "")
        for left_out, why in (
            (one_run, "only one run has them"),
            (other, "their content differs"),
        )
        if left_out
    ]
    if not names:
        raise ValueError("; ".join(["the runs have no bag in common", *notes]))
    return PairedRuns(names, [before[n] for n in names], [after[n] for n in names], notes, missing)


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{file} is not valid JSON: {error}") from error
