# SPDX-License-Identifier: Apache-2.0
"""The interface between the light and any lamp."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

from ambient_light_driver.devices.claims import Claim
from ambient_light_driver.devices.network import address_of
from ambient_light_driver.light_state import LightState
from fer_common.options import option


@dataclass(frozen=True, kw_only=True)
class DeviceConfig:
    """Options of all devices; subclasses add their own."""

    max_rate_hz: float = option(
        100.0,
        "Most colours sent per second; between them the newest wins.",
        minimum=0.1,
        maximum=200.0,
    )
    refresh_s: float = option(
        0.5,
        "Time after which an unchanged colour is sent again, so that a lamp that was switched "
        "on late shows it [s].",
        minimum=0.05,
        maximum=3600.0,
    )

    def claims(self) -> tuple[Claim, ...]:
        """Return the exclusive claims of a device with these options."""
        return ()


ConfigT = TypeVar("ConfigT", bound=DeviceConfig)


class DeviceUnavailableError(Exception):
    """A device cannot be used; the message gives reason and remedy."""


class LightDevice(ABC, Generic[ConfigT]):
    """One lamp, or several with the same colour.

    All three methods are called from the device's own thread; they may block for up to about a
    second. An exception means that the lamp is lost: :meth:`close` is called, then :meth:`open`
    after a back-off, on the same object.

    The flash limiter relies on four promises of every device:

    - *One in flight.* :meth:`send` returns when the lamp or its bridge has received the colour: it
      has confirmed it, or this machine's queue is empty. What a receiver queues beyond that
      (UDP, a broker) it shows in order, after ``late_s`` of the light's settings at most.
    - *No stale colours.* A colour that cannot be delivered is dropped: :meth:`close` discards the
      queue. The worker calls :meth:`send` again with the newest colour only.
    - *No own path.* The lamp jumps to the colour (transition 0). A lamp that cannot jump fades in
      the numbers that it received, never through hues.
    - *Monotonic channels.* Each channel of the light rises with the number sent for it, with an
      exponent from 1 to 3, or up to the dimming curve that the device states.

    Third parties add a device by an entry point of a subclass in the group
    ``ambient_light_driver.devices``.

    :param name: the device's name among the node's devices.
    :param config: its options, an instance of :attr:`config_type`.
    """

    config_type: ClassVar[type[DeviceConfig]]
    """Frozen dataclass of the device's options."""

    def __init__(self, name: str, config: ConfigT) -> None:
        self.name = name
        self.config = config

    @property
    def remark(self) -> str:
        """A remark for the user about a working lamp; may be empty."""
        return ""

    def take_turn(self) -> float:
        """Take a turn on a connection shared with other devices.

        The newest colour is sent then. For unshared connections ``max_rate_hz`` suffices.

        :returns: 0 when it is this device's turn, else the time after which to ask again [s].
        """
        return 0.0

    @abstractmethod
    def open(self) -> None:
        """Connect to the lamp.

        :raises Exception: when it cannot be reached; the text is shown to the user.
        """

    def reached(self) -> tuple[Claim, ...]:
        """Return the exclusive claims of the lamps that :meth:`open` has reached.

        They name the lamps themselves, however they were configured.
        """
        names = {key: getattr(self.config, key, "") for key in ("host", "destination")}
        addresses: dict[str, Any] = {key: address_of(name) for key, name in names.items() if name}
        return replace(self.config, **addresses).claims()

    @abstractmethod
    def send(self, state: LightState) -> None:
        """Show ``state`` at once; return when it is delivered.

        :raises Exception: when it is not delivered within about a second, or the lamp is lost;
            the text is shown to the user.
        """

    @abstractmethod
    def close(self) -> None:
        """Discard the queue and release the connection.

        Called once after each :meth:`open`, successful or not.
        """
