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
from typing import Final

from fer_common.atomic_file import replacing

from ..emotions import EMOTIONS
from ..inference.model_files import ModelError, read_verified, sha256_of
from .model_config import CONFIG_FILE, ModelConfig, Precision, SplitConfig, read_config
from .split_graph import SplitGraph

__all__ = ["Model", "load_model", "read_weights", "write_model"]

_WEIGHTS_FILE: Final = "model.safetensors"
_BEFORE_FILE: Final = "model_before.onnx"
_AFTER_FILE: Final = "model_after.onnx"
_GRAPH_FILES: Final[dict[Precision, str]] = {"float32": "model.onnx", "int8": "model_int8.onnx"}


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
    contents = {CONFIG_FILE: text.encode(), _WEIGHTS_FILE: weights}
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
