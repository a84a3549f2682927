# SPDX-License-Identifier: Apache-2.0
"""Entry point of ``recognize``, also ``python -m fer_perception.command``."""

from __future__ import annotations

import sys
from functools import partial

from fer_common.command import run

recognize = partial(run, "fer_perception.command.recognize")

if __name__ == "__main__":
    sys.exit(recognize())
