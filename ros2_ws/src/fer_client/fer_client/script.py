# SPDX-License-Identifier: Apache-2.0
"""Read scripts of the actor: who comes when, looks how, and where.

.. code-block:: yaml

    timeline:
      0.0: {anna: happiness 0.9}
      2.0: {anna: neutral, ben: {expression: surprise, confidence: 0.7, at: [480, 200], size: 90}}
      5.0: {anna: leaves}
      8.0: end
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import yaml

from fer_perception.emotions import EMOTIONS

DEFAULT_CONFIDENCE: Final = 0.9
_LEAVES: Final = "leaves"
_END: Final = "end"
_MAX_FILE_BYTES: Final = 1_000_000
_SETTINGS: Final = ("rate_hz", "image", "seed", "noise", "min_confidence", "loop", "timeline")
_PERSON: Final = ("expression", "confidence", "at", "size")
# With less, another expression would have a higher probability.
_LEAST_CONFIDENCE: Final = 1.0 / len(EMOTIONS)


class ScriptError(ValueError):
    """A script cannot be played; the message names file, line and value."""


@dataclass(frozen=True)
class Cue:
    """What a person does from one moment on.

    :ivar expression: None where it stays as it was.
    :ivar at: centre of the face in pixels; None where it is not given.
    :ivar size: width and height of the face in pixels; None where it is not given.
    """

    time_s: float
    expression: str | None = None
    confidence: float = DEFAULT_CONFIDENCE
    at: tuple[float, float] | None = None
    size: float | None = None


@dataclass(frozen=True)
class Stay:
    """One person from coming to leaving; the next stay is another face.

    :ivar cues: in order of time; the first has an expression.
    :ivar end_s: infinite for who stays.
    """

    name: str
    cues: tuple[Cue, ...]
    end_s: float


@dataclass(frozen=True)
class Script:
    """A script that was checked.

    :ivar image_size: width and height in pixels.
    :ivar noise: standard deviation of the noise on the logits of the scores.
    :ivar min_confidence: faces below it are labelled unknown, as by the perception.
    :ivar end_s: None where the last scene stays.
    """

    stays: tuple[Stay, ...]
    rate_hz: float = 30.0
    image_size: tuple[int, int] = (640, 480)
    seed: int = 0
    noise: float = 0.0
    min_confidence: float = 0.0
    loop: bool = False
    end_s: float | None = None


def shipped_scripts() -> list[str]:
    """Return the names of the scripts that come with this package."""
    folder = resources.files("fer_client").joinpath("scripts")
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_script(name_or_path: str) -> Script:
    """Read a script.

    :param name_or_path: one of :func:`shipped_scripts`, or the path of a YAML file.
    :raises ScriptError: when it cannot be read, naming line and value.
    """
    if name_or_path in shipped_scripts():
        file = resources.files("fer_client").joinpath("scripts", f"{name_or_path}.yaml")
        return parse_script(file.read_text(encoding="utf-8"), f"{name_or_path}.yaml")
    path = Path(name_or_path).expanduser()
    try:
        if not path.is_file():
            raise ScriptError(
                f"{name_or_path}: no such file; expected a YAML file or one of "
                f"{', '.join(shipped_scripts())}"
            )
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ScriptError(f"{name_or_path}: expected at most {_MAX_FILE_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise ScriptError(f"{name_or_path}: cannot be read: {error}") from error
    return parse_script(text, name_or_path)


def parse_script(text: str, name: str) -> Script:
    """Check the text of a script.

    :param name: of the file, for errors.
    :raises ScriptError: naming line and value.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ScriptError(f"{name}: expected YAML: {' '.join(str(error).split())}") from error
    if root is None:
        raise ScriptError(f"{name}:1: the file is empty; expected a timeline")
    return _Reader(name).script(root)


