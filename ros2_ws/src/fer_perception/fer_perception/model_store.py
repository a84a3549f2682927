# SPDX-License-Identifier: Apache-2.0
"""Trained models on disk: a folder with ``config.json`` and the weights as safetensors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as dump_tensors
from torch import nn

from .emotions import EMOTIONS
from .networks import NETWORKS, create_network

_CONFIG_FILE: Final = "config.json"
_WEIGHTS_FILE: Final = "model.safetensors"


class ModelError(Exception):
    """A model cannot be loaded; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class ModelConfig:
    """What ``config.json`` says of a model.

    :ivar network: its name in :data:`~.networks.NETWORKS`.
    :ivar classes: labels of its outputs, in their order.
    :ivar temperature: the logits are divided by it before the softmax, so that the confidence is
        the share of right answers; fitted on validation data.
    :ivar sha256: of the weights' file.
    """

    network: str
    classes: tuple[str, ...]
    temperature: float
    sha256: str


@dataclass(frozen=True)
class Model:
    """A trained network in evaluation mode, with what is needed to use it.

    :ivar model_id: NAME@HASH, the first 8 digits of the weights' sha256.
    """

    network: nn.Module
    config: ModelConfig
    model_id: str


def save_model(
    folder: Path, network: nn.Module, network_name: str, temperature: float = 1.0
) -> ModelConfig:
    """Write the weights in half precision and their ``config.json`` to ``folder``.

    Half precision halves the file; the predictions change by less than 1e-3.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        key: (value.half() if value.is_floating_point() else value).contiguous()
        for key, value in network.state_dict().items()
    }
    blob = dump_tensors(tensors)
    config = ModelConfig(network_name, EMOTIONS, temperature, hashlib.sha256(blob).hexdigest())
    _replace(folder / _WEIGHTS_FILE, blob)
    text = json.dumps(asdict(config), indent=2) + "\n"
    _replace(folder / _CONFIG_FILE, text.encode())
    return config


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = path.with_suffix(".part")
    temporary.write_bytes(content)
    temporary.replace(path)


def load_model(folder: Path) -> Model:
    """Return the model in ``folder``, its weights checked against their hash.

    :raises ModelError: when a file is missing, cannot be read, was altered, or does not fit.
    """
    config = _read_config(folder / _CONFIG_FILE)
    path = folder / _WEIGHTS_FILE
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the weights {path}: {error.strerror}") from error
    digest = hashlib.sha256(blob).hexdigest()
    if digest != config.sha256:
        raise ModelError(
            f"{path} is damaged or was altered: its sha256 is {digest[:12]}..., "
            f"{_CONFIG_FILE} says {config.sha256[:12]}...; restore both from the same release"
        )
    network = create_network(config.network, len(config.classes))
    try:
        network.load_state_dict({k: v.float() for k, v in load_tensors(blob).items()})
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} does not fit network {config.network}: {reason}") from error
    network.eval().requires_grad_(False)
    return Model(network, config, f"{folder.name}@{digest[:8]}")


def _read_config(path: Path) -> ModelConfig:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"no model at {path.parent}: cannot read {path.name}: {error.strerror}"
        ) from error
    except ValueError as error:
        raise ModelError(f"{path} is no JSON: {error}") from error
    try:
        config = ModelConfig(
            str(raw["network"]),
            tuple(raw["classes"]),
            float(raw["temperature"]),
            str(raw["sha256"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} lacks or misstates {error}") from error
    if config.network not in NETWORKS:
        raise ModelError(
            f"{path}: unknown network {config.network!r}, expected one of {', '.join(NETWORKS)}"
        )
    if config.classes != EMOTIONS:
        raise ModelError(
            f"{path}: the model's {len(config.classes)} classes ({', '.join(config.classes)}) "
            f"are not the {len(EMOTIONS)} expected ({', '.join(EMOTIONS)})"
        )
    if not config.temperature > 0.0:
        raise ModelError(f"{path}: temperature is {config.temperature}, expected above 0")
    return config


def find_model(name_or_path: str, search: Sequence[Path]) -> Path:
    """Return the folder of a model given by path, or by name in one of the folders ``search``.

    :raises ModelError: naming where it was looked for.
    """
    if "/" in name_or_path:
        return Path(name_or_path).expanduser()
    for folder in search:
        if (folder / name_or_path / _CONFIG_FILE).is_file():
            return folder / name_or_path
    known = sorted(p.parent.name for f in search for p in f.glob(f"*/{_CONFIG_FILE}"))
    raise ModelError(
        f"no model {name_or_path!r} in {', '.join(map(str, search)) or 'any folder'}: "
        f"expected {', '.join(known) or 'a path'}"
    )
