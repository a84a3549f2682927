# SPDX-License-Identifier: Apache-2.0
"""Whether faces keep their ids: switches, and IDF1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from .matching import FaceMatch


class Identities:
    """Counts, frame by frame, under which id each true face was seen.

    IDF1 is the F1 score of the best one-to-one assignment of ids to true faces over the whole
    recording (Ristani et al. 2016, "Performance Measures and a Data Set for Multi-Target,
    Multi-Camera Tracking").

    :ivar switches: how often a true face was seen under another id than the time before.
    """

    def __init__(self) -> None:
        self.switches = 0
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._truth_count = self._predicted_count = 0
        self._last_id: dict[str, str] = {}

    def reset(self) -> None:
        """Start anew, as after a step back in time: a new id is then no switch."""
        self._last_id = {}

    def add(self, matches: Sequence[FaceMatch], predicted_count: int) -> None:
        """Count a frame.

        :param predicted_count: faces that were seen in it, also those that match nobody.
        """
        self._truth_count += len(matches)
        self._predicted_count += predicted_count
        for match in matches:
            if match.predicted is None:
                continue
            true_id, seen_id = match.ground_truth.face_id, match.predicted.face_id
            self._pairs[true_id, seen_id] += 1
            self.switches += self._last_id.get(true_id, seen_id) != seen_id
            self._last_id[true_id] = seen_id

    def idf1(self) -> float | None:
        """Return IDF1 in [0, 1]; None where there were neither true nor seen faces."""
        if not self._truth_count + self._predicted_count:
            return None
        rows = {true_id: n for n, true_id in enumerate(dict.fromkeys(t for t, _ in self._pairs))}
        columns = {seen: n for n, seen in enumerate(dict.fromkeys(s for _, s in self._pairs))}
        counts = np.zeros((len(rows), len(columns)))
        for (true_id, seen_id), count in self._pairs.items():
            counts[rows[true_id], columns[seen_id]] = count
        chosen = linear_sum_assignment(counts, maximize=True)
        return float(2.0 * counts[chosen].sum() / (self._truth_count + self._predicted_count))
