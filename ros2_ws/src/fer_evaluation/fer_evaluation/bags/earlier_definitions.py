# SPDX-License-Identifier: Apache-2.0
"""Convert messages of fer_msgs that were recorded with an earlier definition."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from rosbags.interfaces import Nodetype

from .bag_reader import BagTopic
from .message_types import MessageTypes

_OURS: Final = "fer_msgs/"


class EarlierDefinitions:
    """Topics of a bag whose messages have fewer or other fields than the installed fer_msgs.

    :param topics: of the bag.
    :ivar topics: names of those to convert.
    :raises BagError: when the bag has messages of fer_msgs, which is not installed.
    """

    def __init__(self, topics: Iterable[BagTopic]) -> None:
        ours = {topic.name: topic for topic in topics if topic.type_name.startswith(_OURS)}
        self._recorded = MessageTypes(ours.values())
        self._present = MessageTypes()
        if ours:
            self._present.learn_fer_msgs()
        recorded, present = self._recorded.typestore.fielddefs, self._present.typestore.fielddefs
        # One message holds others: all are converted where the fields of one differ.
        differs = any(
            recorded[name][1] != present[name][1]
            for name in recorded.keys() & present.keys()
            if name.startswith(_OURS)
        )
        self.topics = {
            name
            for name, topic in ours.items()
            if differs and topic.type_name in recorded.keys() & present.keys()
        }

    def convert(self, data: bytes, type_name: str) -> bytes:
        """Return a message in the installed definition; new numbers are NaN, or 0.

        :raises BagError: when ``data`` is not a message of the recorded definition.
        """
        message = self._value(self._recorded.read(data, type_name), (Nodetype.NAME, type_name))
        return self._present.write(message, type_name)

    def _value(self, value: Any, kind: Any) -> Any:
        """Return a field's value as one of kind ``kind``; None stands for a missing one."""
        node, details = kind
        if node is Nodetype.BASE:
            name, _ = details
            missing = "" if name == "string" else math.nan if name.startswith("float") else 0
            return missing if value is None else value
        if node is Nodetype.NAME:
            if not details.startswith(_OURS):
                return value
            _, fields = self._present.typestore.fielddefs[details]
            return self._present.typestore.types[details](
                **{name: self._value(getattr(value, name, None), of) for name, of in fields}
            )
        of, _ = details
        return value if of[0] is Nodetype.BASE else [self._value(item, of) for item in value]
