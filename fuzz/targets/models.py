# SPDX-License-Identifier: Apache-2.0
"""Model folders: damaged ones, and such whose hashes were made to fit the damage."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
from ament_index_python.packages import get_package_share_directory
from numpy.typing import NDArray
from safetensors.torch import load, save

from fer_perception.graph_builder import GraphBuilder
from fer_perception.model_store import ModelError, load_model, read_config, read_weights
from fer_perception.networks import create_network
from fer_perception.recognition import EmotionRecognizer
from fer_perception.training.trained_network import load_network

from ..mutation import mutated, nasty_value
from ..target import Target, Try

_NETWORK = "deep_emotion"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _config() -> dict[str, Any]:
    path = Path(get_package_share_directory("fer_models"), _NETWORK, "config.json")
    config: dict[str, Any] = json.loads(path.read_text())
    return config


def _small_graph() -> bytes:
    """Return a graph with the inputs and outputs of a network, and one layer."""
    rng = np.random.default_rng(0)
    weights: NDArray[np.float32] = rng.normal(size=(48 * 48, 7)).astype(np.float32)
    builder = GraphBuilder()
    grey = builder.add("Cast", ["crops"], to=onnx.TensorProto.FLOAT)
    flat = builder.add("Flatten", [grey])
    builder.add("MatMul", [flat, builder.constant(weights)], "logits")
    shape = ["n", 48, 48]
    image = onnx.helper.make_tensor_value_info("crops", onnx.TensorProto.UINT8, shape)
    return builder.finish("small", image, ["logits"], opset=17)


def _prepare_configs() -> Try:
    temporary = tempfile.TemporaryDirectory(prefix="fuzz_configs_")
    folder = Path(temporary.name)
    config = _config()
    text = json.dumps(config).encode()

    def try_one(rng: Random) -> None:
        assert temporary
        if rng.random() < 0.5:
            content = mutated(rng, text)
        else:
            changed = {**config, rng.choice(list(config)): nasty_value(rng)}
            content = json.dumps(changed).encode()
        (folder / "config.json").write_bytes(content)
        read_config(folder)

    return try_one


def _prepare_weights() -> Try:
    temporary = tempfile.TemporaryDirectory(prefix="fuzz_weights_")
    folder = Path(temporary.name)
    config = _config()
    whole = save(create_network(_NETWORK, 7).state_dict())
    header_length = int.from_bytes(whole[:8], "little") + 8

    def try_one(rng: Random) -> None:
        assert temporary
        if rng.random() < 0.7:  # the header is what is parsed
            content = mutated(rng, whole[:header_length]) + whole[header_length:]
        elif rng.random() < 0.5:
            tensors = load(whole)
            name = rng.choice([name for name, tensor in tensors.items() if tensor.ndim])
            tensors[name] = tensors[name][..., :1].clone()
            content = save(tensors)
        else:
            content = mutated(rng, whole)
        hash_ = _sha256(content if rng.random() < 0.9 else whole)
        (folder / "config.json").write_text(json.dumps({**config, "sha256": hash_}))
        (folder / "model.safetensors").write_bytes(content)
        read_weights(folder)
        load_network(folder)

    return try_one


def _prepare_graphs() -> Try:
    temporary = tempfile.TemporaryDirectory(prefix="fuzz_graphs_")
    folder = Path(temporary.name)
    config = _config()
    graph = _small_graph()
    weights_hash = _sha256(b"weights")
    (folder / "model.safetensors").write_bytes(b"weights")
    EmotionRecognizer(_load(folder, config, weights_hash, graph))  # undamaged it works

    def try_one(rng: Random) -> None:
        assert temporary
        # Where the structure is, before and after the weights.
        content = (
            mutated(rng, graph[:200]) + graph[200:]
            if rng.random() < 0.5
            else graph[:-300] + mutated(rng, graph[-300:])
        )
        scores = EmotionRecognizer(_load(folder, config, weights_hash, content)).recognize(
            np.zeros((2, 48, 48), np.uint8)
        )
        assert scores.shape == (2, 7), scores.shape

    return try_one


def _load(folder: Path, config: dict[str, Any], sha256: str, graph: bytes) -> Any:
    hashes = {"sha256": sha256, "graph_sha256": {"float32": _sha256(graph)}}
    (folder / "config.json").write_text(json.dumps({**config, **hashes}))
    (folder / "model.onnx").write_bytes(graph)
    return load_model(folder)


TARGETS = (
    Target("model_configs", 20_000, _prepare_configs, (ModelError,)),
    Target("model_weights", 2_000, _prepare_weights, (ModelError,)),
    Target("model_graphs", 4_000, _prepare_graphs, (ModelError,)),
)
