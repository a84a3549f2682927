# SPDX-License-Identifier: Apache-2.0
"""Draw the pictures of the README from the package itself.

Run it after a change of a palette or of the terminal lamp::

    python3 ros2_ws/src/ambient_light_driver/docs/draw_pictures.py

Needs matplotlib.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.patches import FancyBboxPatch, Rectangle  # noqa: E402

from ambient_light_driver.color.light_color import LightColor  # noqa: E402
from ambient_light_driver.color.oklab import OklabLight  # noqa: E402
from ambient_light_driver.color.palette import (  # noqa: E402
    Palette,
    emotion_names,
    load_palette,
    shipped_palettes,
)
from ambient_light_driver.devices.terminal import TerminalConfig, TerminalDevice  # noqa: E402
from ambient_light_driver.pipeline import LightPipeline  # noqa: E402
from ambient_light_driver.selection.observation import FaceObservation  # noqa: E402
from ambient_light_driver.settings import LightSettings  # noqa: E402

FOLDER = Path(__file__).parent
STEP_S = 1.0 / TerminalConfig().max_rate_hz
EMOTION_S = 3.0
"""How long each emotion is shown in the picture of the terminal [s]."""

PROBABILITY = 0.95
"""Of the emotion shown; the others share the rest."""

NEAR = 0.045
"""Points of the a-b plane closer than this get one label in common."""

GREY, PAPER, INK = "#8a8f98", "#ffffff", "#20242b"
TERMINAL_PAPER, TERMINAL_INK = "#14171c", "#d6dae0"


# The palettes


def draw_palettes(path: Path) -> None:
    """Draw each palette: hue and chroma above, lightness below."""
    names = shipped_palettes()
    figure, axes = plt.subplots(
        2,
        len(names),
        figsize=(4.3 * len(names), 6.6),
        height_ratios=(3.2, 1.0),
        layout="constrained",
        facecolor=PAPER,
    )
    for name, plane, bars in zip(names, axes[0], axes[1], strict=True):
        palette = load_palette(name)
        _draw_plane(plane, palette)
        _draw_lightness(bars, palette)
    axes[0][0].set_ylabel("Oklab b: blue to yellow")
    axes[1][0].set_ylabel("Oklab L of the lamp")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_plane(axes: Axes, palette: Palette) -> None:
    points = {name: OklabLight.from_color(color) for name, color in palette.emotions.items()}
    outline = [OklabLight.from_color(color) for color in _purest_colors()]
    axes.plot([p.a for p in outline], [p.b for p in outline], color="#d5d8dd", lw=1, zorder=1)
    axes.axhline(0.0, color="#eceef1", lw=1, zorder=0)
    axes.axvline(0.0, color="#eceef1", lw=1, zorder=0)
    for name, point in points.items():
        # The circle's area is the lamp's brightness.
        axes.scatter(
            point.a,
            point.b,
            s=90.0 + 420.0 * point.brightness,
            color=palette.emotions[name].rgb,
            edgecolor=GREY,
            linewidth=0.8,
            zorder=3,
        )
    for group in _groups(points):
        members = [points[name] for name in group]
        right = max(p.a for p in members)
        # Beside the circle, on the side where there is room.
        side = -1.0 if right > 0.15 else 1.0
        center_b = sum(p.b for p in members) / len(members)
        anchor = min(p.a for p in members) if side < 0.0 else right
        axes.annotate(
            "\n".join(group),
            (anchor, center_b),
            xytext=(16.0 * side, 0.0),
            textcoords="offset points",
            ha="right" if side < 0.0 else "left",
            va="center",
            fontsize=9,
            color=INK,
            zorder=4,
        )
    axes.set(title=palette.name, xlim=(-0.31, 0.34), ylim=(-0.38, 0.25), aspect="equal")
    axes.set_xlabel("Oklab a: green to red")
    _quiet(axes)


def _draw_lightness(axes: Axes, palette: Palette) -> None:
    names = list(palette.emotions)
    shown = [LightColor(*palette.emotions[name].displayed_rgb()) for name in names]
    heights = [OklabLight.from_color(color).lightness for color in shown]
    axes.bar(
        names, heights, color=[c.rgb for c in shown], edgecolor=GREY, linewidth=0.8, width=0.72
    )
    axes.set_ylim(0.0, 1.05)
    axes.tick_params(axis="x", rotation=35)
    _quiet(axes)


def _quiet(axes: Axes) -> None:
    axes.tick_params(labelsize=8, colors=INK, length=2)
    for spine in axes.spines.values():
        spine.set_color("#d5d8dd")


def _purest_colors(steps: int = 40) -> Iterator[LightColor]:
    """Yield the most colourful sRGB colours around the hue circle, once around."""
    corners = [(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0)]
    for start, end in zip(corners, corners[1:], strict=False):
        for i in range(steps + 1):
            red, green, blue = (a + (b - a) * i / steps for a, b in zip(start, end, strict=True))
            yield LightColor(red, green, blue)


def _groups(points: dict[str, OklabLight]) -> list[list[str]]:
    """Group the names of points too close for separate labels."""
    groups: list[list[str]] = []
    for name, point in sorted(points.items(), key=lambda item: -item[1].b):
        for group in groups:
            first = points[group[0]]
            if abs(first.a - point.a) < NEAR and abs(first.b - point.b) < NEAR:
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


# The terminal


@dataclass(frozen=True)
class Cell:
    """One character of a terminal's line.

    :param background: colour as red, green, blue in [0, 255]; None for the terminal's own.
    """

    character: str
    background: tuple[int, int, int] | None


def interpret(line: tuple[Cell, ...], text: str) -> tuple[Cell, ...]:
    """Return what a terminal has on its line after ``text``.

    Understands what the terminal lamp writes: text, carriage return, erase the line, and a
    background colour (ECMA-48 and ISO 8613-6 direct colour).

    :raises ValueError: for any other control sequence.
    """
    cells = list(line)
    column = 0
    background: tuple[int, int, int] | None = None
    for token in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|[\s\S]", text):
        if token == "\r":
            column = 0
        elif token == "\x1b[2K":
            cells = [Cell(" ", None)] * len(cells)
        elif token == "\x1b[0m":
            background = None
        elif match := re.fullmatch(r"\x1b\[48;2;(\d+);(\d+);(\d+)m", token):
            red, green, blue = (int(value) for value in match.groups())
            background = red, green, blue
        elif token >= " ":
            cells[column:] = [Cell(token, background), *cells[column + 1 :]]
            column += 1
        else:
            raise ValueError(f"unknown to this terminal: {token!r}")
    return tuple(cells)


def lines_of_the_terminal_lamp() -> dict[str, list[tuple[Cell, ...]]]:
    """Run the light through all emotions on a pseudo-terminal.

    :returns: emotion -> what the terminal showed after each colour sent, in time.
    """
    master, slave = os.openpty()
    os.set_blocking(master, False)
    pipeline = LightPipeline(load_palette("default"), LightSettings())
    shown: dict[str, list[tuple[Cell, ...]]] = {}
    line: tuple[Cell, ...] = ()
    now_s = 0.0
    with os.fdopen(slave, "w") as stream:
        lamp = TerminalDevice("terminal", TerminalConfig(), stream)
        lamp.open()
        for emotion in emotion_names():
            rest = (1.0 - PROBABILITY) / (len(emotion_names()) - 1)
            scores = tuple(PROBABILITY if e == emotion else rest for e in emotion_names())
            face = FaceObservation("f0001", scores, area_px=10_000.0, center_distance=0.0)
            shown[emotion] = []
            for _ in range(round(EMOTION_S / STEP_S)):
                now_s += STEP_S
                pipeline.observe([face], now_s)
                lamp.send(pipeline.step(now_s, now_s))
                line = interpret(line, _read(master))
                shown[emotion].append(line)
        lamp.close()
    os.close(master)
    return shown


def _read(descriptor: int) -> str:
    try:
        return os.read(descriptor, 65536).decode()
    except BlockingIOError:  # nothing was redrawn
        return ""


def draw_terminal_lamp(path: Path) -> None:
    """Draw the terminal's colour for each emotion, with the fades between."""
    shown = lines_of_the_terminal_lamp()
    columns, rows, cell_height = 46.0, len(shown) + 4.8, 2.1
    height = rows * cell_height
    figure = plt.figure(figsize=(7.2, 7.2 * height / (columns + 2.0)), facecolor=PAPER)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(-1.0, columns + 1.0), ylim=(height + 0.2, -0.8))
    axes.axis("off")
    frame = FancyBboxPatch(
        (0.0, 0.0), columns, height, boxstyle="round,pad=0,rounding_size=0.8", color=TERMINAL_PAPER
    )
    axes.add_patch(frame)
    for i, color in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        axes.plot(2.2 + 1.4 * i, 1.6, "o", color=color, markersize=8)
    # As large as its cells are wide: a character of this font is 0.602 of its size wide.
    size = 72.0 * 7.2 / (columns + 2.0) / 0.602
    style: dict[str, Any] = {"family": "DejaVu Sans Mono", "fontsize": size, "va": "center"}
    small = style | {"fontsize": 0.6 * size}
    axes.text(columns / 2.0, 1.6, "ambient_light", ha="center", color=GREY, **small)
    top = 1.6 * cell_height
    for lines in shown.values():
        for column, cell in enumerate(lines[-1]):
            left = 2.0 + column
            if cell.background is not None:
                _fill(axes, (left, top + 0.1), (1.03, cell_height - 0.2), cell.background)
            elif cell.character != " ":
                middle = top + cell_height / 2.0
                axes.text(left, middle, cell.character, color=TERMINAL_INK, **style)
        top += cell_height
    history = [line for lines in shown.values() for line in lines]
    width = (columns - 4.0) / len(history)
    top += 0.9
    for i, line in enumerate(history):
        _fill(axes, (2.0 + i * width, top), (1.05 * width, 2.2), line[0].background or (0, 0, 0))
    seconds = EMOTION_S * len(shown)
    caption = f"the swatch over {seconds:.0f} s: another expression every {EMOTION_S:.0f} s"
    axes.text(2.0, top + 3.4, caption, color=GREY, **small)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _fill(
    axes: Axes,
    corner: tuple[float, float],
    size: tuple[float, float],
    background: tuple[int, int, int],
) -> None:
    red, green, blue = (value / 255.0 for value in background)
    axes.add_patch(Rectangle(corner, *size, color=(red, green, blue), lw=0))


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    draw_palettes(FOLDER / "palettes.png")
    draw_terminal_lamp(FOLDER / "terminal_lamp.png")
