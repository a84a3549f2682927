# SPDX-License-Identifier: Apache-2.0
"""Read and write trained models: folders of ``config.json``, weights and graphs.

It needs neither PyTorch nor ONNX; fer_training builds networks from the weights and exports them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from fer_common.atomic_file import replacing

from ..emotions import EMOTIONS
from ..inference.model_files import (
    ModelError,
    models_folder,
    read_safetensors,
    read_verified,
    sha256_of,
)
from ..inference.native_convolutions import Convolution

__all__ = [
    "DEFAULT_MODEL",
    "PRECISIONS",
    "ConvolutionNames",
    "Model",
    "ModelConfig",
    "ModelError",
    "Precision",
    "SplitConfig",
    "SplitGraph",
    "find_model",
    "installed_models",
    "list_models",
    "load_model",
    "read_config",
    "read_weights",
    "write_model",
]

DEFAULT_MODEL: Final = "vgg_stn"
"""The default model of fer_models, the most accurate one."""

_CONFIG_FILE: Final = "config.json"
_WEIGHTS_FILE: Final = "model.safetensors"
_BEFORE_FILE: Final = "model_before.onnx"
_AFTER_FILE: Final = "model_after.onnx"

Precision: TypeAlias = Literal["float32", "int8"]
"""Precision of a graph: single, or 8-bit integers in its convolutions."""

PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)

_GRAPH_FILES: Final[dict[Precision, str]] = {"float32": "model.onnx", "int8": "model_int8.onnx"}


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
class SplitGraph:
    """A graph split around its chain of convolutions.

    :ivar before: serialised ONNX model, from crops to the first convolution's input.
    :ivar after: serialised ONNX model, from the last convolution's output to logits.
    :ivar layers: the convolutions between.
    :ivar weights: the safetensors file that holds their weights.
    """

    before: bytes
    after: bytes
    layers: tuple[ConvolutionNames, ...]
    weights: bytes

    def convolutions(self) -> list[Convolution]:
        """Return the convolutions with folded batch normalisation.

        :raises ModelError: when the weights lack one, or are malformed.
        """
        try:
            arrays = read_safetensors(self.weights)
            # The recogniser refuses networks with non-finite scores.
            with np.errstate(all="ignore"):
                return [_folded(layer, arrays) for layer in self.layers]
        except (KeyError, ValueError) as error:
            raise ModelError(f"the convolutions' weights cannot be read: {error}") from error


def _folded(layer: ConvolutionNames, arrays: Mapping[str, NDArray[Any]]) -> Convolution:
    kernel = arrays[layer.weight].astype(np.float64)
    if kernel.shape[2:] != (3, 3):
        raise ValueError(f"{layer.weight} is {kernel.shape}: expected kernels of 3 x 3")
    bias = arrays[layer.bias].astype(np.float64) if layer.bias else np.zeros(len(kernel))
    if layer.normalization:
        scale, offset, mean, variance = (
            arrays[name].astype(np.float64) for name in layer.normalization
        )
        factor = scale / np.sqrt(variance + layer.epsilon)
        kernel, bias = kernel * factor[:, None, None, None], (bias - mean) * factor + offset
    return Convolution(kernel.astype(np.float32), bias.astype(np.float32), layer.pooled)


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


@dataclass(frozen=True)
class Model:
    """A trained model, ready for ONNX Runtime.

    :ivar graph: serialised ONNX model: grey crops, N x 48 x 48, uint8 -> logits, N x classes.
    :ivar model_id: NAME@HASH, the first 8 digits of the weights' sha256; with the precision if
        that is not float32.
    :ivar split: the same graph split around its convolutions; None where not possible.
    """

    graph: bytes
    config: ModelConfig
    model_id: str
    split: SplitGraph | None = None


def write_model(
    folder: Path,
    network: str,
    temperature: float,
    weights: bytes,
    graphs: Mapping[Precision, bytes],
    split: SplitGraph | None = None,
    class_shares: Sequence[float] = (),
) -> ModelConfig:
    """Write a model's files to ``folder``, all or none.

    Files are written to temporary paths and renamed once all are on disk, so that a full disk
    leaves an earlier model unchanged. Files of an earlier model that the new one lacks are
    removed.

    :param weights: the safetensors file.
    :param graphs: the ONNX model of each precision.
    :param split: the float32 graph split around its chain of convolutions, if it has one.
    :param class_shares: of each class in the training data.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hashes: dict[str, str] = {precision: sha256_of(graph) for precision, graph in graphs.items()}
    parts = {} if split is None else {_BEFORE_FILE: split.before, _AFTER_FILE: split.after}
    cut = None
    if split is not None:
        cut = SplitConfig(sha256_of(split.before), sha256_of(split.after), split.layers)
    config = ModelConfig(
        network, EMOTIONS, temperature, sha256_of(weights), hashes, cut, tuple(class_shares)
    )
    text = json.dumps(asdict(config), indent=2) + "\n"
    # Renamed in reverse order: config.json, which holds the hashes, comes last.
    contents = {_CONFIG_FILE: text.encode(), _WEIGHTS_FILE: weights}
    contents |= {_GRAPH_FILES[precision]: graph for precision, graph in graphs.items()} | parts
    with ExitStack() as stack:
        for file, content in contents.items():
            stack.enter_context(replacing(folder / file)).write_bytes(content)
    for file in {*_GRAPH_FILES.values(), _BEFORE_FILE, _AFTER_FILE} - contents.keys():
        (folder / file).unlink(missing_ok=True)
    return config


