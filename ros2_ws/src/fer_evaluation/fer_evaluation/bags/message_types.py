# SPDX-License-Identifier: Apache-2.0
"""Message types without ROS: Jazzy's, and those a bag defines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from rosbags.serde import SerdeError
from rosbags.typesys import Stores, TypesysError, get_types_from_idl, get_types_from_msg
from rosbags.typesys import get_typestore as new_typestore
from rosbags.typesys.store import Typestore

from .bag_error import BagError
from .bag_reader import BagTopic

EMOTION_TYPE: Final = "fer_msgs/msg/EmotionStamped"
EMOTIONS_TYPE: Final = "fer_msgs/msg/EmotionArray"


class MessageTypes:
    """Types to read and write messages with.

    :ivar unknown: topics without a definition of their type -> the type's name.
    """

    def __init__(self, topics: Iterable[BagTopic] = ()) -> None:
        self.typestore: Typestore = new_typestore(Stores.ROS2_JAZZY)
        self.unknown: dict[str, str] = {}
        for topic in topics:
            if topic.type_name not in self.typestore.fielddefs:
                self._learn(topic)
            if topic.type_name not in self.typestore.fielddefs:
                self.unknown[topic.name] = topic.type_name

    def _learn(self, topic: BagTopic) -> None:
        """Register a type of the bag if its definition can be parsed."""
        try:
            if topic.definition.startswith("=" * 80 + "\nIDL: "):
                self.typestore.register(get_types_from_idl(topic.definition))
            elif topic.definition:
                self.typestore.register(get_types_from_msg(topic.definition, topic.type_name))
        except (TypesysError, ValueError, KeyError, SyntaxError):
            return

    def learn_fer_msgs(self) -> None:
        """Register the types of the installed fer_msgs.

        :raises BagError: when it is not installed.
        """
        try:
            from ament_index_python.packages import get_package_share_directory

            folder = Path(get_package_share_directory("fer_msgs"), "msg")
        except (ImportError, LookupError) as error:
            raise BagError(
                "fer_msgs is not installed, its messages cannot be written: run 'make build' (or "
                "colcon build) and source install/setup.bash"
            ) from error
        types: dict[str, Any] = {}
        for file in sorted(folder.glob("*.msg")):
            types |= get_types_from_msg(file.read_text(), f"fer_msgs/msg/{file.stem}")
        self.typestore.register(types)

    def read(self, data: bytes, type_name: str) -> Any:
        """Return a message.

        :raises BagError: when the type is unknown or ``data`` is not such a message.
        """
        try:
            return self.typestore.deserialize_cdr(data, type_name)
        except KeyError:
            raise BagError(f"type {type_name} is unknown: the bag does not define it") from None
        except (SerdeError, ValueError, IndexError) as error:
            raise BagError(f"not a valid {type_name}: {error}") from None

    def write(self, message: object, type_name: str) -> bytes:
        """Return ``message``, of rosbags' classes or of ROS's, serialised as CDR."""
        return bytes(self.typestore.serialize_cdr(message, type_name))
