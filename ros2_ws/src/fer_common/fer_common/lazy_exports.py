# SPDX-License-Identifier: Apache-2.0
"""Import a package's public names on first use (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__``; importing the package stays cheap.

    :param package: ``__name__`` of the package.
    :param modules: public name -> module below the package that defines it; with ``:NAME``
        where the name there is another.
    """

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, own_name = modules[name].partition(":")
        try:
            return getattr(import_module(f"{package}.{module}"), own_name or name)
        except AttributeError as error:
            # "from package import name" replaces an AttributeError with "cannot import name".
            raise ImportError(f"{package}.{module} cannot be loaded: {error}") from error

    def names() -> list[str]:
        return sorted({*vars(import_module(package)), *modules})

    return get, names
