# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
from fer_msgs.msg import EmotionStamped

from fer_perception.emotions import (
    EMOTIONS,
    UNKNOWN,
    circumplex,
    normalized_entropy,
    valence_arousal,
)
from fer_perception.face import BoundingBox, Face
from fer_perception.face_emotion import FaceEmotion


def test_order_is_that_of_the_message():
    assert [getattr(EmotionStamped, label.upper()) for label in EMOTIONS] == list(range(7))
    assert EmotionStamped.UNKNOWN == UNKNOWN
    assert len(EmotionStamped().scores) == len(EMOTIONS)


def test_circumplex_puts_pleasant_right_and_excited_up():
    assert circumplex("neutral") == (0.0, 0.0)
    assert circumplex("happiness")[0] > 0.9
    assert circumplex("sadness")[0] < 0 and circumplex("sadness")[1] < 0
    for label in ("anger", "fear", "disgust"):
        valence, arousal = circumplex(label)
        assert valence < 0 < arousal
    with pytest.raises(ValueError, match="joy"):
        circumplex("joy")


def test_valence_arousal_is_the_weighted_mean():
    one_hot = np.eye(7)[EMOTIONS.index("anger")]
    assert valence_arousal(one_hot) == pytest.approx(circumplex("anger"))
    half = np.zeros(7)
    half[[EMOTIONS.index("neutral"), EMOTIONS.index("happiness")]] = 0.5
    assert valence_arousal(half) == pytest.approx(np.array(circumplex("happiness")) / 2)


def test_entropy_runs_from_certain_to_undecided():
    assert normalized_entropy([1.0, 0, 0, 0, 0, 0, 0]) == 0.0
    assert normalized_entropy([1 / 7] * 7) == pytest.approx(1.0)
    assert normalized_entropy([0.5, 0.5, 0, 0, 0, 0, 0]) == pytest.approx(
        math.log(2) / math.log(7)
    )


def test_label_is_unknown_below_the_threshold_only():
    scores = np.array([0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1], np.float32)
    face = Face(BoundingBox(0, 0, 10, 10), 1.0, np.full((5, 2), np.nan, np.float32))
    emotion = FaceEmotion("f0001", face, scores)
    assert emotion.label() == "sadness"
    assert emotion.label(0.39) == "sadness"
    assert emotion.label(0.41) == UNKNOWN
    assert emotion.confidence == pytest.approx(0.4)
