# SPDX-License-Identifier: Apache-2.0
"""Evaluation by replay of bags and folders of pictures.

Only ``nodes`` needs a ROS installation; bags are read without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_common.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from .bags.bag_error import BagError
    from .bags.bag_images import BagImage, choose_image_topic
    from .bags.bag_reader import BagMessage, BagTopic, OpenBag
    from .bags.bag_writer import BagWriter
    from .datasets.class_folders import read_class_folders
    from .datasets.fer2013 import Fer2013, Usage
    from .datasets.fer2013_reader import read_fer2013
    from .scoring.classification_metrics import ClassificationMetrics
    from .scoring.emotions_csv import LabelledFace, read_emotions
    from .scoring.ground_truth import GroundTruth, LabelError, read_labels

__all__ = [
    "BagError",
    "BagImage",
    "BagMessage",
    "BagTopic",
    "BagWriter",
    "ClassificationMetrics",
    "Fer2013",
    "GroundTruth",
    "LabelError",
    "LabelledFace",
    "OpenBag",
    "Usage",
    "choose_image_topic",
    "read_class_folders",
    "read_emotions",
    "read_fer2013",
    "read_labels",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "BagError": "bags.bag_error",
        "BagImage": "bags.bag_images",
        "BagMessage": "bags.bag_reader",
        "BagTopic": "bags.bag_reader",
        "BagWriter": "bags.bag_writer",
        "ClassificationMetrics": "scoring.classification_metrics",
        "Fer2013": "datasets.fer2013",
        "GroundTruth": "scoring.ground_truth",
        "LabelError": "scoring.ground_truth",
        "LabelledFace": "scoring.emotions_csv",
        "OpenBag": "bags.bag_reader",
        "Usage": "datasets.fer2013",
        "choose_image_topic": "bags.bag_images",
        "read_class_folders": "datasets.class_folders",
        "read_emotions": "scoring.emotions_csv",
        "read_fer2013": "datasets.fer2013_reader",
        "read_labels": "scoring.ground_truth",
    },
)
