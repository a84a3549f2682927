# SPDX-License-Identifier: Apache-2.0
"""Environments of the packages compared with, each on its own.

``python -m bench.peer_environment`` installs those that are missing (several GB, once), from
PyPI and npm, into the folder of the variable ``FER_BENCH_PEERS``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

_REPOSITORY: Final = Path(__file__).resolve().parent.parent
_FOLDER: Final = "FER_BENCH_PEERS"
_REQUIREMENTS: Final = _REPOSITORY / "requirements"
_NO_DEPENDENCIES: Final = "-no-deps"


def peer_variables() -> dict[str, str]:
    """Return the environment variables without paths of our packages."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LD_"))}


def environments() -> list[str]:
    """Return the names of all environments.

    Their requirements are ``requirements/NAME.txt``, or ``NAME.json`` for Node, with packages to
    be installed without theirs in ``NAME-no-deps.txt``.
    """
    files = [*_REQUIREMENTS.glob("bench-*.txt"), *_REQUIREMENTS.glob("bench-*.json")]
    return sorted(file.stem for file in files if not file.stem.endswith(_NO_DEPENDENCIES))


def environment(name: str) -> Path:
    """Return the folder of an environment, which may not exist."""
    folder = os.environ.get(_FOLDER)
    return (Path(folder).expanduser() if folder else _REPOSITORY / "build") / name


def peer_python(name: str) -> Path:
    """Return the interpreter of an environment.

    :raises FileNotFoundError: when the environment is not installed.
    """
    python = environment(name) / "bin" / "python"
    if not python.is_file():
        raise FileNotFoundError(
            f"{name} is not installed in {environment(name)}: python -m bench.peer_environment "
            f"installs it, or {_FOLDER} names another folder"
        )
    return python


def install(name: str) -> None:
    """Install an environment.

    :raises OSError: when a program is missing.
    :raises subprocess.CalledProcessError: when an installation fails.
    """
    folder = environment(name)
    print(f"Installing peers into {folder} ...", flush=True)
    if (package := _REQUIREMENTS / f"{name}.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package, folder / "package.json")
        # Nothing of these packages is built or downloaded from elsewhere.
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)
        return
    venv.create(folder, with_pip=True, clear=True)
    for file, options in (
        (_REQUIREMENTS / f"{name}.txt", []),
        (_REQUIREMENTS / f"{name}{_NO_DEPENDENCIES}.txt", ["--no-deps"]),
    ):
        if file.is_file():
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *options]
            command = [*pip, "-r", str(file)]
            subprocess.run(command, check=True, stdout=sys.stderr, env=peer_variables())


def main() -> int:
    """Install the environments that are missing.

    :returns: 0 when all are there, else 1.
    """
    failed = 0
    for name in environments():
        if any((environment(name) / part).exists() for part in ("node_modules", "bin")):
            print(f"{environment(name)} exists: remove it to install it again")
            continue
        try:
            install(name)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"peer_environment: {name} was not installed: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