def load_model(folder: Path, precision: Precision = "float32") -> Model:
    """Return the model in ``folder`` after checking its files against their hashes.

    :raises ModelError: when a file is missing, unreadable or altered, or when the model has no
        graph of that precision.
    """
    config, weights = read_weights(folder)
    if precision not in config.graph_sha256:
        present = ", ".join(config.graph_sha256) or "weights"
        raise ModelError(
            f"{folder} has no {precision} graph, only {present}: export it again, or ask for "
            "another precision"
        )
    graph = read_verified(folder / _GRAPH_FILES[precision], config.graph_sha256[precision])
    suffix = "" if precision == "float32" else f"/{precision}"
    split = None
    if config.split is not None and precision == "float32":
        split = SplitGraph(
            read_verified(folder / _BEFORE_FILE, config.split.before_sha256),
            read_verified(folder / _AFTER_FILE, config.split.after_sha256),
            config.split.convolutions,
            weights,
        )
    return Model(graph, config, f"{folder.name}@{config.sha256[:8]}{suffix}", split)


def read_weights(folder: Path) -> tuple[ModelConfig, bytes]:
    """Return the configuration and verified weights of the model in ``folder``.

    :raises ModelError: when a file is missing, unreadable or altered.
    """
    config = read_config(folder)
    return config, read_verified(folder / _WEIGHTS_FILE, config.sha256)


def read_config(folder: Path) -> ModelConfig:
    """Return the content of ``config.json`` in ``folder``.

    :raises ModelError: when it is missing or invalid.
    """
    path = folder / _CONFIG_FILE
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
    if not isinstance(raw, dict) or not set(raw) <= set(_GRAPH_FILES):
        raise ValueError(
            f"graph_sha256, which is {raw!r}: expected a hash for {' or '.join(_GRAPH_FILES)}"
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


def installed_models() -> list[Path]:
    """Return the folders that are searched for models by name."""
    try:
        return [models_folder()]
    except ModelError:
        return []


def list_models(search: Sequence[Path] | None = None) -> list[str]:
    """Return the names of the models in the folders ``search``, sorted.

    :param search: None for those that fer_models installs.
    """
    folders = installed_models() if search is None else search
    return sorted(p.parent.name for folder in folders for p in folder.glob(f"*/{_CONFIG_FILE}"))


def find_model(name_or_path: str, search: Sequence[Path]) -> Path:
    """Return a model's folder, given its path or its name.

    :raises ModelError: naming the folders searched and the models known.
    """
    if "/" in name_or_path:
        return Path(name_or_path).expanduser()
    for folder in search:
        if (folder / name_or_path / _CONFIG_FILE).is_file():
            return folder / name_or_path
    if not search:
        models_folder()  # raises with the remedy
    known = ", ".join(list_models(search)) or "a path"
    raise ModelError(
        f"no model {name_or_path!r} in {', '.join(map(str, search))}: expected {known}"
    )
