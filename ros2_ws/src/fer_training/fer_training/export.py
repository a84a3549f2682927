# SPDX-License-Identifier: Apache-2.0
"""Export a training run's checkpoint as a model that the node loads."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from torch import nn

from fer_evaluation.datasets.fer2013 import Fer2013, Usage
from fer_evaluation.datasets.votes import EXCLUDED, plurality_labels
from fer_perception.emotions import EMOTIONS
from fer_perception.inference.cpu_features import multiplies_int8_fast
from fer_perception.inference.model_files import ModelError
from fer_perception.recognition.model_config import ModelConfig, Precision
from fer_perception.recognition.model_store import write_model

from .exporting.calibration import fit_temperature
from .exporting.onnx_export import TOLERANCE, ExportedGraphs, export_graphs, largest_difference
from .exporting.quantization import quantized
from .learning.labelled_faces import select_faces
from .learning.prediction import predict
from .learning.trained_network import (
    in_half_precision,
    load_checkpointed,
    load_network,
    weights_file,
)
from .learning.training_data import DATA_HELP, read_training_data

_LOG = logging.getLogger(__name__)
_BATCH: Final = 64
# Number of training pictures for comparing graphs and choosing 8-bit ranges.
_SAMPLE: Final = 256
# Share of validation accuracy that an 8-bit graph may lose.
_MAX_LOSS: Final = 0.001


def export(checkpoint: Path, folder: Path, data: Fer2013) -> ModelConfig:
    """Write the model of ``checkpoint`` to ``folder``, with fitted temperature.

    :raises ValueError: the exported graph's logits differ from the network's.
    """
    trained = load_checkpointed(checkpoint)
    validation = select_faces(data, data.rows(Usage.PRIVATE_TEST), soft=False)
    temperature = fit_temperature(predict(trained.network, validation.images), validation.labels)
    return _write(folder, trained.name, in_half_precision(trained.network), temperature, data)


def export_again(model: Path, folder: Path, data: Fer2013) -> ModelConfig:
    """Write an exported ``model`` to ``folder`` with new graphs.

    The temperature is kept.

    :raises ValueError: the exported graph's logits differ from the network's.
    """
    trained = load_network(model)
    return _write(folder, trained.name, trained.network, trained.temperature, data)


def _write(
    folder: Path, name: str, network: nn.Module, temperature: float, data: Fer2013
) -> ModelConfig:
    network.eval()
    exported = export_graphs(network)
    graphs = _graphs(network, exported, data)
    weights = weights_file(network)
    config = write_model(
        folder, name, temperature, weights, graphs, exported.split, class_shares(data)
    )
    _LOG.info("%s: temperature %.3f, sha256 %s", folder, temperature, config.sha256)
    return config


def class_shares(data: Fer2013) -> list[float]:
    """Return the share of each class in training, smoothed by Laplace's rule."""
    labels = plurality_labels(data.votes[data.leak_free_training_rows()])
    counts = np.bincount(labels[labels != EXCLUDED], minlength=len(EMOTIONS)) + 1
    return [round(float(share), 7) for share in counts / counts.sum()]


def _graphs(network: nn.Module, exported: ExportedGraphs, data: Fer2013) -> dict[Precision, bytes]:
    """Return the ONNX models of all precisions without loss of accuracy."""
    graph = exported.whole
    training = data.images[data.leak_free_training_rows()]
    sample = training[:: max(1, len(training) // _SAMPLE)]
    difference = largest_difference(network, graph, sample)
    _LOG.info("ONNX: largest difference of a logit %.1e, over %d faces", difference, len(sample))
    if not difference <= TOLERANCE:
        raise ValueError(
            f"the ONNX graph's logits differ from the network's by {difference:.1e}, more than "
            f"{TOLERANCE:.0e}: an exported module computes something else"
        )
    graphs: dict[Precision, bytes] = {"float32": graph}
    rounded = quantized(graph, sample)
    if rounded is not None:
        faces = select_faces(data, data.rows(Usage.PRIVATE_TEST), soft=False)
        images, labels = faces.images.numpy(), faces.labels.numpy()
        before, after = (_accuracy(g, images, labels) for g in (graph, rounded))
        _LOG.info("validation: float32 %.2f %%, int8 %.2f %%", 100 * before, 100 * after)
        if after >= before - _MAX_LOSS:
            graphs["int8"] = rounded
        else:
            _LOG.info("int8 loses more than %.1f points: left out", 100 * _MAX_LOSS)
    return graphs


def _accuracy(graph: bytes, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    options = onnxruntime.SessionOptions()
    if not multiplies_int8_fast():
        # Without graph optimisation, 8-bit numbers are multiplied in float32: slow, but as
        # exact as on the processors that run this graph.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    predicted = [
        session.run(None, {"crops": images[i : i + _BATCH]})[0].argmax(axis=1)
        for i in range(0, len(images), _BATCH)
    ]
    return float((np.concatenate(predicted) == labels).mean())


def main(args: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="export", description="Export a trained network for the node."
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--checkpoint", type=Path, help="RUN/best.safetensors or RUN/last.safetensors"
    )
    source.add_argument("--model", type=Path, help="an exported model, to export its graphs again")
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    parser.add_argument("--data", type=Path, required=True, help=DATA_HELP)
    options = parser.parse_args(args)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        data = read_training_data(options.data)
        if options.model is not None:
            export_again(options.model, options.out, data)
        else:
            export(options.checkpoint, options.out, data)
    except (FileNotFoundError, ModelError, ValueError) as error:
        parser.exit(2, f"export: {error}\n")


if __name__ == "__main__":
    main()
