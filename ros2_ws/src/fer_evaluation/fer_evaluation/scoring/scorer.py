# SPDX-License-Identifier: Apache-2.0
"""Score predictions against ground truth, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

from fer_common.resettable_clock import MAX_OVERTAKING_S
from fer_perception.emotions import EMOTIONS

from .classification_metrics import PREDICTED_LABELS, ClassFigures, ClassificationMetrics
from .ground_truth import GroundTruth
from .identities import Identities
from .label_changes import LabelFlips, SwitchTimes
from .matching import MIN_IOU, FaceMatch, FaceMatcher
from .mistakes import Mistakes
from .predicted_face import PredictedFrame
from .presence import Presence
from .sums import Sums
from .timeline import Timeline

# A larger step back in time is a restart of the recording.
_MAX_OVERTAKING_NS = round(1e9 * MAX_OVERTAKING_S)


@dataclass(frozen=True)
class Metrics:
    """All metrics of a run: shares in [0, 1], None if undefined.

    :ivar frames: frames of the input, including unreadable ones.
    :ivar unreadable_frames: images that could not be read.
    :ivar frames_with_faces: frames with a predicted face.
    :ivar faces: predicted faces, summed over frames.
    :ivar most_faces_at_once: largest number of faces in one frame.
    :ivar face_ids: number of different ids.
    :ivar expressions: predicted label -> share of the predicted faces, the largest first.
    :ivar duration_s: time from the first to the last frame.
    :ivar true_faces: ground-truth faces, summed over the labelled frames.
    :ivar coverage: share of the ground-truth faces that were found.
    :ivar accuracy: share of right labels among the ground-truth faces that were found.
    :ivar right_of_true_faces: coverage times accuracy: a face that was not found counts as wrong.
    :ivar balanced_accuracy: mean recall of the classes that occur in the ground truth.
    :ivar macro_f1: mean of their F1 scores.
    :ivar ece: expected calibration error, over 15 bins of equal width.
    :ivar label_flips_per_minute: changes of label, right and wrong, per minute of a visible face.
    :ivar true_changes: changes of the ground truth.
    :ivar missed_changes: those that were never predicted.
    :ivar time_to_switch_mean_s: from a change of the ground truth to its prediction; likewise
        median, max.
    :ivar id_switches: number of times a ground-truth face got another id than before.
    :ivar idf1: F1 score of the ids.
    :ivar flash_limit_interventions: number of times the flash limiter limited the lamp.
    :ivar classes: precision, recall, F1 and support of each class that occurs.
    :ivar confusion: ground truth -> prediction -> count.
    """

    frames: int
    unreadable_frames: int
    frames_with_faces: int
    faces: int
    most_faces_at_once: int
    face_ids: int
    expressions: dict[str, float]
    duration_s: float
    true_faces: int
    coverage: float | None
    accuracy: float | None
    right_of_true_faces: float | None
    balanced_accuracy: float | None
    macro_f1: float | None
    ece: float | None
    label_flips_per_minute: float | None
    true_changes: int
    missed_changes: int
    time_to_switch_mean_s: float | None
    time_to_switch_median_s: float | None
    time_to_switch_max_s: float | None
    id_switches: int | None
    idf1: float | None
    flash_limit_interventions: int | None
    classes: dict[str, ClassFigures]
    confusion: dict[str, dict[str, int]]


class Scoring:
    """Score frames in time order, in memory of a fixed size.

    A step back in time of more than a second is a restart of the recording: it counts neither as
    a flip, nor as a switch of ids, nor as a change of the ground truth.

    :param truth: None without labels.
    :param min_iou: see :data:`~.matching.MIN_IOU`.
    """

    def __init__(self, truth: GroundTruth | None = None, min_iou: float = MIN_IOU) -> None:
        self.truth = truth
        self.classification = ClassificationMetrics()
        self.timeline = Timeline()
        self.presence = Presence()
        self.mistakes = Mistakes()
        self._matcher = FaceMatcher(min_iou)
        self._identities = Identities()
        self._flips = LabelFlips()
        self._switches = SwitchTimes()
        self._frames = self._unreadable = self._true_faces = 0
        self._last_ns = 0

    def add_unreadable(self) -> None:
        """Count an image that could not be read."""
        self._frames += 1
        self._unreadable += 1

    def add(self, frame: PredictedFrame) -> list[FaceMatch]:
        """Score a frame and return its ground-truth faces with their predictions."""
        if frame.stamp_ns < self._last_ns - _MAX_OVERTAKING_NS:
            self._reset()
        self._last_ns = frame.stamp_ns
        self._frames += 1
        self.presence.add(frame)
        self._flips.add(frame.stamp_ns, frame.faces)
        faces = self.truth.at(frame.stamp_ns) if self.truth else None
        matches: list[FaceMatch] = []
        if faces is not None:
            matches = self._matcher.match(faces, frame.faces)
            self._count(frame, matches)
        self.timeline.add(frame, matches)
        return matches

    def add_untimed(self, frame: PredictedFrame) -> list[FaceMatch]:
        """Count a frame without time, and so without ids and labels."""
        self._frames += 1
        self.presence.add(frame)
        return []

    def add_picture(self, match: FaceMatch, frame: PredictedFrame) -> None:
        """Score a picture with one ground-truth face and no time.

        :param frame: its predictions; the stamp is the picture's number.
        """
        self._frames += 1
        self._true_faces += 1
        self.presence.add(frame)
        if match.predicted is not None:
            self.classification.add(
                match.ground_truth.label, match.predicted.label, match.predicted.scores
            )
        if not match.correct:
            self.mistakes.add_picture(match, frame.stamp_ns)

    def _count(self, frame: PredictedFrame, matches: Sequence[FaceMatch]) -> None:
        self._true_faces += len(matches)
        for match in matches:
            if match.predicted is not None:
                self.classification.add(
                    match.ground_truth.label, match.predicted.label, match.predicted.scores
                )
        self._identities.add(matches, len(frame.faces))
        self._switches.add(frame.stamp_ns, matches)
        self.mistakes.add(frame.stamp_ns, matches)

    def _reset(self) -> None:
        for part in (
            self._matcher,
            self._identities,
            self._flips,
            self._switches,
            self.mistakes,
        ):
            part.reset()

    @property
    def _has_identities(self) -> bool:
        return self.truth is not None and self.truth.distinguishes_faces

    def sums(self) -> Sums:
        """Return the counts so far that add up over recordings."""
        classification, identities = self.classification, self._identities
        return Sums(
            frames=self._frames,
            true_faces=self._true_faces,
            labels=[self.presence.labels[label] for label in PREDICTED_LABELS],
            confusion=classification.confusion.tolist(),
            bin_count=classification.bin_count.tolist(),
            # The sixth decimal and on differ between processors.
            bin_confidence=classification.bin_confidence.round(5).tolist(),
            bin_correct=classification.bin_correct.tolist(),
            id_matched=identities.matched() if self._has_identities else 0,
            id_counted=identities.counted if self._has_identities else 0,
            flips=self._flips.flips,
            face_s=round(self._flips.face_s, 6),
        )

    def metrics(self, flash_limit_interventions: int | None = None) -> Metrics:
        """Return the metrics so far."""
        classification, delays = self.classification, self._switches.delays_s
        has_identities = self._has_identities
        right = int(classification.confusion.diagonal().sum())
        return Metrics(
            frames=self._frames,
            unreadable_frames=self._unreadable,
            frames_with_faces=self.presence.frames_with_faces,
            faces=self.presence.faces,
            most_faces_at_once=self.presence.most_at_once,
            face_ids=len(self.presence.ids),
            expressions=self.presence.shares(),
            duration_s=round(self.timeline.duration_s, 6),
            true_faces=self._true_faces,
            coverage=_rounded(classification.count / self._true_faces)
            if self._true_faces
            else None,
            accuracy=_rounded(classification.accuracy()),
            right_of_true_faces=_rounded(right / self._true_faces) if self._true_faces else None,
            balanced_accuracy=_rounded(classification.balanced_accuracy()),
            macro_f1=_rounded(classification.macro_f1()),
            ece=_rounded(classification.ece()),
            label_flips_per_minute=_rounded(self._flips.per_minute()),
            true_changes=len(delays) + self._switches.missed,
            missed_changes=self._switches.missed,
            time_to_switch_mean_s=_rounded(mean(delays)) if delays else None,
            time_to_switch_median_s=_rounded(median(delays)) if delays else None,
            time_to_switch_max_s=_rounded(max(delays)) if delays else None,
            id_switches=self._identities.switches if has_identities else None,
            idf1=_rounded(self._identities.idf1()) if has_identities else None,
            flash_limit_interventions=flash_limit_interventions,
            classes={
                name: ClassFigures(
                    round(figures.precision, 5),
                    round(figures.recall, 5),
                    round(figures.f1, 5),
                    figures.support,
                )
                for name, figures in classification.classes().items()
            },
            confusion=confusion_by_name(classification),
        )


def confusion_by_name(classification: ClassificationMetrics) -> dict[str, dict[str, int]]:
    """Return ground truth -> prediction -> count, without empty cells."""
    return {
        name: {
            a: int(n)
            for a, n in zip(PREDICTED_LABELS, classification.confusion[row], strict=True)
            if n
        }
        for row, name in enumerate(EMOTIONS)
        if classification.confusion[row].any()
    }


def _rounded(value: float | None) -> float | None:
    # The sixth decimal and on differ between processors.
    return None if value is None else round(value, 5)
