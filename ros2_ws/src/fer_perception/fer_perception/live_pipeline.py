# SPDX-License-Identifier: Apache-2.0
"""A pipeline that can be reconfigured while its stream runs."""

from __future__ import annotations

import threading
from collections.abc import Set
from contextlib import AbstractContextManager
from typing import Any

from .pipeline import FramePipeline
from .runtime.shared_parts import SharedParts
from .settings import PerceptionSettings, PipelineChange, build_pipeline, prepare_change


class LivePipeline:
    """Hold the pipeline of one stream and reconfigure it.

    A change is prepared first, so that applying it cannot fail.

    :param turns: lock held while the pipeline is used; one for all pipelines that share parts.
    :param parts: cache of detectors and networks, shared by the pipelines of this process.
    """

    def __init__(
        self,
        turns: AbstractContextManager[Any] | None = None,
        parts: SharedParts | None = None,
    ) -> None:
        self.turns = turns or threading.Lock()
        self._parts = parts
        self._pipeline: FramePipeline | None = None
        self._change: PipelineChange | None = None

    @property
    def pipeline(self) -> FramePipeline | None:
        """Return the pipeline, None unless built; hold ``turns`` to use it."""
        return self._pipeline

    @property
    def model_id(self) -> str:
        """Return the model in use; empty without one."""
        pipeline = self._pipeline
        return pipeline.recognizer.model_id if pipeline is not None else ""

    @property
    def execution_provider(self) -> str:
        """Return the execution provider, such as "cpu"; empty without a model."""
        pipeline = self._pipeline
        return pipeline.recognizer.execution_provider if pipeline is not None else ""

    def build(self, settings: PerceptionSettings) -> None:
        """Build the pipeline.

        :raises: what :func:`~fer_perception.settings.build_pipeline` raises.
        """
        self._pipeline = build_pipeline(settings, self._parts)

    def drop(self) -> None:
        """Free the pipeline."""
        self._pipeline = self._change = None

    def forget_faces(self) -> None:
        """Drop the looks of all faces; those seen next have new ids."""
        with self.turns:
            if self._pipeline is not None:
                self._pipeline.tracker.reset()

    def prepare(self, settings: PerceptionSettings, changed: Set[str]) -> None:
        """Load the parts of the pipeline that ``changed`` settings affect.

        A changed part is reloaded unless another pipeline already uses it.

        :raises: what :func:`~fer_perception.settings.build_pipeline` raises.
        """
        self._change = None
        if self._pipeline is not None:
            self._change = prepare_change(settings, changed, self._parts or SharedParts())

    def apply(self) -> None:
        """Apply the prepared change, between two frames."""
        change, self._change = self._change, None
        if change is not None and self._pipeline is not None:
            with self.turns:
                change.apply_to(self._pipeline)
