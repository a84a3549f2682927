# SPDX-License-Identifier: Apache-2.0
"""Run another package's tracker in its environment; see :mod:`bench.tracking.peer_trackers`.

``peer_worker.py NAME RATE_HZ MAX_LOST_S`` reads a line of JSON for each frame, with [left, top,
right, bottom, confidence] of each face, and answers with one: {"ids": [[index of the face, id],
...], "ms": time}.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Update = Callable[[Any], list[tuple[int, int]]]


def norfair(rate_hz: float, max_lost_s: float) -> Update:
    """Return norfair's tracker by overlap of boxes, with ids from the first frame on."""
    from norfair import Detection, Tracker  # type: ignore[import-not-found]

    tracker = Tracker(
        distance_function="iou",
        distance_threshold=0.7,
        hit_counter_max=max(1, round(rate_hz * max_lost_s)),
        initialization_delay=0,
    )
    number = 0

    def update(faces: Any) -> list[tuple[int, int]]:
        nonlocal number
        number += 1
        detections = [
            Detection(face[:4].reshape(2, 2), data=(number, index))
            for index, face in enumerate(faces)
        ]
        tracked = tracker.update(detections)
        seen = [(track.last_detection.data, track.id) for track in tracked]
        return [(index, face_id) for (frame, index), face_id in seen if frame == number]

    return update


def bytetrack(rate_hz: float, max_lost_s: float) -> Update:
    """Return the ByteTrack of supervision."""
    import supervision  # type: ignore[import-not-found]

    # The buffer is in frames of 30 Hz.
    tracker = supervision.ByteTrack(
        lost_track_buffer=round(30.0 * max_lost_s), frame_rate=round(rate_hz)
    )

    def update(faces: Any) -> list[tuple[int, int]]:
        detections = supervision.Detections(
            xyxy=faces[:, :4],
            confidence=faces[:, 4],
            class_id=np.zeros(len(faces), int),
            data={"index": np.arange(len(faces))},
        )
        tracked = tracker.update_with_detections(detections)
        if not len(tracked):
            return []
        return list(zip(tracked.data["index"].tolist(), tracked.tracker_id.tolist(), strict=True))

    return update


TRACKERS = {tracker.__name__: tracker for tracker in (norfair, bytetrack)}


def main() -> None:
    """Answer requests until the input ends."""
    update = TRACKERS[sys.argv[1]](float(sys.argv[2]), float(sys.argv[3]))
    for line in sys.stdin:
        faces = np.array(json.loads(line), float).reshape(-1, 5)
        start = time.process_time()
        ids = update(faces)
        elapsed_ms = 1e3 * (time.process_time() - start)
        print("answer " + json.dumps({"ids": ids, "ms": elapsed_ms}), flush=True)


if __name__ == "__main__":
    main()