class _Reader:
    """Reads the nodes of one file, which know their lines."""

    def __init__(self, name: str) -> None:
        self._name = name

    def script(self, root: yaml.Node) -> Script:
        top = self._by_name(root, _SETTINGS)
        if "timeline" not in top:
            raise self._error(root, "expected 'timeline'")
        scenes = self._scenes(top["timeline"])
        end_s, stays = self._stays(scenes)
        loop = self._flag(top["loop"]) if "loop" in top else Script.loop
        if loop and end_s is None:
            raise self._error(top["loop"], "loop: expected an entry 'TIME: end' in the timeline")
        width, height = Script.image_size
        if "image" in top:
            width, height = (round(value) for value in self._pair(top["image"], 1.0, 20_000.0))

        def number(key: str, default: float, low: float, high: float) -> float:
            return self._number(top[key], low, high) if key in top else default

        return Script(
            stays=stays,
            rate_hz=number("rate_hz", Script.rate_hz, 0.1, 1000.0),
            image_size=(width, height),
            seed=int(number("seed", Script.seed, 0.0, 2.0**32 - 1.0)),
            noise=number("noise", Script.noise, 0.0, 10.0),
            min_confidence=number("min_confidence", Script.min_confidence, 0.0, 1.0),
            loop=loop,
            end_s=end_s,
        )

    def _scenes(self, node: yaml.Node) -> list[tuple[float, yaml.Node, yaml.Node]]:
        """Return (time, its node, what happens) in order of time."""
        scenes: list[tuple[float, yaml.Node, yaml.Node]] = [
            (self._number(key, 0.0, 1e6), key, value) for key, value in self._entries(node)
        ]
        for (before_s, _, _), (time_s, key, _) in zip(scenes, scenes[1:], strict=False):
            if time_s <= before_s:
                raise self._error(key, f"{time_s:g} s: expected a time after {before_s:g} s")
        if not scenes:
            raise self._error(node, "timeline: expected at least one entry 'TIME: {NAME: ...}'")
        return scenes

    def _stays(
        self, scenes: list[tuple[float, yaml.Node, yaml.Node]]
    ) -> tuple[float | None, tuple[Stay, ...]]:
        here: dict[str, list[Cue]] = {}
        stays: list[Stay] = []
        end_s = None
        for time_s, key, scene in scenes:
            if end_s is not None:
                raise self._error(key, f"{time_s:g} s: expected nothing after the end")
            if isinstance(scene, yaml.ScalarNode) and scene.value == _END:
                if time_s == 0.0:
                    raise self._error(key, "expected an end after 0 s")
                end_s = time_s
                continue
            for name_node, deed in self._entries(scene):
                name = str(name_node.value)
                if isinstance(deed, yaml.ScalarNode) and deed.value == _LEAVES:
                    if name not in here:
                        raise self._error(deed, f"{name} leaves without being there")
                    stays.append(Stay(name, tuple(here.pop(name)), time_s))
                    continue
                cue = self._cue(deed, time_s)
                if name not in here and cue.expression is None:
                    raise self._error(deed, f"{name} comes: expected an expression")
                here.setdefault(name, []).append(cue)
        stays += [Stay(name, tuple(cues), math.inf) for name, cues in here.items()]
        return end_s, tuple(sorted(stays, key=lambda stay: stay.cues[0].time_s))

    def _cue(self, node: yaml.Node, time_s: float) -> Cue:
        if isinstance(node, yaml.ScalarNode):
            words = node.value.split()
            if not 1 <= len(words) <= 2:
                raise self._error(
                    node, f"expected 'EXPRESSION [CONFIDENCE]' or '{_LEAVES}', got {node.value!r}"
                )
            expression = self._expression(node, words[0])
            if len(words) == 1:
                return Cue(time_s, expression)
            return Cue(time_s, expression, self._parsed(node, words[1], _LEAST_CONFIDENCE, 1.0))
        values = self._by_name(node, _PERSON)
        if "confidence" in values and "expression" not in values:
            raise self._error(values["confidence"], "confidence: expected 'expression' beside it")
        return Cue(
            time_s,
            self._expression(values["expression"]) if "expression" in values else None,
            self._number(values["confidence"], _LEAST_CONFIDENCE, 1.0)
            if "confidence" in values
            else DEFAULT_CONFIDENCE,
            self._pair(values["at"], -1e5, 1e5) if "at" in values else None,
            self._number(values["size"], 1.0, 1e5) if "size" in values else None,
        )

    def _expression(self, node: yaml.Node, word: str | None = None) -> str:
        word = self._scalar(node) if word is None else word
        if word not in EMOTIONS:
            near = difflib.get_close_matches(word, (*EMOTIONS, _LEAVES), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise self._error(node, f"expected one of {', '.join(EMOTIONS)}, got {word!r}{hint}")
        return word

    def _by_name(self, node: yaml.Node, names: tuple[str, ...]) -> dict[str, yaml.Node]:
        found = {}
        for key, value in self._entries(node):
            if key.value not in names:
                raise self._error(key, f"expected any of {', '.join(names)}, got {key.value!r}")
            found[str(key.value)] = value
        return found

    def _entries(self, node: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"expected entries 'KEY: VALUE', got {_shown(node)}")
        known = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key, f"expected a name or a time, got {_shown(key)}")
            if key.value in known:
                raise self._error(key, f"{key.value!r} stands here twice")
            known.add(key.value)
            yield key, value

    def _scalar(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, f"expected one value, got {_shown(node)}")
        return str(node.value)

    def _number(self, node: yaml.Node, low: float, high: float) -> float:
        return self._parsed(node, self._scalar(node), low, high)

    def _parsed(self, node: yaml.Node, text: str, low: float, high: float) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            raise self._error(node, f"expected a number in [{low:.3g}, {high:g}], got {text!r}")
        return number

    def _pair(self, node: yaml.Node, low: float, high: float) -> tuple[float, float]:
        if not isinstance(node, yaml.SequenceNode) or len(node.value) != 2:
            raise self._error(node, f"expected two numbers in brackets, got {_shown(node)}")
        first, second = (self._number(item, low, high) for item in node.value)
        return first, second

    def _flag(self, node: yaml.Node) -> bool:
        text = self._scalar(node).lower()
        if text not in ("true", "false"):
            raise self._error(node, f"expected true or false, got {text!r}")
        return text == "true"

    def _error(self, node: yaml.Node, text: str) -> ScriptError:
        return ScriptError(f"{self._name}:{node.start_mark.line + 1}: {text}")


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return repr(node.value) if node.value else "nothing"
    return "a list" if isinstance(node, yaml.SequenceNode) else "entries in braces"
