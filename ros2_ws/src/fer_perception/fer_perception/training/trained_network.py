# SPDX-License-Identifier: Apache-2.0
"""Trained models as PyTorch networks, to train from, to learn from and to export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as dump_tensors
from torch import nn

from ..model_store import ModelConfig, ModelError, read_weights
from ..networks import create_network


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network in evaluation mode, with what is needed to use it."""

    network: nn.Module
    config: ModelConfig


def load_network(folder: Path) -> TrainedNetwork:
    """Return the network in ``folder``, its weights checked against their hash.

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
    return TrainedNetwork(network, config)


def in_half_precision(network: nn.Module) -> nn.Module:
    """Round the weights of ``network`` to half precision, in place, and return it.

    Half precision halves the file; the predictions change by less than 1e-3.
    """
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half())
    return network


def weights_file(network: nn.Module) -> bytes:
    """Return the weights in half precision as a safetensors file."""
    return dump_tensors(
        {
            key: (value.half() if value.is_floating_point() else value).contiguous()
            for key, value in network.state_dict().items()
        }
    )
