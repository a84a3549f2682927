# SPDX-License-Identifier: Apache-2.0
"""Ids of faces that are unique among all robots and runs of one ROS graph."""

from __future__ import annotations

import re
import secrets
from typing import Final

_LETTERS: Final = "bcdfghjkmnpqrstvwxz"  # without vowels, so that no word comes out
_TOKEN_LENGTH: Final = 5


class PublicIds:
    """Gives each face of a source an id such as ``robot1_f0001_kqzbx``.

    REP-155 demands that no two faces of a graph share an id, while our tracker counts from 1 in
    each robot and run. The token at the end is drawn at random for each run.

    :param namespace: of the robot; may be empty.
    """

    def __init__(self, namespace: str) -> None:
        robot = _name(namespace.strip("/"))
        self._prefix = f"{robot}_" if robot else ""
        self._ids: dict[str, str] = {}
        self._token = _token()

    def of(self, face_id: str) -> str:
        """Return the public id of a face, the same one until :meth:`begin_run`."""
        if face_id not in self._ids:
            public = f"{self._prefix}{_name(face_id) or 'face'}_{self._token}"
            if not public[0].isalpha():
                public = f"f{public}"
            while public in self._ids.values():  # names that differ in odd characters only
                public += _token()
            self._ids[face_id] = public
        return self._ids[face_id]

    def forget(self, public_id: str) -> None:
        """Free what is known of a face that left."""
        self._ids = {face: public for face, public in self._ids.items() if public != public_id}

    def begin_run(self) -> None:
        """Give all faces new ids, as the source may have started again."""
        self._ids.clear()
        self._token = _token()


def _name(text: str) -> str:
    """Return ``text`` with the characters that names of topics may have."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")


def _token() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_TOKEN_LENGTH))
