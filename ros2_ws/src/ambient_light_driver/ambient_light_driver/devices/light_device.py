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

    A third party adds a device by an entry point in the group ``ambient_light_driver.devices``
    that names a subclass.

    :param name: the device's name among the node's devices.
    :param config: its options, an instance of :attr:`config_type`.
    """

    config_type: ClassVar[type[DeviceConfig]]
    """Frozen dataclass of the device's options."""

    def __init__(self, name: str, config: ConfigT) -> None:
        self.name = name
        self.config = config

    @abstractmethod
    def open(self) -> None:
        """Connect to the lamp.

        :raises Exception: when it cannot be reached; the text is shown to the user.
        """

    @abstractmethod
    def send(self, state: LightState) -> None:
        """Show ``state``.

        :raises Exception: when the lamp is lost; the text is shown to the user.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the connection; called once after each :meth:`open`, successful or not."""
