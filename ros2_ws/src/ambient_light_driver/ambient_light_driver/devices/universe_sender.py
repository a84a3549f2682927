# SPDX-License-Identifier: Apache-2.0
"""One sender per universe, merging the fixtures of all devices.

A packet holds all 512 channels. Two separate senders would overwrite each other with zeros many
times per second.
"""

from __future__ import annotations

import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ambient_light_driver.devices.dmx_layout import UNIVERSE_SIZE
from ambient_light_driver.devices.light_device import DeviceUnavailableError
from ambient_light_driver.devices.network import UdpPeer

MAX_RATE_HZ = 44.0
"""Maximum rate of full universes on a DMX512 line (ANSI E1.11)."""


@dataclass(frozen=True)
class UniverseStream(ABC):
    """Encoding of one universe to packets.

    :param peer: their destination.
    :param universe: number of the universe.
    """

    peer: UdpPeer
    universe: int

    @abstractmethod
    def packet(self, channels: bytes, sequence: int) -> bytes:
        """Return the packet that shows ``channels``.

        :param channels: 512 values.
        :param sequence: number of the packet, from 0, truncated to the protocol's field.
        """

    def last_packets(self, channels: bytes, sequence: int) -> list[bytes]:
        """Return the packets that end the stream."""
        return []


class UniverseSender:
    """Merge the channels of all devices and send 44 packets per second.

    Channels and sequence number outlive a stream: when a device reconnects, the lamps of the
    others stay on, and receivers do not drop packets as late.
    """

    def __init__(self) -> None:
        self._state = threading.Lock()
        self._channels = bytearray(UNIVERSE_SIZE)
        self._version = 0
        self._members: dict[str, tuple[UniverseStream, Mapping[int, int]]] = {}
        self._wire = threading.Lock()
        self._sent_version = 0
        self._next_s = 0.0
        self._sequence = 0
        self._socket: socket.socket | None = None
        self._address: Any = None

    def join(self, name: str, stream: UniverseStream, channels: Mapping[int, int]) -> None:
        """Register channels of the device ``name``.

        :param channels: DMX address of each fixture -> address of its last channel.
        :raises DeviceUnavailableError: when another device drives one of them, or sends the
            universe in another way.
        :raises OSError: when packets cannot be sent.
        """
        with self._state:
            for other, (other_stream, taken) in self._members.items():
                _check_neighbours(name, channels, other, taken)
                if other_stream != stream:
                    raise DeviceUnavailableError(
                        f"devices {other} and {name} share universe {stream.universe} at "
                        f"{stream.peer.host}: give both the same options besides their channels"
                    )
            self._members[name] = (stream, channels)
        try:
            with self._wire:
                self._open(stream)
        except OSError:
            self.leave(name)
            raise

    def leave(self, name: str) -> None:
        """Release the device's channels; the last device ends the stream."""
        with self._state:
            member = self._members.pop(name, None)
            others, channels = bool(self._members), bytes(self._channels)
        if member is None or others:
            return
        with self._wire:
            try:
                if self._socket is not None:
                    for packet in member[0].last_packets(channels, self._sequence):
                        self._socket.sendto(packet, self._address)
                        self._sequence += 1
            except OSError:
                pass  # the stream already ended with the network
            finally:
                self._close()

    def send(self, name: str, levels: Mapping[int, bytes]) -> None:
        """Show ``levels``; return when a packet with them is sent.

        :param levels: DMX address -> values of the channels from there on.
        :raises Exception: when it cannot be sent; later packets do not contain them then.
        """
        with self._state:
            if name not in self._members:
                raise ConnectionError("not open")
            stream = self._members[name][0]
            before = {a: bytes(self._channels[a - 1 : a - 1 + len(v)]) for a, v in levels.items()}
            version = self._write(levels)
        try:
            self._deliver(stream, version)
        except OSError:
            with self._state:
                self._write(before)
            raise

    def _write(self, levels: Mapping[int, bytes]) -> int:
        for address, values in levels.items():
            self._channels[address - 1 : address - 1 + len(values)] = values
        self._version += 1
        return self._version

    def _deliver(self, stream: UniverseStream, version: int) -> None:
        """Send a packet unless another one already contained this version."""
        with self._wire:
            if self._sent_version >= version:
                return
            time.sleep(max(0.0, self._next_s - time.monotonic()))
            with self._state:  # after the wait, to include devices that wrote in the meantime
                channels, newest = bytes(self._channels), self._version
            try:
                self._open(stream).sendto(stream.packet(channels, self._sequence), self._address)
            except OSError:
                self._close()
                raise
            self._sequence += 1
            self._sent_version = newest
            self._next_s = time.monotonic() + 1.0 / MAX_RATE_HZ

    def _open(self, stream: UniverseStream) -> socket.socket:
        if self._socket is None:
            self._socket, self._address = stream.peer.open()
        return self._socket

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


_senders: dict[str, UniverseSender] = {}
_senders_lock = threading.Lock()


def shared_sender(resource: str) -> UniverseSender:
    """Return the process-wide sender of a universe.

    :param resource: name of the universe, from its claim.
    """
    with _senders_lock:
        return _senders.setdefault(resource, UniverseSender())


def _check_neighbours(
    name: str, channels: Mapping[int, int], other: str, taken: Mapping[int, int]
) -> None:
    for first, last in channels.items():
        for other_first, other_last in taken.items():
            if first <= other_last and other_first <= last:
                raise DeviceUnavailableError(
                    f"devices {other} and {name} both drive channel {max(first, other_first)}: "
                    "give one of them another address or universe"
                )
