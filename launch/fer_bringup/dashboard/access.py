# SPDX-License-Identifier: Apache-2.0
"""Who may look at the dashboard and turn its knobs."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORT = 8035
"""TCP port of the page, where nothing else is said."""

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_loopback(host: str) -> bool:
    """Return whether ``host``, a name or address to listen on, is reached from here only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Access:
    """What a request must show.

    :ivar host: the address that the server listens on.
    :ivar token: the secret; empty for none, which only a loopback address may have.
    :raises ValueError: when others could reach a server that has no token.
    """

    host: str
    token: str = ""

    def __post_init__(self) -> None:
        """Refuse to be open to a network."""
        if not self.token and not is_loopback(self.host):
            raise ValueError(
                f"host is {self.host!r}, which others can reach: give a token, see --token-file"
            )

    def allows_host(self, host_header: str) -> bool:
        """Return whether the request was meant for this server.

        A page of an attacker's whose name was made to point here (DNS rebinding) still sends its
        own name. With a token any name is fine, as the attacker does not know the token.
        """
        return bool(self.token) or _name(host_header) in LOCAL_NAMES

    def allows_origin(self, origin: str | None, host_header: str) -> bool:
        """Return whether the request comes from our own page, or from no page at all."""
        if origin is None:
            return True
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc == host_header

    def allows_token(self, given: str) -> bool:
        """Return whether ``given`` is the token; takes the same time for each wrong one."""
        # Bytes of a header that are no text come as lone surrogates.
        given_bytes = given.encode(errors="surrogatepass")
        return not self.token or hmac.compare_digest(given_bytes, self.token.encode())


def _name(host_header: str) -> str:
    """Return the header without its port."""
    if host_header.startswith("["):
        return host_header.partition("]")[0] + "]"
    return host_header.partition(":")[0]
