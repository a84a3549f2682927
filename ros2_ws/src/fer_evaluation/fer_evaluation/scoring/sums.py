# SPDX-License-Identifier: Apache-2.0
"""Counts of a run that add up over several runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sums:
    """What the figures over several recordings are made of.

    :ivar frames: frames, also unreadable ones.
    :ivar true_faces: ground-truth faces, summed over the labelled frames.
    :ivar labels: 8, predicted faces by label.
    :ivar confusion: 7 x 8, ground truth by predicted label of the faces that were found.
    :ivar bin_count: 15, predictions by confidence.
    :ivar bin_confidence: 15, sum of their confidences.
    :ivar bin_correct: 15, number of correct ones.
    :ivar id_matched: faces with the id that is assigned to their person, see
        :class:`~.identities.Identities`.
    :ivar id_counted: ground-truth faces and predicted ones; 0 where labels name no faces.
    :ivar flips: changes of label.
    :ivar face_s: time for which faces were visible, summed over faces [s].
    """

    frames: int
    true_faces: int
    labels: list[int]
    confusion: list[list[int]]
    bin_count: list[int]
    bin_confidence: list[float]
    bin_correct: list[int]
    id_matched: int
    id_counted: int
    flips: int
    face_s: float
