# SPDX-License-Identifier: Apache-2.0
"""Model folders: damaged ones, and such whose hashes were made to fit the damage."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
from ament_index_python.packages import get_package_share_directory
from numpy.typing import NDArray
from safetensors.torch import load, save

from fer_perception.inference.convolution_chain import split_at_convolutions
from fer_perception.inference.graph_builder import GraphBuilder
from fer_perception.recognition.model_store import (
    ModelError,
    load_model,
    read_config,
    read_weights,
)
from fer_perception.recognition.recognizer import EmotionRecognizer
from fer_training.learning.trained_network import load_network
from fer_training.networks import create_network

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
    return _finished(builder)


def _convolutions() -> tuple[bytes, int]:
    """Return a graph whose convolutions run natively, and how much of it is not the last layer."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> str:
        values: NDArray[np.float32] = rng.normal(size=shape).astype(np.float32)
        return builder.constant(values)

    builder = GraphBuilder()
    maps = builder.add("Cast", ["crops"], to=onnx.TensorProto.FLOAT)
    maps = builder.add("Unsqueeze", [maps, builder.constant(np.array([1], np.int64))])
    for inputs in (1, 16):
        weights = [normal(16, inputs, 3, 3), normal(16)]
        maps = builder.add("Conv", [maps, *weights], pads=[1] * 4)
        maps = builder.add(
            "BatchNormalization",
            [maps, *(builder.constant(np.ones(16, np.float32)) for _ in "1234")],
        )
        maps = builder.add("Relu", [maps])
    maps = builder.add("MaxPool", [maps], kernel_shape=[2, 2], strides=[2, 2])
    flat = builder.add("Flatten", [maps])
    last = 16 * 24 * 24 * 7
    builder.add("MatMul", [flat, normal(last // 7, 7)], "logits")
    graph = _finished(builder)
    return graph, len(graph) - 4 * last


def _finished(builder: GraphBuilder) -> bytes:
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


def _graphs(graph: bytes, damaged: Callable[[Random], bytes]) -> Try:
    """Return what has a recogniser made of damaged copies of ``graph``, their hashes right."""
    temporary = tempfile.TemporaryDirectory(prefix="fuzz_graphs_")
    folder = Path(temporary.name)
    config = _config()
    weights_hash = _sha256(b"weights")
    (folder / "model.safetensors").write_bytes(b"weights")
    EmotionRecognizer(_load(folder, config, weights_hash, graph))  # undamaged it works

    def try_one(rng: Random) -> None:
        assert temporary
        scores = EmotionRecognizer(_load(folder, config, weights_hash, damaged(rng))).recognize(
            np.zeros((2, 48, 48), np.uint8)
        )
        assert scores.shape == (2, 7), scores.shape

    return try_one


def _prepare_graphs() -> Try:
    graph = _small_graph()

    def damaged(rng: Random) -> bytes:
        # Where the structure is, before and after the weights.
        if rng.random() < 0.5:
            return mutated(rng, graph[:200]) + graph[200:]
        return graph[:-300] + mutated(rng, graph[-300:])

    return _graphs(graph, damaged)


def _prepare_convolutions() -> Try:
    graph, end = _convolutions()
    assert split_at_convolutions(graph) is not None

    def damaged(rng: Random) -> bytes:
        start = rng.randrange(end)
        stop = min(end, start + rng.choice((4, 40, 400)))
        return graph[:start] + mutated(rng, graph[start:stop]) + graph[stop:]

    return _graphs(graph, damaged)


def _load(folder: Path, config: dict[str, Any], sha256: str, graph: bytes) -> Any:
    hashes = {"sha256": sha256, "graph_sha256": {"float32": _sha256(graph)}}
    (folder / "config.json").write_text(json.dumps({**config, **hashes}))
    (folder / "model.onnx").write_bytes(graph)
    return load_model(folder)


TARGETS = (
    Target("model_configs", 20_000, _prepare_configs, (ModelError,)),
    Target("model_weights", 2_000, _prepare_weights, (ModelError,)),
    Target("model_graphs", 4_000, _prepare_graphs, (ModelError,)),
    Target("model_convolutions", 4_000, _prepare_convolutions, (ModelError,)),
)
