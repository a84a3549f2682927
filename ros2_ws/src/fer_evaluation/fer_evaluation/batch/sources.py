# SPDX-License-Identifier: Apache-2.0
"""Find the bags of a run and name their reports."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fer_perception.images.natural_order import natural_key

from ..bags.bag_metadata import METADATA_FILE
from ..bags.remote_bags import is_address, name_of, remote_bags
from ..bags.storage_formats import bag_name, is_bag

# Only such files are opened in a search: a folder may hold anything.
_SUFFIXES: Final = (".mcap", ".db3", ".zstd", ".bag")


def bags_within(folder: Path) -> list[Path]:
    """Return the bags in the folders below ``folder``, in natural order.

    A folder that holds storage files or a ``metadata.yaml`` is one bag, readable or not.
    """
    found = []
    for place, folders, files in os.walk(folder):
        path = Path(place)
        has_storage = any(name.endswith(_SUFFIXES) for name in files) and is_bag(path)
        if path != folder and (has_storage or METADATA_FILE in files):
            found.append(path)
            folders.clear()
    return sorted(found, key=lambda path: natural_key(str(path)))


def holds_bags(path: Path) -> bool:
    """Return whether ``path`` is a folder of bags, not a bag."""
    return path.is_dir() and not is_bag(path) and bool(bags_within(path))


def named_sources(given: Sequence[str]) -> dict[str, str]:
    """Return report name -> path or address of each bag.

    A bag in a folder is named by its path in it, others by their own name, with as many of the
    folders above as distinguish them. A bag given twice counts once.
    """
    parts: dict[str, tuple[str, ...]] = {}
    for text in given:
        if is_address(text):
            for address in remote_bags(text):
                parts[address] = (name_of(address),)
            continue
        path = Path(text)
        if holds_bags(path):
            for bag in bags_within(path):
                parts.setdefault(str(bag.resolve()), bag.relative_to(path).parts)
        else:
            parts.setdefault(str(path.resolve()), (bag_name(path),))
    names = {source: "/".join(own) for source, own in parts.items()}
    depth = 1
    while duplicates := {name for name, count in Counter(names.values()).items() if count > 1}:
        for source, name in names.items():
            if name in duplicates:
                above = Path(source).parts[: -len(parts[source])]
                names[source] = "/".join([*above[-depth:], *parts[source]]).strip("/")
        depth += 1
    return {name: source for source, name in names.items()}
