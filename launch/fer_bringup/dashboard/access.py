# SPDX-License-Identifier: Apache-2.0
"""Access control of the dashboard."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORT = 8035
"""Default TCP port of the page."""

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Access:
    """Rules that a request must satisfy.

    :ivar host: name or address that the server listens on.
    :ivar token: the secret; empty for none, which only a loopback address may have.
    :raises ValueError: when a server without token would be reachable by others.
    """

    host: str
    token: str = ""

    def __post_init__(self) -> None:
        """Refuse a network address without a token."""
        if not self.token and not is_loopback(self.host):
            raise ValueError(
                f"host is {self.host!r}, which others can reach: give a token, see --token-file"
            )

    def allows_host(self, host_header: str) -> bool:
        """Return whether the request names this server.

        An attacker's page whose name resolves to this machine (DNS rebinding) still sends its own
        name. With a token any name is accepted, as the attacker does not know the token.
        """
        return bool(self.token) or _name(host_header) in LOCAL_NAMES

    def allows_origin(self, origin: str | None, host_header: str) -> bool:
        """Return whether the request comes from our page or no page."""
        if origin is None:
            return True
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc == host_header

    def allows_token(self, given: str) -> bool:
        """Compare ``given`` with the token in constant time."""
        # Header bytes that are not valid text arrive as lone surrogates.
        given_bytes = given.encode(errors="surrogatepass")
        return not self.token or hmac.compare_digest(given_bytes, self.token.encode())


def _name(host_header: str) -> str:
    """Return the header without its port."""
    if host_header.startswith("["):
        return host_header.partition("]")[0] + "]"
    return host_header.partition(":")[0]
