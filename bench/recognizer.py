# SPDX-License-Identifier: Apache-2.0
"""Time a face of the recogniser beside eager PyTorch, interleaved in one run."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from fer_perception.detection.mtcnn import Mtcnn
from fer_perception.images.frame_source import PortraitSource
from fer_perception.inference.onnx_session import present_providers
from fer_perception.recognition.alignment import align_faces
from fer_perception.recognition.model_store import load_model
from fer_perception.recognition.recognizer import EmotionRecognizer
from fer_training.exporting.onnx_export import torch_logits
from fer_training.learning.trained_network import load_network

from .tested_model import FOLDER

BATCHES = (1, 16)
_FACES = 64


@dataclass(frozen=True)
class RecognizerRow:
    """One way to run the network.

    :ivar ms: time a face by batch, medians in milliseconds.
    :ivar ratio: to eager PyTorch, by batch.
    :ivar same_labels: share of the test faces that get eager PyTorch's label.
    """

    name: str
    ms: dict[int, float]
    ratio: dict[int, float]
    same_labels: float


def _test_faces() -> NDArray[np.uint8]:
    """Return crops of the portrait, turned, scaled, darkened and blurred at random."""
    rng = np.random.default_rng(0)
    view = PortraitSource().read()
    [face] = Mtcnn().detect(view)
    crops = []
    for _ in range(_FACES):
        matrix = cv2.getRotationMatrix2D(
            face.box.center, rng.uniform(-25, 25), rng.uniform(0.8, 1.2)
        )
        matrix[:, 2] += rng.normal(0, 8, 2)
        image = cv2.warpAffine(view, matrix, (640, 480))
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 6))
        image = (image * rng.uniform(0.3, 1.0)).astype(np.uint8)
        crops.append(align_faces(image, [face])[0])
    return np.stack(crops)


def measure(rounds: int) -> list[RecognizerRow]:
    """Measure eager PyTorch and ONNX Runtime in each precision, one thread each."""
    torch.set_num_threads(1)
    network = load_network(FOLDER).network
    calls: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.float32]]] = {
        "torch eager float32": lambda crops: torch_logits(network, crops)
    }
    for precision in load_model(FOLDER).config.graph_sha256:
        model = load_model(FOLDER, "int8" if precision == "int8" else "float32")
        calls[f"ours {precision}"] = EmotionRecognizer(model).recognize
    for provider in present_providers()[1:]:
        other = EmotionRecognizer(load_model(FOLDER), execution_provider=provider)
        calls[f"ours float32 on {provider}"] = other.recognize
    faces = _test_faces()
    times: dict[tuple[str, int], list[float]] = {(n, b): [] for n in calls for b in BATCHES}
    for _ in range(rounds):
        for batch in BATCHES:
            for name, call in calls.items():
                start = time.perf_counter()
                call(faces[:batch])
                times[name, batch].append(1e3 * (time.perf_counter() - start) / batch)
    medians = {key: statistics.median(values) for key, values in times.items()}
    labels = {name: call(faces).argmax(axis=1) for name, call in calls.items()}
    eager = next(iter(calls))
    return [
        RecognizerRow(
            name,
            {batch: medians[name, batch] for batch in BATCHES},
            {batch: medians[name, batch] / medians[eager, batch] for batch in BATCHES},
            float((labels[name] == labels[eager]).mean()),
        )
        for name in calls
    ]
