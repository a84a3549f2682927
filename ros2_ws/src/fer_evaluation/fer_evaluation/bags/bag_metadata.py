# SPDX-License-Identifier: Apache-2.0
"""Read ``metadata.yaml``, the recorder's description of a bag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

import yaml

METADATA_FILE: Final = "metadata.yaml"
_ROOT: Final = "rosbag2_bagfile_information"


@dataclass(frozen=True)
class BagMetadata:
    """The recorder's description of a bag.

    :ivar files: names of the storage files, in the order of their recording.
    :ivar message_counts: messages by topic.
    """

    files: tuple[str, ...]
    message_counts: Mapping[str, int]


def read_metadata(folder: Path) -> BagMetadata:
    """Read the ``metadata.yaml`` of a bag's folder.

    :raises FileNotFoundError: when it is missing.
    :raises ValueError: when it is damaged; the message says where.
    """
    path = folder / METADATA_FILE
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if content is None:
            raise ValueError("it is empty")
        if not isinstance(content, dict) or not isinstance(content.get(_ROOT), dict):
            raise ValueError(f"expected a mapping with the entry {_ROOT}")
        document = content[_ROOT]
        files = tuple(PurePath(str(name)).name for name in document["relative_file_paths"])
        counts: dict[str, int] = {}
        for topic in document["topics_with_message_count"]:
            name = str(topic["topic_metadata"]["name"])
            counts[name] = counts.get(name, 0) + int(topic["message_count"])
    except FileNotFoundError:
        raise
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{METADATA_FILE} cannot be read: {' '.join(str(error).split())}"
        ) from None
    return BagMetadata(files, counts)
