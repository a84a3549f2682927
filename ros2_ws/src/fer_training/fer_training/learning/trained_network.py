# SPDX-License-Identifier: Apache-2.0
"""Load trained models as PyTorch networks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_tensors
from safetensors.torch import save as dump_tensors
from torch import nn

from fer_perception.emotions import EMOTIONS
from fer_perception.inference.model_files import ModelError
from fer_perception.recognition.installed_models import find_model, installed_models
from fer_perception.recognition.model_store import read_weights

from ..networks import create_network

CHECKPOINT_SUFFIX: Final = ".safetensors"
# best.safetensors holds one network, last.safetensors the running one and its average besides;
# the averaged weights are wrapped once more.
_PREFIXES = ("average.module.", "network.module.", "network.")


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network in evaluation mode.

    :ivar name: its name in :mod:`fer_training.networks`.
    :ivar temperature: divides its logits; 1 before one is fitted.
    """

    network: nn.Module
    name: str
    temperature: float = 1.0


def load_network(folder: Path) -> TrainedNetwork:
    """Load the network in ``folder`` and check its hash.

    :raises ModelError: when a file is missing, cannot be read, was altered, or does not fit.
    """
    config, blob = read_weights(folder)
    try:
        network = create_network(config.network, len(config.classes))
    except ValueError as error:
        raise ModelError(f"{folder}/config.json: {error}") from error
    try:
        network.load_state_dict({k: v.float() for k, v in load_tensors(blob).items()})
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"the weights in {folder} do not fit network {config.network}: {reason}"
        ) from error
    network.eval().requires_grad_(False)
    return TrainedNetwork(network, config.network, config.temperature)


def load_trained(source: str) -> TrainedNetwork:
    """Load a network by model name, folder or checkpoint.

    :raises ModelError: as :func:`load_network` does, or when the model is missing.
    :raises FileNotFoundError: when the checkpoint is missing.
    """
    if source.endswith(CHECKPOINT_SUFFIX):
        return load_checkpointed(Path(source))
    return load_network(find_model(source, installed_models()))


def load_checkpointed(checkpoint: Path) -> TrainedNetwork:
    """Load the network of a checkpoint of ``train``.

    Of ``best.safetensors`` the epoch with the best validation accuracy, of ``last.safetensors``
    the averaged weights of the last epoch, without selection.

    :raises FileNotFoundError: when the file is missing.
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
    return TrainedNetwork(network.eval(), name)


def in_half_precision(network: nn.Module) -> nn.Module:
    """Round the weights of ``network`` to half precision in place.

    The network is returned. Half precision halves the file; the predictions change by less than
    1e-3.
    """
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half())
    return network


def weights_file(network: nn.Module) -> bytes:
    """Return a safetensors file of the weights in half precision."""
    return dump_tensors(
        {
            key: (value.half() if value.is_floating_point() else value).contiguous()
            for key, value in network.state_dict().items()
        }
    )
