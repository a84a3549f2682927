# SPDX-License-Identifier: Apache-2.0
"""Copy bags from object storage and shares, by the addresses of fsspec."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fer_perception.images.natural_order import natural_key

from .bag_error import BagError
from .bag_metadata import METADATA_FILE

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_STORAGE: Final = (".mcap", ".db3", ".mcap.zstd", ".db3.zstd")


def is_address(text: str) -> bool:
    """Return whether a text is an address such as ``s3://bucket/bag``."""
    return "://" in text


def name_of(address: str) -> str:
    """Return the last part of an address."""
    return address.rstrip("/").rpartition("/")[2]


def remote_bags(address: str) -> list[str]:
    """Return the addresses of the bags at an address or below it.

    :raises BagError: when the place cannot be listed; also without fsspec.
    """
    system, root = _open(address)
    with _errors_of(address):
        files = [root] if system.isfile(root) else sorted(system.find(root))
    folders = {
        str(file).rpartition("/")[0]
        for file in files
        if str(file).endswith(_STORAGE) or str(file).endswith(f"/{METADATA_FILE}")
    }
    if files == [root] or not folders or folders == {root.rstrip("/")}:
        return [address]
    found = [str(system.unstrip_protocol(folder)) for folder in folders]
    return sorted(found, key=natural_key)


@contextmanager
def local_copy(address: str) -> Iterator[Path]:
    """Yield a copy of a bag in a temporary folder.

    rosbags reads local files only.

    :raises BagError: when the bag cannot be copied; also without fsspec.
    """
    system, root = _open(address)
    with tempfile.TemporaryDirectory(prefix="fer_bag_") as folder:
        target = Path(folder) / name_of(address)
        with _errors_of(address):
            if not system.exists(root):
                raise BagError(f"{address}: no such bag")
            if system.isfile(root):
                system.get_file(root, str(target))
            else:
                target.mkdir()
                for file in system.find(root, maxdepth=1):
                    system.get_file(file, str(target / name_of(str(file))))
        yield target


def _open(address: str) -> tuple[AbstractFileSystem, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise BagError(
            f"{address} needs the Python package fsspec: pip install fsspec, and the package of "
            "its protocol, for example s3fs; or copy the bag to a local disk"
        ) from None
    with _errors_of(address):
        system, root = url_to_fs(address)
        return system, str(root)


@contextmanager
def _errors_of(address: str) -> Iterator[None]:
    """Turn whatever a protocol's package raises into one line."""
    try:
        yield
    except BagError:
        raise
    except Exception as error:
        reason: Any = " ".join(str(error).split()) or type(error).__name__
        raise BagError(f"{address} cannot be read: {reason}") from error
