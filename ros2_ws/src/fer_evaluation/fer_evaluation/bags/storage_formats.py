# SPDX-License-Identifier: Apache-2.0
"""Find a bag's storage files and recognise them by magic bytes."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Final

from fer_perception.images.natural_order import natural_key

from .bag_error import BagError

# The decompressor that rosbags brings.
if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_ROS1_MAGIC: Final = b"#ROSBAG V"
_MAGIC_BYTES: Final = 16
# A block of zstd has at most 128 KiB.
_BLOCK_BYTES: Final = 1 << 18
_MAX_MESSAGE_BYTES: Final = 1 << 30


class Ros1BagError(BagError):
    """The bag is of ROS 1; the message explains the conversion."""


class StorageFormat(Enum):
    """A storage plug-in of rosbag2, by the suffix of its files."""

    MCAP = ".mcap"
    SQLITE3 = ".db3"


_MAGIC: Final = {
    b"\x89MCAP0\r\n": StorageFormat.MCAP,
    b"SQLite format 3\0": StorageFormat.SQLITE3,
}
_SUFFIXES: Final = {form.value: form for form in StorageFormat}
_EXPECTED: Final = ".mcap or .db3 files, also compressed as .mcap.zstd or .db3.zstd"


def storage_files(path: Path) -> list[Path]:
    """Return the storage files of the bag at ``path`` in natural order.

    :param path: a bag's folder, or one storage file.
    :raises BagError: when the bag contains none.
    """
    if not path.exists():
        raise BagError(f"{path}: no such bag")
    if path.is_file():
        if not _is_storage(path):
            if _head(path).startswith(_ROS1_MAGIC):
                raise Ros1BagError(_ros1_hint(path))
            raise BagError(f"{path} is not a bag: expected a folder, or {_EXPECTED}")
        return [path]
    inside = [file for file in path.iterdir() if file.is_file() and not _is_macos_shadow(file)]
    # 'ros2 bag play' leaves the decompressed file beside the compressed one.
    names = {file.name for file in inside}
    inside = [file for file in inside if f"{file.name}.zstd" not in names]
    # The parts of a split bag are numbered: bag_2 comes before bag_10.
    files = sorted(
        (file for file in inside if _is_storage(file)), key=lambda file: natural_key(file.name)
    )
    if not files:
        ros1 = [file for file in inside if _head(file).startswith(_ROS1_MAGIC)]
        if ros1:
            raise Ros1BagError(_ros1_hint(ros1[0]))
        raise BagError(f"{path} is not a bag: expected {_EXPECTED}, and metadata.yaml beside them")
    return files


def is_bag(path: Path) -> bool:
    """Return whether ``path`` holds storage files, whole, damaged, or of ROS 1."""
    try:
        return bool(storage_files(path))
    except Ros1BagError:
        return True
    except BagError:
        return False


def bag_name(path: Path) -> str:
    """Return the name of a bag's folder or file, without suffixes."""
    if path.is_dir():
        return path.resolve().name
    name = path.name.removesuffix(".zstd")
    return next((name.removesuffix(s) for s in _SUFFIXES if name.endswith(s)), name)


def is_zstd(path: Path) -> bool:
    """Return whether a file is compressed as a whole."""
    return _head(path).startswith(ZSTD_MAGIC)


def storage_format(path: Path) -> StorageFormat | None:
    """Return a file's format by its magic bytes, else its name."""
    head = _head(path)
    if head.startswith(ZSTD_MAGIC):
        head = _decompressed_head(path)
    for magic, form in _MAGIC.items():
        if head.startswith(magic):
            return form
    return next((form for suffix, form in _SUFFIXES.items() if suffix in path.suffixes), None)


def decompress_file(source: Path, target: Path) -> str:
    """Decompress a zstd file as far as possible.

    :returns: its damage; empty without any.
    :raises OSError: when the target's disk is full.
    """
    with source.open("rb") as compressed, target.open("wb") as plain:
        decompressor = zstd.ZstdDecompressor()
        while block := compressed.read(_BLOCK_BYTES):
            while block:
                if decompressor.eof:  # a file may consist of several frames
                    decompressor = zstd.ZstdDecompressor()
                try:
                    plain.write(decompressor.decompress(block, _BLOCK_BYTES))
                    while not (decompressor.eof or decompressor.needs_input):
                        plain.write(decompressor.decompress(b"", _BLOCK_BYTES))
                except zstd.ZstdError as error:
                    return str(error)
                block = decompressor.unused_data
    return "" if decompressor.eof else "it is cut short"


def decompress_message(data: bytes) -> bytes:
    """Decompress a message of rosbag2's compression mode MESSAGE.

    :raises BagError: when it is damaged.
    """
    decompressor = zstd.ZstdDecompressor()
    try:
        plain = decompressor.decompress(data, _MAX_MESSAGE_BYTES)
    except (zstd.ZstdError, MemoryError) as error:
        raise BagError(str(error)) from None
    if not decompressor.eof:
        raise BagError("the compressed message is cut short, or larger than 1 GiB")
    return plain


def _is_storage(path: Path) -> bool:
    return storage_format(path) is not None


def _is_macos_shadow(path: Path) -> bool:
    """Return whether the file holds macOS attributes of another one."""
    return path.name.startswith("._")


def _ros1_hint(path: Path) -> str:
    target = path.with_suffix("")
    return (
        f"{path} is a ROS 1 bag: convert it with 'rosbags-convert --src {path} --dst {target}', "
        "which the package rosbags brings"
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC_BYTES)
    except OSError as error:
        raise BagError(f"{path} cannot be read: {error.strerror}") from error


def _decompressed_head(path: Path) -> bytes:
    with path.open("rb") as file:
        try:
            return zstd.ZstdDecompressor().decompress(file.read(_BLOCK_BYTES), _MAGIC_BYTES)
        except zstd.ZstdError:
            return b""
