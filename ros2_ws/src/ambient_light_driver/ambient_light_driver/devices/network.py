# SPDX-License-Identifier: Apache-2.0
"""Sockets to lamps, by host name, IPv4 or IPv6 address."""

from __future__ import annotations

import contextlib
import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

ANSWER_TIMEOUT_S = 1.0
"""Timeout after which a lamp without a response is lost [s]."""

MULTICAST_HOPS = 8


@dataclass(frozen=True, slots=True)
class UdpPeer:
    """Destination and sending interface of packets.

    :param host: name or address of the receiver; also a broadcast or multicast address.
    :param bind_address: address of the interface to send from; empty lets the system choose.
    :param bind_port: port to send from; 0 takes a free one.
    """

    host: str
    port: int
    bind_address: str = ""
    bind_port: int = 0

    def open(self) -> tuple[socket.socket, Any]:
        """Return a socket and the destination address.

        :raises OSError: when a name has no address, or the interface does not exist.
        """
        family, address = resolve(self.host, self.port, socket.SOCK_DGRAM)
        sender = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            if ip_address(address[0].partition("%")[0]).is_multicast:
                _prepare_multicast(sender, family, self.bind_address)
            if self.bind_address or self.bind_port:
                sender.bind((self.bind_address, self.bind_port))
        except OSError:
            sender.close()
            raise
        return sender, address


def resolve(host: str, port: int, kind: socket.SocketKind) -> tuple[socket.AddressFamily, Any]:
    """Return family and socket address of ``host``.

    :param kind: SOCK_DGRAM or SOCK_STREAM.
    :raises OSError: naming the host, when it cannot be resolved.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise OSError(f"no address for host {host!r}: {error}") from error
    return family, address


def address_of(host: str) -> str:
    """Return the IP address of a name, or the name without one."""
    try:
        _, address = resolve(host, 0, socket.SOCK_DGRAM)
    except OSError:
        return host
    return str(address[0])


def discard_queued(connection: socket.socket | None) -> None:
    """Make the next close drop unsent data."""
    if connection is None:
        return
    with contextlib.suppress(OSError):  # already closed
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _prepare_multicast(
    sender: socket.socket, family: socket.AddressFamily, bind_address: str
) -> None:
    if family == socket.AF_INET6:
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, MULTICAST_HOPS)
        return
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, MULTICAST_HOPS)
    if bind_address:
        interface = socket.inet_aton(bind_address)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
