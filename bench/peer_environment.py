# SPDX-License-Identifier: Apache-2.0
"""Separate virtual environments for the packages compared with."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parent.parent


def peer_variables() -> dict[str, str]:
    """Return the environment variables without paths of our packages."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LD_"))}


def peer_python(name: str) -> Path:
    """Return the interpreter of a peer environment, creating it if needed.

    :param name: its requirements are in ``requirements/NAME.txt`` and, for packages to be
        installed without theirs, ``requirements/NAME-no-deps.txt``.
    :raises subprocess.CalledProcessError: when it cannot be created.
    """
    folder = _REPOSITORY / "build" / name
    files: list[tuple[Path, list[str]]] = [
        (_REPOSITORY / "requirements" / f"{name}.txt", []),
        (_REPOSITORY / "requirements" / f"{name}-no-deps.txt", ["--no-deps"]),
    ]
    files = [(file, options) for file, options in files if file.is_file()]
    python, stamp = folder / "bin" / "python", folder / "stamp"
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file, _ in files)).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    print(f"Installing peers into {folder} (several GB, once) ...", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    for file, options in files:
        install = [str(python), "-m", "pip", "install", "--quiet", *options, "-r", str(file)]
        subprocess.run(install, check=True, stdout=sys.stderr, env=peer_variables())
    stamp.write_text(wanted)
    return python
