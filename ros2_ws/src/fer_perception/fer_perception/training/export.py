# SPDX-License-Identifier: Apache-2.0
"""Makes a model that the node can load out of a training run's checkpoint."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

from safetensors import safe_open
from torch import nn

from ..emotions import EMOTIONS
from ..model_store import ModelConfig, save_model
from ..networks import create_network
from .calibration import fit_temperature
from .fer2013 import Fer2013, Usage
from .fer2013_reader import read_fer2013
from .train import predict, select_faces

_LOG = logging.getLogger(__name__)
# best.safetensors holds one network, last.safetensors the running one and its average besides;
# the averaged weights are wrapped once more.
_PREFIXES = ("average.module.", "network.module.", "network.")


def load_trained(checkpoint: Path) -> tuple[str, nn.Module]:
    """Return (name, network) of the weights that ``train`` left in a checkpoint.

    Of ``best.safetensors`` the epoch with the best validation accuracy, of ``last.safetensors``
    the averaged weights of the last epoch, which nothing has selected.

    :raises FileNotFoundError: when there is no such file.
    """
    if not checkpoint.is_file():
        raise FileNotFoundError(f"no checkpoint at {checkpoint}: train first")
    with safe_open(checkpoint, framework="pt") as file:
        name = json.loads(file.metadata()["state"])["network"]
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    network = create_network(name, len(EMOTIONS))
    expected = network.state_dict().keys()
    prefix = next(p for p in _PREFIXES if all(p + key in tensors for key in expected))
    network.load_state_dict({key: tensors[prefix + key] for key in expected})
    return name, network.eval()


def export(checkpoint: Path, folder: Path, data: Fer2013) -> ModelConfig:
    """Write the model of ``checkpoint`` to ``folder``, its temperature fitted on PrivateTest."""
    name, network = load_trained(checkpoint)
    validation = select_faces(data, data.rows(Usage.PRIVATE_TEST), soft=False)
    temperature = fit_temperature(predict(network, validation.images), validation.labels)
    config = save_model(folder, network, name, temperature)
    _LOG.info("%s: temperature %.3f, sha256 %s", folder, temperature, config.sha256)
    return config


def main(args: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Export a trained network for the node.")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        help="RUN/best.safetensors or RUN/last.safetensors",
    )
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    parser.add_argument("--data", type=Path, required=True, help="folder of FER2013 with FER+")
    options = parser.parse_args(args)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    export(options.checkpoint, options.out, read_fer2013(options.data))


if __name__ == "__main__":
    main()
