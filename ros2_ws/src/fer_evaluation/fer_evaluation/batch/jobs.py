# SPDX-License-Identifier: Apache-2.0
"""Evaluate one bag of many and say how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2

from fer_perception.inference.model_files import ModelError
from fer_perception.runtime.shared_parts import SharedParts

from ..bags.bag_error import BagError
from ..bags.remote_bags import is_address, local_copy
from ..bags.storage_formats import is_bag
from ..report.output_folder import OutputFolder
from ..scoring.ground_truth import LabelError
from .bag_evaluation import BagOptions, evaluate_bag, refuse_media

EXPECTED_ERRORS = (BagError, LabelError, ModelError, ValueError, ModuleNotFoundError, OSError)
"""Errors whose message says what is wrong with the input."""


@dataclass(frozen=True)
class Job:
    """A bag to evaluate.

    :ivar name: unique in the run.
    :ivar source: absolute path, or an address of fsspec.
    :ivar out: folder of its report.
    :ivar earlier: its report's ``metrics.json`` of an earlier run, to keep if it fits; else None.
    :ivar overwrite: replace a report of an earlier run.
    """

    name: str
    source: str
    options: BagOptions
    out: Path
    earlier: Mapping[str, Any] | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Outcome:
    """How the evaluation of a bag ended.

    :ivar error: why there is no report; empty for success.
    :ivar is_kept: whether an earlier report was kept.
    :ivar files: name -> content of the report where it was not written yet.
    """

    name: str
    error: str = ""
    is_kept: bool = False
    files: Mapping[str, bytes] = field(default_factory=dict)


def earlier_metrics(file: Path) -> Mapping[str, Any] | None:
    """Return an earlier ``metrics.json``; None where there is none."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def run_job(job: Job, parts: SharedParts | None = None) -> Outcome:
    """Evaluate the bag and write its report.

    No error of one bag ends the others.
    """
    cv2.setNumThreads(1)
    try:
        with ExitStack() as stack:
            path = Path(job.source)
            if is_address(job.source):
                path = stack.enter_context(local_copy(job.source))
            if not is_bag(path):
                refuse_media(path)
            has_earlier = job.earlier is not None
            folder = OutputFolder(job.out, job.overwrite or has_earlier)
            results = evaluate_bag(path, job.options, folder, job.earlier, parts)
        return Outcome(job.name, is_kept=results is None)
    except EXPECTED_ERRORS as error:
        return Outcome(job.name, " ".join(str(error).split()))
    except Exception as error:
        text = " ".join(str(error).split())
        return Outcome(job.name, f"unexpected {type(error).__name__}: {text}")


def run_job_elsewhere(job: Job) -> Outcome:
    """Evaluate the bag on a machine without access to the report's disk.

    :returns: the report's files in place of a folder.
    """
    with TemporaryDirectory(prefix="fer_report_") as folder:
        out = Path(folder) / "report"
        here = Job(job.name, job.source, job.options, out, job.earlier, job.overwrite)
        outcome = run_job(here)
        if outcome.error or outcome.is_kept:
            text = outcome.error.replace(str(out), str(job.out))
            return Outcome(job.name, text, outcome.is_kept)
        files = {file.name: file.read_bytes() for file in sorted(out.iterdir())}
    return Outcome(job.name, files=files)


def write_files(job: Job, files: Mapping[str, bytes]) -> None:
    """Write the report of a bag that was evaluated elsewhere.

    :raises OSError: what the disk says; also where an earlier report would be overwritten.
    """
    with OutputFolder(job.out, job.overwrite) as folder:
        for name, content in files.items():
            folder.path(name).write_bytes(content)
