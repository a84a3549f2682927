# SPDX-License-Identifier: Apache-2.0
"""Keep malformed requests out of the log."""

from __future__ import annotations

import logging

from aiohttp.http_exceptions import HttpProcessingError


class _OwnErrors(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


def leave_out_malformed_requests(logger: logging.Logger) -> None:
    """Let ``logger`` report the server's own errors only.

    aiohttp logs each request that is not valid HTTP with a traceback and a part of it: any client
    could fill the log, and a mistyped request would leave its token there. The client receives
    status 400.
    """
    logger.addFilter(_OwnErrors())
