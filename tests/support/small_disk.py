# SPDX-License-Identifier: Apache-2.0
"""A small disk, to test full ones."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(name="small_disk")
def small_disk_fixture(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """An empty file system of one megabyte, or the parameter's size."""
    folder = tmp_path / "small_disk"
    folder.mkdir()
    mount = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        f"size={getattr(request, 'param', 1)}m",
        "tmpfs",
        str(folder),
    ]
    try:
        made = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError as error:
        pytest.skip(f"{error}: nothing was tried on a full disk")
    if made.returncode:
        pytest.skip(f"no tmpfs ({made.stderr.strip()}): nothing was tried on a full disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
