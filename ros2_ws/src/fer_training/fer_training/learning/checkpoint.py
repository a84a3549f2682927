# SPDX-License-Identifier: Apache-2.0
"""Save a training run's state atomically in one safetensors file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from fer_common.atomic_file import write_atomically

_STATE_KEY = "state"


def save_checkpoint(
    path: Path,
    modules: dict[str, nn.Module],
    optimizer: Optimizer,
    state: dict[str, Any],
) -> None:
    """Write the weights, the optimiser's buffers and ``state`` to ``path``.

    A crash or a full disk leaves the old file unchanged.

    :param modules: the modules to save, by a name without dots.
    :param state: additional JSON values.
    """
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        for key, value in module.state_dict().items():
            tensors[f"{name}.{key}"] = value.detach().clone().contiguous()
    for index, values in optimizer.state_dict()["state"].items():
        for key, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{key}"] = value.detach().clone().contiguous()
    write_atomically(path, save(tensors, metadata={_STATE_KEY: json.dumps(state)}))


def load_checkpoint(
    path: Path, modules: dict[str, nn.Module], optimizer: Optimizer
) -> dict[str, Any]:
    """Load a checkpoint into ``modules`` and ``optimizer``.

    :returns: the ``state`` that was saved.
    :raises FileNotFoundError: when the file is missing.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint to resume from at {path}: start without --resume")
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        state = json.loads(file.metadata()[_STATE_KEY])
    for name, module in modules.items():
        prefix = f"{name}."
        module.load_state_dict(
            {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        )
    buffers: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, buffer = key.split(".", 2)
            buffers.setdefault(int(index), {})[buffer] = value
    optimizer.load_state_dict(
        {"state": buffers, "param_groups": optimizer.state_dict()["param_groups"]}
    )
    return state
