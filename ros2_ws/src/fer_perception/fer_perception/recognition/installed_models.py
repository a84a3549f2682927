# SPDX-License-Identifier: Apache-2.0
"""Find models by name or path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..inference.model_files import ModelError, models_folder
from .model_config import CONFIG_FILE

__all__ = ["DEFAULT_MODEL", "find_model", "installed_models", "list_models"]

DEFAULT_MODEL: Final = "vgg_stn"
"""The default model of fer_models, the most accurate one."""


def installed_models() -> list[Path]:
    """Return the folders that are searched for models by name."""
    try:
        return [models_folder()]
    except ModelError:
        return []


def list_models(search: Sequence[Path] | None = None) -> list[str]:
    """Return the names of the models in the folders ``search``, sorted.

    :param search: None for those that fer_models installs.
    """
    folders = installed_models() if search is None else search
    return sorted(p.parent.name for folder in folders for p in folder.glob(f"*/{CONFIG_FILE}"))


def find_model(name_or_path: str, search: Sequence[Path]) -> Path:
    """Return a model's folder, given its path or its name.

    :raises ModelError: naming the folders searched and the models known.
    """
    if "/" in name_or_path:
        return Path(name_or_path).expanduser()
    for folder in search:
        if (folder / name_or_path / CONFIG_FILE).is_file():
            return folder / name_or_path
    if not search:
        models_folder()  # raises with the remedy
    known = ", ".join(list_models(search)) or "a path"
    raise ModelError(
        f"no model {name_or_path!r} in {', '.join(map(str, search))}: expected {known}"
    )
