# SPDX-License-Identifier: Apache-2.0
"""Read secrets from files or environment variables, never from parameters."""

from __future__ import annotations

import os
from pathlib import Path


def read_secret(file: str, variable: str) -> str:
    """Read a secret, without caching, so that it can change.

    :param file: path of the file whose first line it is; empty for none.
    :param variable: name of the environment variable that contains it, without a file.
    :returns: an empty string when neither is given.
    :raises ConnectionError: when the file cannot be read or the variable is not set; the error
        never contains the secret.
    """
    if file:
        try:
            lines = Path(file).expanduser().read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise ConnectionError(f"{file}: expected text in UTF-8") from error
        except (OSError, RuntimeError) as error:
            raise ConnectionError(f"{file}: cannot be read: {error}") from error
        return lines[0] if lines else ""
    if variable:
        if variable not in os.environ:
            raise ConnectionError(f"environment variable {variable} is not set")
        return os.environ[variable]
    return ""
