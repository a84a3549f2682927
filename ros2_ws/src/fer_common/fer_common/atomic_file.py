# SPDX-License-Identifier: Apache-2.0
"""Files that are there whole or not at all, also after a full disk, a kill or a loss of power."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; after the block it takes the place of ``path``.

    When the block or the disk fails, ``path`` is as it was and what was written is removed.

    :raises OSError: what the disk says.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        put_in_place(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``; the old file stays until the new one is whole.

    :raises OSError: what the disk says; the old file is then unchanged.
    """
    with replacing(path) as part:
        part.write_bytes(content)


def put_in_place(part: Path, path: Path) -> None:
    """Rename a file or a folder that is complete, once all of it is on the disk.

    Without waiting for the disk a rename may outlive a loss of power that the content does not.

    :param part: on the same file system as ``path``.
    """
    for inside in sorted(part.rglob("*")) if part.is_dir() else ():
        _sync(inside)
    _sync(part)
    part.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
