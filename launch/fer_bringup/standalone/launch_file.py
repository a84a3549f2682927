# SPDX-License-Identifier: Apache-2.0
"""Read launch files of this package with the stand-in vocabulary."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from ament_index_python.packages import get_package_share_directory

from .launch import Action, LaunchContext, LaunchDescription, visit
from .launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from .launch.launch_description_sources import PythonLaunchDescriptionSource
from .processes import ProcessSpec

_SUFFIX = ".launch.py"
_NAMES = (
    "launch",
    "launch.actions",
    "launch.conditions",
    "launch.event_handlers",
    "launch.launch_description_sources",
    "launch.substitutions",
    "launch_ros",
    "launch_ros.actions",
    "launch_ros.parameter_descriptions",
)
# Our modules that import launch: imported with the stand-in, and with launch where installed.
_EXTENSIONS = "fer_bringup.launching"


def folder() -> Path:
    """Return the folder of the installed launch files."""
    return Path(get_package_share_directory("fer_bringup"))


def names() -> list[str]:
    """Return the names of the installed launch files without suffix."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in folder().glob(f"*{_SUFFIX}"))


_stand_in: dict[str, object] = {}


@contextmanager
def stand_in() -> Iterator[None]:
    """Make ``import launch`` find the stand-in, even with launch installed."""

    def take_out() -> dict[str, object]:
        found = [
            name
            for name in sys.modules
            if name.split(".")[0] in ("launch", "launch_ros") or name.startswith(_EXTENSIONS)
        ]
        return {name: sys.modules.pop(name) for name in found}

    before = take_out()
    aliases = {name: import_module(f"{__package__}.{name}") for name in _NAMES}
    sys.modules.update(aliases | _stand_in)  # type: ignore[arg-type]
    try:
        yield
    finally:
        _stand_in.update(take_out())
        sys.modules.update(before)  # type: ignore[arg-type]


class LaunchFile:
    """One launch file.

    :param path: its path.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name.removesuffix(_SUFFIX)
        with stand_in():
            self.description = PythonLaunchDescriptionSource(str(path)).get_launch_description()
            self.arguments = {
                argument.name: argument for argument in _declared(self.description, frozenset())
            }

    def visit(self, given: Mapping[str, str]) -> LaunchContext:
        """Visit the description; return the context with processes to start.

        :param given: values of launch arguments.
        :raises ValueError: when an argument is unknown or its value is not allowed.
        """
        for name in given:
            if name not in self.arguments:
                near = difflib.get_close_matches(name, self.arguments, n=1)
                known = ", ".join(self.arguments)
                hint = f"did you mean {near[0]!r}?" if near else f"known ones: {known}"
                raise ValueError(f"{self.name} has no argument {name!r}: {hint}")
        context = LaunchContext(dict(given))
        with stand_in():
            visit(self.description, context)
        return context


def read(name: str) -> LaunchFile:
    """Read an installed launch file.

    :param name: for example ``fer_light``.
    """
    return LaunchFile(folder() / f"{name}{_SUFFIX}")


def processes(name: str, **given: str) -> list[ProcessSpec]:
    """Return the processes of an installed launch file.

    :param given: values of launch arguments.
    """
    return [spec for _, spec in read(name).visit(given).take_started()]


def _declared(
    entity: Action | LaunchDescription, fixed: frozenset[str]
) -> Iterator[DeclareLaunchArgument]:
    """Return the declared arguments that a caller can set.

    :param fixed: arguments set by an including file.
    """
    if isinstance(entity, DeclareLaunchArgument):
        if entity.name not in fixed:
            yield entity
        return
    if isinstance(entity, IncludeLaunchDescription):
        fixed |= {name for name, _ in entity.launch_arguments}
    children = (
        entity.entities if isinstance(entity, LaunchDescription) else entity.get_sub_entities()
    )
    for child in children:
        yield from _declared(child, fixed)
