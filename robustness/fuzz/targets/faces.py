# SPDX-License-Identifier: Apache-2.0
"""Faces and stamps of a broken detector or camera, through tracking."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from std_msgs.msg import Header

from fer_common.resettable_clock import StreamClock
from fer_perception.emotions import EMOTIONS
from fer_perception.face import BoundingBox, Face
from fer_perception.face_emotion import FaceEmotion
from fer_perception.nodes.emotion_messages import to_emotion_array
from fer_perception.nodes.event_messages import seen_faces, to_event_message
from fer_perception.recognition.alignment import align_faces
from fer_perception.tracking.face_events import EventConfig, FaceEventDetector
from fer_perception.tracking.recognition_schedule import RecognitionSchedule
from fer_perception.tracking.smoothing import ScoreSmoother
from fer_perception.tracking.tracker import FaceTracker

from ..mutation import nasty_float
from ..target import Target, Try

_IMAGE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


def _face(rng: Random) -> Face:
    """Return a face with an arbitrary box of valid side lengths."""
    if rng.random() < 0.5:
        box = BoundingBox(rng.uniform(-9, 60), rng.uniform(-9, 40), rng.uniform(0, 40), 20.0)
    else:
        numbers = [min(1e6, max(-1e6, nasty_float(rng))) for _ in range(4)]
        numbers = [0.0 if math.isnan(number) else number for number in numbers]
        box = BoundingBox(numbers[0], numbers[1], abs(numbers[2]), abs(numbers[3]))
    if rng.random() < 0.5:
        landmarks = np.array([nasty_float(rng) for _ in range(10)]).reshape(5, 2)
    else:
        landmarks = np.full((5, 2), math.nan)
    with np.errstate(over="ignore"):
        return Face(box, rng.choice((math.nan, 0.0, 0.95, 1.0)), landmarks.astype(np.float32))


def _prepare() -> Try:
    tracker, smoother, schedule = FaceTracker(), ScoreSmoother(0.5), RecognitionSchedule()
    time, events = StreamClock(), FaceEventDetector(EventConfig())
    clock_s = 0.0

    def try_one(rng: Random) -> None:
        nonlocal clock_s
        clock_s = rng.choice((clock_s + 0.033, rng.uniform(0, 4.2e9)))
        stamp_s, is_set_back = time.advance(clock_s)
        if is_set_back:
            tracker.reset()
        tracker.expected(stamp_s)
        faces = [_face(rng) for _ in range(rng.choice((0, 1, 2, 3, 50) if _rarely(rng) else (1,)))]
        crops = align_faces(_IMAGE, faces)
        ids = tracker.update(faces, stamp_s, crops.__getitem__, _rarely(rng))
        named = [(face_id, face) for face_id, face in zip(ids, faces, strict=True) if face_id]
        face_ids = [face_id for face_id, _ in named]
        assert len(set(face_ids)) == len(face_ids)
        smoother.keep_only(tracker.face_ids | set(face_ids))
        due = schedule.due(face_ids, stamp_s, rng.choice((0.0, 10.0)))
        for i in due:
            scores = np.zeros(len(EMOTIONS), np.float32)
            scores[rng.randrange(len(EMOTIONS))] = 1.0
            smoother.update(face_ids[i], scores, stamp_s)
        emotions = [
            FaceEmotion(
                face_id, face, smoother.scores(face_id), steady_label=smoother.label(face_id)
            )
            for face_id, face in named
        ]
        header = Header(frame_id="camera")
        message = to_emotion_array(emotions, header, (64, 48), "m", 0.5, nasty_latency(rng))
        for event in events.update(seen_faces(message), stamp_s):
            to_event_message(event, header)

    return try_one


def _rarely(rng: Random) -> bool:
    return rng.random() < 0.1


def nasty_latency(rng: Random) -> float:
    """Return a time in seconds, as measured by a jumping clock."""
    return rng.choice((0.0, -5.0, 1e-9, 0.01, 1e6))


TARGETS = (Target("faces", 40_000, _prepare),)
