# SPDX-License-Identifier: Apache-2.0
"""Names of the classes in data sets and in labels."""

from __future__ import annotations

from typing import Final

from fer_perception.emotions import EMOTIONS

CLASS_NAMES: Final = {
    **{emotion: emotion for emotion in EMOTIONS},
    "angry": "anger",
    "disgusted": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "happy": "happiness",
    "joy": "happiness",
    "sad": "sadness",
    "surprised": "surprise",
}
"""Class by a name in lower case: ours, and those of Kaggle, AffectNet and others."""

OTHER_CLASSES: Final = frozenset({"contempt"})
"""Classes of AffectNet and FER+ that the networks do not have."""
