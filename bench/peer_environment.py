# SPDX-License-Identifier: Apache-2.0
"""A virtual environment of their own for the packages that we are compared with."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parent.parent
_REQUIREMENTS = _REPOSITORY / "requirements" / "bench-peers.txt"
_FOLDER = _REPOSITORY / "build" / "bench-peers"


def peer_variables() -> dict[str, str]:
    """Return the environment variables without those that lead to our own packages."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LD_"))}


def peer_python() -> Path:
    """Return the interpreter of the peers' environment, which is made when it is not there.

    :raises subprocess.CalledProcessError: when it cannot be made.
    """
    python, stamp = _FOLDER / "bin" / "python", _FOLDER / "stamp"
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    print(f"Installing the peers into {_FOLDER} (2.5 GB, once) ...", flush=True)
    venv.create(_FOLDER, with_pip=True, clear=True)
    install = ["-m", "pip", "install", "--quiet", "--requirement", str(_REQUIREMENTS)]
    subprocess.run([str(python), *install], check=True, stdout=sys.stderr, env=peer_variables())
    stamp.write_text(wanted)
    return python
