# SPDX-License-Identifier: Apache-2.0
"""A Philips Hue bridge: its HTTPS interface, certificate and pace.

Version 2 of the interface (CLIP) is described at https://developers.meethue.com and
https://github.com/openhue/openhue-api.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ambient_light_driver.devices.network import ANSWER_TIMEOUT_S, discard_queued

MAX_ANSWER_BYTES = 4 * 1024 * 1024
COMMAND_GAP_S = 0.1
"""Interval of commands to a bridge, about 10 per second for all lamps [s]."""

GROUP_GAP_S = 1.0
"""Interval of commands to a room or zone, which reach many lamps by radio [s]."""

SOFT_OFF = "soft off"
"""Part of the bridge's warning that a lamp which is switched off was not lit by a colour."""

GROUPED_LIGHT = "grouped_light"
NO_EFFECT = "no_effect"


@dataclass(frozen=True)
class BridgeAddress:
    """Address of a bridge and settings of its certificate.

    :param host: name or IP address.
    :param certified_name: name in its certificate (its id).
    :param ca_file: certificates that its own is checked against.
    :param verify: whether it is checked.
    """

    host: str
    port: int
    certified_name: str
    ca_file: str
    verify: bool


@dataclass(frozen=True, slots=True)
class Resource:
    """A lamp, or all lamps of a room or zone.

    :param kind: ``light`` or ``grouped_light``.
    """

    kind: str
    id: str

    @property
    def path(self) -> str:
        """Path in the bridge's interface."""
        return f"/clip/v2/resource/{self.kind}/{quote(self.id, safe='')}"


class CommandPace:
    """Rate limit shared by all devices of one bridge."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_s = 0.0
        self._next_group_s = 0.0

    def take_turn(self, resource: Resource) -> float:
        """Take a turn if the bridge accepts a command now.

        :returns: 0 when the turn is taken, else the time after which to ask again [s].
        """
        is_group = resource.kind == GROUPED_LIGHT
        with self._lock:
            now_s = time.monotonic()
            turn_s = max(self._next_s, self._next_group_s if is_group else 0.0)
            if now_s < turn_s:
                return turn_s - now_s
            self._next_s = now_s + COMMAND_GAP_S
            if is_group:
                self._next_group_s = now_s + GROUP_GAP_S
            return 0.0


_paces: dict[tuple[str, int], CommandPace] = {}
_paces_lock = threading.Lock()


def shared_pace(address: BridgeAddress) -> CommandPace:
    """Return the process-wide pace of a bridge."""
    with _paces_lock:
        return _paces.setdefault((address.host.lower(), address.port), CommandPace())


class HueBridge(http.client.HTTPSConnection):
    """HTTPS to a bridge, with one request at a time.

    :param key: application key.
    """

    def __init__(self, address: BridgeAddress, key: str) -> None:
        context = ssl.create_default_context(cafile=address.ca_file or None)
        if not address.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        super().__init__(address.host, address.port, timeout=ANSWER_TIMEOUT_S, context=context)
        self._tls = context
        self._address = address
        self._headers = {"hue-application-key": key, "Content-Type": "application/json"}

    def connect(self) -> None:
        """Connect.

        :raises Exception: when the bridge cannot be reached or its certificate does not match.
        """
        plain = socket.create_connection((self.host, self.port), self.timeout)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = self._tls.wrap_socket(plain, server_hostname=self._address.certified_name)
        except ssl.SSLCertVerificationError as error:
            plain.close()
            remedy = (
                "bridge_id: set it to the bridge's id of 16 digits, on its underside or as "
                f"bridgeid at https://{self.host}/api/config"
                if "match" in error.verify_message
                else "ca_file: set it to the maker's root certificate or the bridge's own"
            )
            raise ConnectionError(
                f"the certificate at {self.host} is not that of {self._address.certified_name!r}: "
                f"{error.verify_message}; {remedy}"
            ) from error
        except OSError:
            plain.close()
            raise

    def get(self, path: str) -> list[dict[str, Any]]:
        """Return the bridge's data of one resource or a kind."""
        data, _ = self._ask("GET", path, None)
        return data

    def put(self, resource: Resource, body: dict[str, object]) -> str:
        """Send a command.

        :returns: the bridge's warning that the lamp stays switched off; else empty.
        :raises Exception: when the bridge does not respond or the command fails.
        """
        _, warning = self._ask("PUT", resource.path, json.dumps(body))
        return warning

    def is_on(self, resource: Resource) -> bool:
        """Return whether a lamp, or any lamp of a group, is on."""
        try:
            return bool(self.get(resource.path)[0]["on"]["on"])
        except (LookupError, TypeError) as error:
            raise ConnectionError(f"Hue bridge describes {resource.id} incompletely") from error

    def end_effect(self, resource: Resource) -> None:
        """End a running effect of a lamp; rooms have none."""
        if resource.kind == GROUPED_LIGHT:
            return
        for light in self.get(resource.path):
            if light.get("effects", {}).get("status", NO_EFFECT) != NO_EFFECT:
                self.put(resource, {"effects": {"effect": NO_EFFECT}})

    def find(self, name: str) -> Resource:
        """Find a lamp, room or zone by its case-insensitive name.

        :raises ConnectionError: when none or several match; the message lists the existing names.
        """
        found: list[tuple[str, Resource]] = []
        for kind in ("light", "room", "zone"):
            for entry in self.get(f"/clip/v2/resource/{kind}"):
                resource = _resource_of(kind, entry)
                if resource is not None:
                    found.append((entry["metadata"]["name"], resource))
        matches = [resource for known, resource in found if known.casefold() == name.casefold()]
        if len(matches) == 1:
            return matches[0]
        names = ", ".join(sorted({repr(known) for known, _ in found})) or "none"
        count = "several lamps, rooms or zones are" if matches else "no lamp, room or zone is"
        raise ConnectionError(f"light_name: {count} called {name!r}; the bridge has {names}")

    def _ask(self, method: str, path: str, body: str | None) -> tuple[list[dict[str, Any]], str]:
        try:
            self.request(method, path, body, self._headers)
            answer = self.getresponse()
            text = answer.read(MAX_ANSWER_BYTES)
        except (OSError, http.client.HTTPException):
            discard_queued(self.sock)
            self.close()
            raise
        data, error = _parsed(text)
        is_warning = method == "PUT" and SOFT_OFF in error
        if is_warning and answer.status in (200, 207):
            return data, error
        if answer.status != 200:
            raise ConnectionError(f"Hue bridge answers {answer.status}: {error or answer.reason}")
        if error:
            raise ConnectionError(f"Hue bridge reports: {error}")
        return data, ""


def _resource_of(kind: str, entry: dict[str, Any]) -> Resource | None:
    """Return the resource of an entry, or None without lamps."""
    try:
        if kind == "light":
            return Resource(kind, str(entry["id"]))
        services = entry["services"]
        rid = next(s["rid"] for s in services if s["rtype"] == GROUPED_LIGHT)
        return Resource(GROUPED_LIGHT, str(rid))
    except (LookupError, TypeError, StopIteration):
        return None


def _parsed(text: bytes) -> tuple[list[dict[str, Any]], str]:
    """Return data and first error of an answer."""
    try:
        answer = json.loads(text)
        errors = answer.get("errors", [])
        error = str(errors[0].get("description", errors[0]))[:200] if errors else ""
        return list(answer.get("data", [])), error
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError):
        return [], f"no JSON as expected: {text[:80]!r}"
