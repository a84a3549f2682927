# SPDX-License-Identifier: Apache-2.0
"""Damaged model folders, some with hashes that match the damage."""

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
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save
from torch import nn

from fer_perception.inference.model_files import ModelError, models_folder
from fer_perception.recognition.model_config import Precision, read_config
from fer_perception.recognition.model_store import load_model, read_weights, write_model
from fer_perception.recognition.recognizer import EmotionRecognizer
from fer_training.exporting.graph_builder import GraphBuilder
from fer_training.exporting.onnx_export import export_graphs
from fer_training.learning.trained_network import (
    in_half_precision,
    load_network,
    weights_file,
)
from fer_training.networks import create_network

from ..mutation import mutated, nasty_value
from ..target import Target, Try

_NETWORK = "deep_emotion"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _config() -> dict[str, Any]:
    path = models_folder() / _NETWORK / "config.json"
    config: dict[str, Any] = json.loads(path.read_text())
    return config


def _small_graph() -> bytes:
    """Return a one-layer graph with a network's inputs and outputs."""
    rng = np.random.default_rng(0)
    weights: NDArray[np.float32] = rng.normal(size=(48 * 48, 7)).astype(np.float32)
    builder = GraphBuilder()
    grey = builder.add("Cast", ["crops"], to=onnx.TensorProto.FLOAT)
    flat = builder.add("Flatten", [grey])
    builder.add("MatMul", [flat, builder.constant(weights)], "logits")
    return _finished(builder)


def _convolutions() -> nn.Module:
    """Return a network whose convolutions run natively."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inputs in (1, 16):
        layers += [nn.Conv2d(inputs, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()]
    network = nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * 24 * 24, 7))
    return in_half_precision(network.eval())


def _finished(builder: GraphBuilder) -> bytes:
    shape = ["n", 48, 48]
    image = onnx.helper.make_tensor_value_info("crops", onnx.TensorProto.UINT8, shape)
    return builder.finish("small", image, {"logits": 2}, opset=17)


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
        if rng.random() < 0.7:  # only the header is parsed
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
    """Return a target of damaged copies of ``graph`` with valid hashes."""
    temporary = tempfile.TemporaryDirectory(prefix="fuzz_graphs_")
    folder = Path(temporary.name)
    config = _config()
    weights_hash = _sha256(b"weights")
    (folder / "model.safetensors").write_bytes(b"weights")
    EmotionRecognizer(_load(folder, config, weights_hash, graph))  # the undamaged graph must load

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
        # Position of the structure, before and after the weights.
        if rng.random() < 0.5:
            return mutated(rng, graph[:200]) + graph[200:]
        return graph[:-300] + mutated(rng, graph[-300:])

    return _graphs(graph, damaged)


def _prepare_convolutions() -> Try:
    temporary = tempfile.TemporaryDirectory(prefix="fuzz_convolutions_")
    folder = Path(temporary.name)
    network = _convolutions()
    exported = export_graphs(network)
    assert exported.split is not None
    graphs: dict[Precision, bytes] = {"float32": exported.whole}
    weights = weights_file(network)
    write_model(folder, _NETWORK, 1.0, weights, graphs, exported.split)
    config = json.loads((folder / "config.json").read_text())
    parts = {
        "model_before.onnx": exported.split.before,
        "model_after.onnx": exported.split.after,
        "model.safetensors": weights,
    }
    # The structure comes before the large weights and after them.
    end = 2000

    def try_one(rng: Random) -> None:
        assert temporary
        changed = json.loads(json.dumps(config))
        file = rng.choice([*parts, "config.json"])
        damaged = dict(parts)
        if file == "config.json":
            layer = rng.choice(changed["split"]["convolutions"])
            layer[rng.choice(list(layer))] = nasty_value(rng)
        else:
            content = parts[file]
            start = rng.choice((0, max(0, len(content) - end)))
            stop = min(len(content), start + end)
            damaged[file] = content[:start] + mutated(rng, content[start:stop]) + content[stop:]
        changed["sha256"] = _sha256(damaged["model.safetensors"])
        changed["split"]["before_sha256"] = _sha256(damaged["model_before.onnx"])
        changed["split"]["after_sha256"] = _sha256(damaged["model_after.onnx"])
        (folder / "config.json").write_text(json.dumps(changed))
        for name, content in damaged.items():
            (folder / name).write_bytes(content)
        recognizer = EmotionRecognizer(load_model(folder))
        scores = recognizer.recognize(np.zeros((2, 48, 48), np.uint8))
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
    Target("model_convolutions", 4_000, _prepare_convolutions, (ModelError,)),
)
