# SPDX-License-Identifier: Apache-2.0
"""Evaluate many bags into one folder; resume an interrupted run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from fer_common.atomic_file import write_atomically

from ..report import provenance
from ..report.output_folder import METRICS_FILE
from .bag_evaluation import BagOptions
from .index_page import INDEX_FILE, render_index
from .jobs import Job, Outcome, earlier_metrics, write_files
from .local_workers import run_here
from .totals import sums_matrix, totals

RUN_FILE: Final = "run.json"
BAGS_FOLDER: Final = "bags"


@dataclass(frozen=True)
class BatchOptions:
    """How to evaluate many bags.

    :ivar jobs: processes on this machine.
    :ivar scheduler: address of a Dask scheduler to use in their place; may be empty.
    :ivar labels_folder: holds ``NAME.csv`` with the labels of each bag; None for none.
    """

    out: Path
    bag: BagOptions
    jobs: int = 1
    scheduler: str = ""
    overwrite: bool = False
    labels_folder: Path | None = None


@dataclass(frozen=True)
class BatchResult:
    """What a run did.

    :ivar failed: name -> reason of the bags without a report.
    :ivar kept: bags whose earlier report was kept.
    :ivar warnings: limits of the totals.
    """

    evaluated: int
    kept: int
    failed: Mapping[str, str]
    warnings: Sequence[str]


def evaluate_bags(sources: Mapping[str, str], options: BatchOptions) -> BatchResult:
    """Evaluate the bags; write a report of each and an index page.

    A bag that fails does not end the others. Reports of an earlier run with the same options are
    kept.

    :param sources: report name -> path or address.
    :raises FileExistsError: when the folder holds a run with other options, or of other bags.
    :raises ValueError: when no bag could be evaluated.
    """
    run = {"options": _describe(options), "sources": list(sources)}
    _refuse_other_run(options, run)
    options.out.mkdir(parents=True, exist_ok=True)
    if not (options.out / RUN_FILE).exists() or options.overwrite:
        (options.out / INDEX_FILE).unlink(missing_ok=True)
        _write_json(options.out / RUN_FILE, run)
    try:
        return _evaluate(sources, options, run)
    except BaseException:
        _remove_if_without_reports(options.out)
        raise


def _evaluate(
    sources: Mapping[str, str], options: BatchOptions, run: Mapping[str, Any]
) -> BatchResult:
    jobs = {name: _job(name, source, options) for name, source in sources.items()}
    failed: dict[str, str] = {}
    kept = 0
    progress = tqdm(total=len(jobs), unit="bag", disable=options.bag.quiet)
    with progress:
        for outcome in _outcomes(list(jobs.values()), options):
            error = outcome.error or _written(jobs[outcome.name], outcome)
            if error:
                failed[outcome.name] = error
                tqdm.write(f"failed: {outcome.name}: {error}", file=sys.stderr)
            kept += outcome.is_kept
            progress.update()
    if len(failed) == len(jobs):
        raise ValueError(f"none of the {len(jobs)} bags could be evaluated")
    failed = {name: failed[name] for name in jobs if name in failed}
    warnings = _write_index(options, run, [name for name in jobs if name not in failed], failed)
    return BatchResult(len(jobs) - len(failed) - kept, kept, failed, warnings)


def count_reports(out: Path, sources: Mapping[str, str]) -> int:
    """Return how many bags have a report in a run's folder."""
    return sum((out / BAGS_FOLDER / name / METRICS_FILE).exists() for name in sources)


def _outcomes(jobs: Sequence[Job], options: BatchOptions) -> Iterator[Outcome]:
    if options.scheduler:
        from .dask_cluster import run_on_dask

        return run_on_dask(jobs, options.scheduler)
    return run_here(jobs, options.jobs)


def _describe(options: BatchOptions) -> dict[str, Any]:
    """Return what the reports of a run depend on, besides the bags."""
    described = asdict(replace(options.bag, quiet=True, write_bag=None))
    folder = options.labels_folder
    described["labels"] = str(folder.resolve()) if folder is not None else None
    del described["quiet"], described["write_bag"]
    return dict(json.loads(json.dumps(described)))


