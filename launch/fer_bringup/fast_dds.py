# SPDX-License-Identifier: Apache-2.0
"""Fast DDS profile of the nodes and its shared memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree  # nosec B405

from ament_index_python.packages import get_package_share_directory

# Fast DDS up to 2.14 uses the first, later releases the second.
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
ARGUMENT = "fastdds_profile"
DESCRIPTION = (
    "Fast DDS profile of the nodes. The default one lets large best-effort images through, which "
    "Fast DDS loses as it comes; 'none' for no profile. One that the environment names wins."
)

_SHARED_MEMORY = Path("/dev/shm")  # nosec B108: only its free space is read
_OWN_SEGMENT_BYTES = 512 * 1024
# Overhead of Fast DDS per segment: measured 68,612 KiB of files for a segment of 65,536 KiB, and
# 592 KiB of ports.
_OVERHEAD = 1.06
_MB = 1024 * 1024


def default_profile() -> str:
    """Return the path of the installed profile."""
    return _installed("fastdds_large_images.xml")


def variables(profile: str | None = None) -> dict[str, str]:
    """Return the environment variables that set the nodes' profile.

    :param profile: its path, or 'none'; the installed one by default.
    :raises ValueError: when the file does not exist.
    """
    profile = default_profile() if profile is None else profile
    if profile == "none" or _profile_of(os.environ):
        return {}
    path = Path(profile).expanduser().absolute()
    if not path.is_file():
        raise ValueError(f"{ARGUMENT} is {profile!r}: no such file")
    return dict.fromkeys(PROFILE_VARIABLES, str(path))


def small_message_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of nodes that publish no images; saves 65 MB.

    :param environment: environment variables of the nodes; only the installed profile in it is
        replaced.
    """
    if _profile_of(environment) != default_profile():
        return {}
    return dict.fromkeys(PROFILE_VARIABLES, _installed("fastdds_small_messages.xml"))


def _installed(name: str) -> str:
    return str(Path(get_package_share_directory("fer_bringup"), "config", name))


def shared_memory_warning(environment: Mapping[str, str], processes: int) -> str:
    """Return a warning if shared memory is too small, else empty.

    :param environment: environment variables of the nodes.
    :param processes: number of processes to start.
    """
    if not _SHARED_MEMORY.is_dir():
        return ""
    free = shutil.disk_usage(_SHARED_MEMORY).free
    needed = round(_OVERHEAD * processes * _segment_bytes(_profile_of(environment)))
    if free >= needed:
        return ""
    return (
        f"WARNING: {_SHARED_MEMORY} has {free // _MB} MB free, but the {processes} processes take "
        f"{needed // _MB} MB for messages: images will be lost. In a container, add "
        f"--shm-size={2 * needed // _MB}m or --ipc=host to 'docker run'"
    )


def _profile_of(environment: Mapping[str, str]) -> str:
    return next(filter(None, map(environment.get, PROFILE_VARIABLES)), "") or ""


def _segment_bytes(profile: str) -> int:
    """Return the size of the shared memory segment of each process."""
    try:
        sizes = [
            int(element.text or "")
            # The middleware reads the same file, which the user chose.
            for element in ElementTree.parse(profile).iter()  # nosec B314
            if element.tag.rpartition("}")[2] == "segment_size"
        ]
    except (OSError, ValueError, ElementTree.ParseError):
        # Fast DDS itself reports an unreadable profile.
        sizes = []
    return max(sizes, default=_OWN_SEGMENT_BYTES)
