# SPDX-License-Identifier: Apache-2.0
"""A pipeline that is built, changed and dropped while a stream runs."""

from __future__ import annotations

import threading
from collections.abc import Set
from contextlib import AbstractContextManager
from typing import Any

from .pipeline import EmotionPipeline
from .runtime.shared_parts import SharedParts
from .settings import PerceptionSettings, PipelineChange, build_pipeline, prepare_change


class LivePipeline:
    """Holds the pipeline of one stream; a change is prepared first, so that it cannot fail.

    :param turns: held while the pipeline is used; the same one for pipelines that share parts.
    :param parts: where detector and network are shared with other pipelines of this process.
    """

    def __init__(
        self,
        turns: AbstractContextManager[Any] | None = None,
        parts: SharedParts | None = None,
    ) -> None:
        self.turns = turns or threading.Lock()
        self._parts = parts
        self._pipeline: EmotionPipeline | None = None
        self._change: PipelineChange | None = None

    @property
    def pipeline(self) -> EmotionPipeline | None:
        """Return the pipeline; None unless it was built. Use it while holding ``turns``."""
        return self._pipeline

    @property
    def model_id(self) -> str:
        """Return the model in use; empty without one."""
        pipeline = self._pipeline
        return pipeline.recognizer.model_id if pipeline is not None else ""

    def build(self, settings: PerceptionSettings) -> None:
        """Build the pipeline.

        :raises: what :func:`~fer_perception.settings.build_pipeline` raises.
        """
        self._pipeline = build_pipeline(settings, self._parts)

    def drop(self) -> None:
        """Free the pipeline."""
        self._pipeline = self._change = None

    def prepare(self, settings: PerceptionSettings, changed: Set[str]) -> None:
        """Load what ``settings`` ask for, of which those in ``changed`` are new.

        A part that changes is loaded again, unless another pipeline uses it.

        :raises: what :func:`~fer_perception.settings.build_pipeline` raises.
        """
        self._change = None
        if self._pipeline is not None:
            self._change = prepare_change(settings, changed, self._parts or SharedParts())

    def apply(self) -> None:
        """Apply the change that was prepared, between two frames."""
        change, self._change = self._change, None
        if change is not None and self._pipeline is not None:
            with self.turns:
                change.apply_to(self._pipeline)
