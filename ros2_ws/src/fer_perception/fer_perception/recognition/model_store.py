# SPDX-License-Identifier: Apache-2.0
"""Trained models on disk: a folder with ``config.json``, the weights and the graphs made of them.

Nothing here needs PyTorch: what reads and writes the weights as a network stands in
:mod:`.training.trained_network`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from fer_common.atomic_file import replacing

from ..emotions import EMOTIONS

DEFAULT_MODEL: Final = "vgg_stn"
"""The model of fer_models that is used where no other is named: the most accurate one."""

_CONFIG_FILE: Final = "config.json"
_WEIGHTS_FILE: Final = "model.safetensors"

Precision: TypeAlias = Literal["float32", "int8"]
"""How a graph computes: in single precision, or its convolutions in 8-bit integers."""

PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)

_GRAPH_FILES: Final[dict[Precision, str]] = {"float32": "model.onnx", "int8": "model_int8.onnx"}


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
    :ivar graph_sha256: of the ONNX file of each precision that the model has.
    """

    network: str
    classes: tuple[str, ...]
    temperature: float
    sha256: str
    graph_sha256: dict[str, str]


@dataclass(frozen=True)
class Model:
    """A trained model, ready for ONNX Runtime.

    :ivar graph: serialised ONNX model: grey crops, N x 48 x 48, uint8 -> logits, N x classes.
    :ivar model_id: NAME@HASH, the first 8 digits of the weights' sha256; with the precision if
        that is not float32.
    """

    graph: bytes
    config: ModelConfig
    model_id: str


def write_model(
    folder: Path,
    network: str,
    temperature: float,
    weights: bytes,
    graphs: Mapping[Precision, bytes],
) -> ModelConfig:
    """Write a model's files to ``folder``, all of them or none.

    Each stands beside its place until all are on the disk, so that a full disk leaves an earlier
    model as it was. A graph of that model that the new one does not have is removed.

    :param weights: the safetensors file.
    :param graphs: the ONNX model of each precision.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hashes: dict[str, str] = {precision: _sha256(graph) for precision, graph in graphs.items()}
    config = ModelConfig(network, EMOTIONS, temperature, _sha256(weights), hashes)
    text = json.dumps(asdict(config), indent=2) + "\n"
    # Put in place from the last to the first: what says how the others must be comes last.
    contents = {_CONFIG_FILE: text.encode(), _WEIGHTS_FILE: weights}
    contents |= {_GRAPH_FILES[precision]: graph for precision, graph in graphs.items()}
    with ExitStack() as stack:
        for file, content in contents.items():
            stack.enter_context(replacing(folder / file)).write_bytes(content)
    for precision in _GRAPH_FILES.keys() - graphs.keys():
        (folder / _GRAPH_FILES[precision]).unlink(missing_ok=True)
    return config


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def load_model(folder: Path, precision: Precision = "float32") -> Model:
    """Return the model in ``folder``, its weights and its graph checked against their hashes.

    :raises ModelError: when a file is missing, cannot be read, or was altered, or when the model
        has no graph of that precision.
    """
    config, _ = read_weights(folder)
    if precision not in config.graph_sha256:
        present = ", ".join(config.graph_sha256) or "weights"
        raise ModelError(
            f"{folder} has no {precision} graph, only {present}: export it anew, or ask for "
            "another precision"
        )
    graph = _checked(folder / _GRAPH_FILES[precision], config.graph_sha256[precision])
    suffix = "" if precision == "float32" else f"/{precision}"
    return Model(graph, config, f"{folder.name}@{config.sha256[:8]}{suffix}")


def read_weights(folder: Path) -> tuple[ModelConfig, bytes]:
    """Return what the model in ``folder`` says of itself and its safetensors file, checked.

    :raises ModelError: when a file is missing, cannot be read, or was altered.
    """
    config = read_config(folder)
    return config, _checked(folder / _WEIGHTS_FILE, config.sha256)


def _checked(path: Path, sha256: str) -> bytes:
    """Return the content of ``path``, whose hash must be ``sha256``."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"cannot read {path}: {error.strerror}; export the model anew, or restore the file"
        ) from error
    digest = _sha256(content)
    if digest != sha256:
        raise ModelError(
            f"{path} is damaged or was altered: its sha256 is {digest[:12]}..., "
            f"{_CONFIG_FILE} says {sha256[:12]}...; restore both from the same release"
        )
    return content


def read_config(folder: Path) -> ModelConfig:
    """Return what ``config.json`` in ``folder`` says.

    :raises ModelError: when it is missing or says something that cannot be.
    """
    path = folder / _CONFIG_FILE
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
            tuple(map(str, raw["classes"])),
            float(raw["temperature"]),
            str(raw["sha256"]),
            _graph_hashes(raw.get("graph_sha256", {})),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} lacks or misstates {error}") from error
    if config.classes != EMOTIONS:
        raise ModelError(
            f"{path}: the model's {len(config.classes)} classes ({', '.join(config.classes)}) "
            f"are not the {len(EMOTIONS)} expected ({', '.join(EMOTIONS)})"
        )
    if not config.temperature > 0.0:
        raise ModelError(f"{path}: temperature is {config.temperature}, expected above 0")
    return config


def _graph_hashes(raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict) or not set(raw) <= set(_GRAPH_FILES):
        raise ValueError(
            f"graph_sha256, which is {raw!r}: expected a hash for {' or '.join(_GRAPH_FILES)}"
        )
    return {str(precision): str(sha256) for precision, sha256 in raw.items()}


def installed_models() -> list[Path]:
    """Return the folders in which a model that is given by name is looked for."""
    try:
        # Here, since the command lines also run without ROS.
        from ament_index_python.packages import get_package_share_directory

        return [Path(get_package_share_directory("fer_models"))]
    except (ImportError, LookupError):  # no ament here; or its PackageNotFoundError
        return []


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
