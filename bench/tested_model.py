# SPDX-License-Identifier: Apache-2.0
"""The measured model and the node's pipeline with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fer_perception.pipeline import FramePipeline
from fer_perception.recognition.installed_models import DEFAULT_MODEL
from fer_perception.settings import PerceptionSettings, build_pipeline

FOLDER = Path(__file__).resolve().parent.parent / "models" / DEFAULT_MODEL


def pipeline_of_the_node(changes: Mapping[str, Any]) -> FramePipeline:
    """Return the node's pipeline with its defaults and ``changes``."""
    return build_pipeline(PerceptionSettings(**{"model": str(FOLDER), **changes}))
