# SPDX-License-Identifier: Apache-2.0
"""Identity metrics: id switches and IDF1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from .matching import FaceMatch


class Identities:
    """Count the predicted ids of each ground-truth face.

    IDF1 is the F1 score of the best one-to-one assignment of ids to ground-truth faces over the
    whole recording (Ristani et al. 2016, "Performance Measures and a Data Set for Multi-Target,
    Multi-Camera Tracking").

    :ivar switches: number of times a ground-truth face got another id than before.
    """

    def __init__(self) -> None:
        self.switches = 0
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._truth_count = self._predicted_count = 0
        self._last_id: dict[str, str] = {}

    def reset(self) -> None:
        """Restart after a step back in time, without counting a switch."""
        self._last_id = {}

    def add(self, matches: Sequence[FaceMatch], predicted_count: int) -> None:
        """Count a frame.

        :param predicted_count: predicted faces in it, also those without a match.
        """
        self._truth_count += len(matches)
        self._predicted_count += predicted_count
        for match in matches:
            if match.predicted is None:
                continue
            true_id, predicted_id = match.ground_truth.face_id, match.predicted.face_id
            self._pairs[true_id, predicted_id] += 1
            self.switches += self._last_id.get(true_id, predicted_id) != predicted_id
            self._last_id[true_id] = predicted_id

    @property
    def counted(self) -> int:
        """Return the number of ground-truth and predicted faces, summed over frames."""
        return self._truth_count + self._predicted_count

    def matched(self) -> int:
        """Return the number of faces with the id assigned to their truth."""
        rows = {true_id: n for n, true_id in enumerate(dict.fromkeys(t for t, _ in self._pairs))}
        columns = {p: n for n, p in enumerate(dict.fromkeys(p for _, p in self._pairs))}
        counts = np.zeros((len(rows), len(columns)), np.int64)
        for (true_id, predicted_id), count in self._pairs.items():
            counts[rows[true_id], columns[predicted_id]] = count
        return int(counts[linear_sum_assignment(counts, maximize=True)].sum())

    def idf1(self) -> float | None:
        """Return IDF1 in [0, 1]; None without any face."""
        return 2.0 * self.matched() / self.counted if self.counted else None
