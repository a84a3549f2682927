# SPDX-License-Identifier: Apache-2.0
"""Measure what a model costs: multiply-adds, weights, time."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fer_evaluation.report.provenance import host
from fer_perception.inference.cpu_features import multiplies_int8_fast
from fer_perception.recognition.alignment import CROP_SIZE_PX
from fer_perception.recognition.model_config import Precision, read_config
from fer_perception.recognition.model_store import load_model
from fer_perception.recognition.recognizer import EmotionRecognizer

from ..learning.trained_network import load_network

_LOG = logging.getLogger(__name__)
_BATCHES: Final = (1, 20)
_FACES_PER_BATCH_SIZE: Final = 400


@dataclass(frozen=True)
class Speed:
    """Time of a model on one thread, in the node's precision.

    :ivar ms_per_face: by number of faces in a call, the fastest of many calls: other load on the
        machine affects that one least.
    """

    precision: Precision
    ms_per_face: dict[int, float]


def count_multiply_adds(network: nn.Module) -> int:
    """Return the multiply-adds of one face, of convolutions and products."""
    network.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 1, CROP_SIZE_PX, CROP_SIZE_PX))
    return int(counter.get_total_flops()) // 2


def count_weights(network: nn.Module) -> int:
    """Return the number of learnt weights."""
    return sum(parameter.numel() for parameter in network.parameters())


def measure_speed(folder: Path) -> Speed:
    """Measure the model in ``folder`` on this processor."""
    has_int8 = "int8" in read_config(folder).graph_sha256
    precision: Precision = "int8" if has_int8 and multiplies_int8_fast() else "float32"
    recognizer = EmotionRecognizer(load_model(folder, precision), threads=1)
    rng = np.random.default_rng(0)
    fastest_ms = {}
    for batch in _BATCHES:
        crops = rng.integers(0, 256, (batch, CROP_SIZE_PX, CROP_SIZE_PX), np.uint8)
        times_s = []
        for _ in range(_FACES_PER_BATCH_SIZE // batch):
            start_s = time.perf_counter()
            recognizer.recognize(crops)
            times_s.append(time.perf_counter() - start_s)
        fastest_ms[batch] = 1e3 * min(times_s) / batch
    return Speed(precision, fastest_ms)


def measure_cost(folder: Path, with_speed: bool) -> dict[str, Any]:
    """Return multiply-adds, weights and, if measured, the time a face.

    :param with_speed: measure the time; else that of ``metrics.json`` is kept where it belongs to
        these weights.
    """
    network = load_network(folder).network
    cost: dict[str, Any] = {
        "multiply_adds": count_multiply_adds(network),
        "weights": count_weights(network),
    }
    if with_speed:
        speed = measure_speed(folder)
        cost["speed"] = {"processor": host()["processor"], "precision": speed.precision} | {
            f"ms_per_face_in_{batch}": round(ms, 3) for batch, ms in speed.ms_per_face.items()
        }
        _LOG.info("%s", cost["speed"])
    elif (folder / "metrics.json").is_file():
        earlier = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        if earlier.get("sha256") == read_config(folder).sha256:
            cost |= {k: v for k, v in earlier.get("cost", {}).items() if k == "speed"}
    return cost
