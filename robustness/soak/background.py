# SPDX-License-Identifier: Apache-2.0
"""Run a function beside a block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def meanwhile(what: Callable[[threading.Event], None], name: str) -> Iterator[None]:
    """Run a function in a thread during the block.

    :param what: returns once its event is set.
    """
    stopping = threading.Event()
    thread = threading.Thread(target=what, args=(stopping,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