def _refuse_other_run(options: BatchOptions, run: Mapping[str, Any]) -> None:
    file = options.out / RUN_FILE
    earlier = earlier_metrics(file)
    if options.overwrite or earlier is None:
        return
    before, now = earlier.get("options"), run["options"]
    if before != now:
        names = [n for n in now if not isinstance(before, dict) or before.get(n) != now[n]]
        raise FileExistsError(
            f"{file} is an earlier run's with other {', '.join(names)}: name another folder for "
            "the results with --out, or evaluate all again with --overwrite"
        )
    missing = [name for name in earlier.get("sources", []) if name not in run["sources"]]
    if missing:
        raise FileExistsError(
            f"{file} is an earlier run's that also covers {missing[0]}: name its bags too, or "
            "another folder for the results with --out"
        )


def _remove_if_without_reports(out: Path) -> None:
    """Remove what a run without any report leaves."""
    if any(out.rglob(METRICS_FILE)):
        return
    (out / RUN_FILE).unlink(missing_ok=True)
    for folder, _, _ in os.walk(out, topdown=False):
        with suppress(OSError):  # not empty
            Path(folder).rmdir()


def _job(name: str, source: str, options: BatchOptions) -> Job:
    out = options.out / BAGS_FOLDER / name
    bag = replace(options.bag, quiet=True)
    if options.labels_folder is not None:
        file = options.labels_folder / f"{name}.csv"
        bag = replace(bag, labels=file.resolve() if file.is_file() else None)
    earlier = None if options.overwrite else earlier_metrics(out / METRICS_FILE)
    return Job(name, source, bag, out, earlier, options.overwrite)


def _written(job: Job, outcome: Outcome) -> str:
    """Write a report that was made elsewhere; return the error, if any."""
    if not outcome.files:
        return ""
    try:
        write_files(job, outcome.files)
    except OSError as error:
        return str(error)
    return ""


def _write_index(
    options: BatchOptions,
    run: Mapping[str, Any],
    names: Sequence[str],
    failed: Mapping[str, str],
) -> list[str]:
    """Write the index page and ``run.json``; return the warnings."""
    documents = {
        name: json.loads((options.out / BAGS_FOLDER / name / METRICS_FILE).read_text("utf-8"))
        for name in names
    }
    figures = totals(sums_matrix(list(documents.values())))
    warnings = _warnings(documents, failed, options)
    of_host = _warnings_of_host(documents)
    host = {**provenance.host(), "warnings": of_host}
    results = {
        **run,
        "bags": [
            {"name": name, "sha256": document["source"]["sha256"]}
            for name, document in documents.items()
        ],
        "failed": [{"name": name, "reason": reason} for name, reason in failed.items()],
        "totals": {
            total.figure.key: {"value": total.value, "low": total.low, "high": total.high}
            for total in figures
        },
        "warnings": warnings,
    }
    shown = {**results, "warnings": [*warnings, *of_host]}
    page = render_index(options.out.resolve().name, documents, figures, shown, host)
    write_atomically(options.out / INDEX_FILE, page.encode())
    _write_json(options.out / RUN_FILE, {**results, "host": host})
    return [*warnings, *of_host]


def _warnings(
    documents: Mapping[str, Mapping[str, Any]], failed: Mapping[str, str], options: BatchOptions
) -> list[str]:
    warnings = []
    if failed:
        total = len(documents) + len(failed)
        warnings.append(f"{len(failed)} of {total} bags are not in the figures: they failed")
    damaged = sum(
        bool(document["warnings"] or document["unused"]) for document in documents.values()
    )
    if damaged:
        warnings.append(f"{damaged} bags have warnings of their own: see their reports")
    if options.labels_folder is not None:
        without = [n for n, document in documents.items() if not document["source"]["labels"]]
        if without:
            warnings.append(
                f"{len(without)} bags have no labels in {options.labels_folder.name}, for example "
                f"{without[0]}.csv"
            )
    models = {document["model"]["sha256"] for document in documents.values()}
    if len(models) > 1:
        warnings.append(f"the reports are of {len(models)} models")
    return warnings


def _warnings_of_host(documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the warnings that may differ between equal runs."""
    revisions = {document["host"].get("git_revision") for document in documents.values()}
    if len(revisions) < 2:
        return []
    return [f"the reports are of {len(revisions)} revisions of the code"]


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())
