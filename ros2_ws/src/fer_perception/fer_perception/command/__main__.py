# SPDX-License-Identifier: Apache-2.0
"""Entry point of ``recognize``, also ``python -m fer_perception.command``."""

from __future__ import annotations

import sys
from pathlib import Path

from fer_common.command import run


def recognize() -> int:
    """Run under the name that was typed: ``recognize``, or ``fer-recognize`` after pip."""
    return run("fer_perception.command.recognize", Path(sys.argv[0]).name)


if __name__ == "__main__":
    sys.argv[0] = "recognize"
    sys.exit(recognize())
