# SPDX-License-Identifier: Apache-2.0
"""The interface between the light and any lamp."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from ambient_light_driver.devices.claims import Claim
from ambient_light_driver.light_state import LightState
from fer_common.options import option


@dataclass(frozen=True, kw_only=True)
class DeviceConfig:
    """Options that every device has; a device's own options are added in a subclass."""

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
        """Return what a device with these options drives and no other may drive."""
        return ()


ConfigT = TypeVar("ConfigT", bound=DeviceConfig)


class DeviceUnavailableError(Exception):
    """A device cannot be used; the text says why and what helps."""


class LightDevice(ABC, Generic[ConfigT]):
    """One lamp, or several that show the same.

    All three methods are called from one thread that belongs to this device alone; they may
    block, but for no longer than about a second. Any exception means that the lamp is lost:
    :meth:`close` is called, then :meth:`open` again after a while. A new object is not made.

    The flash limiter relies on four promises of every device:

    - *One in flight.* :meth:`send` returns when the lamp, or the bridge that drives it, has the
      colour: it has confirmed it, or nothing of it is left in a queue of this machine. Where no
      one confirms (UDP), :attr:`late_s` bounds how much later the lamp may show it.
    - *Nothing of the past.* A colour that could not be delivered is given up: :meth:`close`
      discards what was queued. The worker calls :meth:`send` again with the newest colour only.
    - *No path of its own.* The lamp jumps to the colour (transition 0). Where a lamp cannot jump,
      it fades in the numbers that it was sent, never through hues.
    - *All of the colour, rising.* Each channel of the light rises with the number sent for it,
      with an exponent from 1 to 3, or up to the dimming curve that the device states.

    A third party adds a device by an entry point in the group ``ambient_light_driver.devices``
    that names a subclass.

    :param name: the device's name among the node's devices.
    :param config: its options, an instance of :attr:`config_type`.
    """

    late_s: ClassVar[float] = 0.1
    """Longest time from the return of :meth:`send` until the lamp shows the colour [s].

    0 where the lamp itself confirms. The limiter's window is longer by the largest one."""

    dark_when_lost: ClassVar[bool] = True
    """Whether the light may go out with the connection; False where it keeps its last colour.

    The limiter counts such a loss as darkness."""

    config_type: ClassVar[type[DeviceConfig]]
    """Frozen dataclass of the device's options."""

    def __init__(self, name: str, config: ConfigT) -> None:
        self.name = name
        self.config = config

    @property
    def remark(self) -> str:
        """What the user should know of a lamp that obeys; empty for nothing."""
        return ""

    def take_turn(self) -> float:
        """Take a turn on a connection that other devices share; the newest colour is sent then.

        ``max_rate_hz`` does for devices that share nothing.

        :returns: 0 when it is this device's turn, else the time after which to ask again [s].
        """
        return 0.0

    @abstractmethod
    def open(self) -> None:
        """Connect to the lamp.

        :raises Exception: when it cannot be reached; the text is shown to the user.
        """

    @abstractmethod
    def send(self, state: LightState) -> None:
        """Show ``state`` at once, and return when it is delivered.

        :raises Exception: when it was not delivered within about a second, or the lamp is lost;
            the text is shown to the user.
        """

    @abstractmethod
    def close(self) -> None:
        """Discard what is queued and release the connection.

        Called once after each :meth:`open`, successful or not.
        """
