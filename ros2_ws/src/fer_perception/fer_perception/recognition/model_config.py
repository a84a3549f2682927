# SPDX-License-Identifier: Apache-2.0
"""Read a model's ``config.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from ..emotions import EMOTIONS
from ..inference.model_files import ModelError

__all__ = [
    "CONFIG_FILE",
    "PRECISIONS",
    "ConvolutionNames",
    "ModelConfig",
    "Precision",
    "SplitConfig",
    "read_config",
]

CONFIG_FILE: Final = "config.json"

Precision: TypeAlias = Literal["float32", "int8"]
"""Precision of a graph: single, or 8-bit integers in its convolutions."""

PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)


@dataclass(frozen=True)
class ConvolutionNames:
    """Names of one convolution's weights in the safetensors file.

    :ivar weight: name of the kernel.
    :ivar bias: name of the bias; empty without one.
    :ivar normalization: names of the batch normalisation's scale, offset, mean and variance;
        empty without one.
    :ivar epsilon: of the batch normalisation.
    :ivar pooled: whether a 2 x 2 max-pool follows the ReLU.
    """

    weight: str
    bias: str
    normalization: tuple[str, ...]
    epsilon: float
    pooled: bool


@dataclass(frozen=True)
class SplitConfig:
    """Split of the float32 graph around its native convolutions.

    :ivar before_sha256: of the ONNX file with the part before the convolutions.
    :ivar after_sha256: of the ONNX file with the part after them.
    :ivar convolutions: the layers between, in order.
    """

    before_sha256: str
    after_sha256: str
    convolutions: tuple[ConvolutionNames, ...]


@dataclass(frozen=True)
class ModelConfig:
    """The content of ``config.json``.

    :ivar network: its name in ``fer_training.networks``.
    :ivar classes: labels of its outputs, in their order.
    :ivar temperature: divides the logits before the softmax, so that the confidence is the share
        of correct predictions; fitted on validation data.
    :ivar sha256: of the weights' file.
    :ivar graph_sha256: of the ONNX file of each precision.
    :ivar split: split of the float32 graph; None for a model without a chain of convolutions.
    :ivar class_shares: of each class in the training data, summing to 1; empty for a model of an
        earlier release, whose scores cannot be adjusted to other shares.
    """

    network: str
    classes: tuple[str, ...]
    temperature: float
    sha256: str
    graph_sha256: dict[str, str]
    split: SplitConfig | None = None
    class_shares: tuple[float, ...] = ()


def read_config(folder: Path) -> ModelConfig:
    """Return the content of ``config.json`` in ``folder``.

    :raises ModelError: when it is missing or invalid.
    """
    path = folder / CONFIG_FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"no model at {path.parent}: cannot read {path.name}: {error.strerror}"
        ) from error
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON: {error}") from error
    try:
        config = ModelConfig(
            str(raw["network"]),
            tuple(map(str, raw["classes"])),
            float(raw["temperature"]),
            str(raw["sha256"]),
            _graph_hashes(raw.get("graph_sha256", {})),
            _split_config(raw.get("split")),
            _class_shares(raw.get("class_shares", ())),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} lacks or misstates {error}") from error
    if config.classes != EMOTIONS:
        raise ModelError(
            f"{path}: the model's {len(config.classes)} classes ({', '.join(config.classes)}) "
            f"are not the {len(EMOTIONS)} expected ({', '.join(EMOTIONS)})"
        )
    if not config.temperature > 0.0:
        raise ModelError(f"{path}: temperature is {config.temperature}, expected above 0")
    return config


def _graph_hashes(raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict) or not set(raw) <= set(PRECISIONS):
        raise ValueError(
            f"graph_sha256, which is {raw!r}: expected a hash for {' or '.join(PRECISIONS)}"
        )
    return {str(precision): str(sha256) for precision, sha256 in raw.items()}


def _class_shares(raw: Any) -> tuple[float, ...]:
    shares = tuple(map(float, raw))
    if shares and not (
        len(shares) == len(EMOTIONS) and min(shares) > 0.0 and abs(sum(shares) - 1.0) < 1e-3
    ):
        raise ValueError(
            f"class_shares, which are {raw!r}: expected {len(EMOTIONS)} positive numbers that sum "
            "to 1"
        )
    return shares


def _split_config(raw: Any) -> SplitConfig | None:
    if raw is None:
        return None
    layers = tuple(
        ConvolutionNames(
            str(layer["weight"]),
            str(layer["bias"]),
            tuple(map(str, layer["normalization"])),
            float(layer["epsilon"]),
            bool(layer["pooled"]),
        )
        for layer in raw["convolutions"]
    )
    return SplitConfig(str(raw["before_sha256"]), str(raw["after_sha256"]), layers)
