# SPDX-License-Identifier: Apache-2.0
"""Write files atomically, safe against full disks and power loss."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces ``path`` after the block.

    When the block or the disk fails, ``path`` stays unchanged and the temporary file is removed.

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
    """Replace ``path`` atomically by a file with ``content``.

    :raises OSError: what the disk says; the old file is then unchanged.
    """
    with replacing(path) as part:
        part.write_bytes(content)


def put_in_place(part: Path, path: Path) -> None:
    """Flush a complete file or folder to disk, then rename it.

    Without the flush, a rename may survive a power loss that the content does not.

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
