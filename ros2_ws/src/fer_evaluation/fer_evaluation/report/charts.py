# SPDX-License-Identifier: Apache-2.0
"""Draw the report's charts as SVG with the page's colours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from fer_perception.emotions import EMOTIONS

from ..scoring.classification_metrics import (
    CALIBRATION_BINS,
    PREDICTED_LABELS,
    ClassificationMetrics,
)
from ..scoring.timeline import CrowdBin, Rgb, TrackBin

WIDTH = 1000.0
"""Width of a timeline's drawing; the page scales it."""

_AREA_HEIGHT = 92.0
_STRIP_HEIGHT = 13.0


def _finished(parts: Sequence[str]) -> Markup:
    """Return the picture; external text is already escaped in its parts."""
    return Markup("".join([*parts, "</svg>"]))  # nosec B704


def clock(seconds: float) -> str:
    """Format a time: 7.5 s, 2:05, 1:02:05."""
    if seconds < 60.0:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class TimeAxis:
    """Map the steps of a timeline to its drawing.

    :param bins: number of steps.
    :param width_s: length of a step [s].
    """

    def __init__(self, bins: int, width_s: float) -> None:
        self.bins = max(bins, 1)
        self.width_s = width_s

    def x(self, index: float) -> float:
        """Return the left edge of a step."""
        return WIDTH * index / self.bins

    def ticks(self) -> list[tuple[float, str]]:
        """Return place and text of about eight round times."""
        length_s = self.bins * self.width_s
        rough_s = length_s / 8.0
        steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
        step_s = next((s for s in steps if s >= rough_s), 3600.0 * math.ceil(rough_s / 3600.0))
        return [
            (WIDTH * n * step_s / length_s, clock(n * step_s))
            for n in range(int(length_s / step_s) + 1)
            if n * step_s < 0.97 * length_s
        ]

    def ranges(self, values: Mapping[int, str]) -> list[tuple[int, int, str]]:
        """Return (first, after last, value) of the runs of equal neighbours.

        Where frames come more slowly than steps, a step without a frame belongs to the last one.
        """
        ordered = sorted(values)
        usual = usual_gap(ordered)
        runs: list[tuple[int, int, str]] = []
        for index, following in zip(ordered, [*ordered[1:], self.bins + 10**9], strict=True):
            joined = following - index <= MAX_GAP * usual
            end = following if joined else min(index + usual, self.bins)
            if runs and runs[-1][1:] == (index, values[index]):
                runs[-1] = (runs[-1][0], end, values[index])
            else:
                runs.append((index, end, values[index]))
        return runs


MAX_GAP = 3
"""Frames this many usual gaps apart belong to different runs."""


def usual_gap(ordered: Sequence[int]) -> int:
    """Return the median distance between neighbours, at least 1."""
    gaps = sorted(b - a for a, b in zip(ordered, ordered[1:], strict=False))
    return gaps[len(gaps) // 2] if gaps else 1


def axis(time: TimeAxis) -> Markup:
    """Return the time axis, with text that keeps its size on phones."""
    parts = ['<div class="axis">']
    for number, (x, text) in enumerate(time.ticks()):
        # Narrow pages hide every second one.
        minor = ' class="minor"' if number % 2 else ""
        parts.append(f'<span{minor} style="left:{100.0 * x / WIDTH:.2f}%">{text}</span>')
    return Markup("".join([*parts, "</div>"]))  # nosec B704


def crowd_areas(time: TimeAxis, crowd: Mapping[int, CrowdBin]) -> Markup:
    """Return the mean number of faces over time, stacked by label."""
    most = max((step.labels.total() / step.frames for step in crowd.values()), default=0.0)
    layers = {
        label: {index: step.labels[label] / step.frames / most for index, step in crowd.items()}
        for label in PREDICTED_LABELS
        if most
    }
    return _stacked_areas(time, sorted(crowd), layers, "faces over time")


def probability_areas(time: TimeAxis, track: Mapping[int, TrackBin]) -> Markup:
    """Return a face's probabilities over time, stacked to 1."""
    layers = {
        emotion: {index: float(step.scores[n]) / step.frames for index, step in track.items()}
        for n, emotion in enumerate(EMOTIONS)
    }
    return _stacked_areas(time, sorted(track), layers, "probabilities over time")


def _stacked_areas(
    time: TimeAxis, ordered: Sequence[int], layers: Mapping[str, Mapping[int, float]], what: str
) -> Markup:
    """Return areas of the labels' colours.

    :param ordered: the steps.
    :param layers: label -> step -> height, which add up to at most 1 in a step.
    """
    parts = [
        f'<svg class="areas" viewBox="0 0 {WIDTH:g} {_AREA_HEIGHT:g}" '
        f'preserveAspectRatio="none" role="img" aria-label="{what}">'
    ]
    for segment in _segments(ordered):
        below = [0.0] * len(segment)
        for label, heights in layers.items():
            above = [low + heights[index] for low, index in zip(below, segment, strict=True)]
            if max(a - b for a, b in zip(above, below, strict=True)) > 0.004:
                points = _outline(time, segment, below, above)
                title = f"<title>{label}</title>"
                parts.append(f'<path class="fill-{label}" d="{points}">{title}</path>')
            below = above
    return _finished(parts)


def _segments(ordered: Sequence[int]) -> list[list[int]]:
    longest = MAX_GAP * usual_gap(ordered)
    segments: list[list[int]] = []
    for index in ordered:
        if segments and index - segments[-1][-1] <= longest:
            segments[-1].append(index)
        else:
            segments.append([index])
    return segments


def _outline(
    time: TimeAxis, segment: Sequence[int], below: Sequence[float], above: Sequence[float]
) -> str:
    # Along the upper edge, and back along the lower one; a single step also has a width.
    places = [time.x(index) for index in segment] + [time.x(segment[-1] + 1)]
    upper = zip(places, [*above, above[-1]], strict=True)
    lower = list(zip(places, [*below, below[-1]], strict=True))[::-1]
    points = [f"{x:.1f} {_AREA_HEIGHT * (1.0 - y):.1f}" for x, y in (*upper, *lower)]
    return "M" + "L".join(points) + "Z"


def label_strip(time: TimeAxis, labels: Mapping[int, str], what: str) -> Markup:
    """Return labels over time as a strip.

    :param what: for its tooltips, for example "predicted".
    """
    parts = [
        f'<svg class="strip" viewBox="0 0 {WIDTH:g} {_STRIP_HEIGHT:g}" '
        f'preserveAspectRatio="none" role="img" aria-label="{escape(what)}">'
    ]
    for first, after, label in time.ranges(labels):
        x, width = time.x(first), max(time.x(after) - time.x(first), 0.8)
        span = f"{clock(first * time.width_s)} to {clock(after * time.width_s)}"
        parts.append(
            f'<rect class="fill-{escape(label)}" x="{x:.1f}" width="{width:.1f}" y="0" '
            f'height="{_STRIP_HEIGHT:g}"><title>{escape(what)}: {escape(label)}, {span}</title>'
            "</rect>"
        )
    return _finished(parts)


def lamp_strip(time: TimeAxis, colors: Mapping[int, Rgb]) -> Markup:
    """Return the lamp's colours over time as a strip."""
    names = {
        index: "#" + "".join(f"{round(255 * min(max(channel, 0.0), 1.0)):02x}" for channel in rgb)
        for index, rgb in colors.items()
    }
    parts = [
        f'<svg class="lamp" viewBox="0 0 {WIDTH:g} {_STRIP_HEIGHT:g}" '
        'preserveAspectRatio="none" role="img" aria-label="lamp">'
    ]
    for first, after, color in time.ranges(names):
        x, width = time.x(first), time.x(after) - time.x(first)
        parts.append(
            f'<rect x="{x:.2f}" width="{width:.2f}" y="0" height="{_STRIP_HEIGHT:g}" '
            f'fill="{color}"/>'
        )
    return _finished(parts)


def reliability_diagram(classification: ClassificationMetrics) -> Markup:
    """Return the share of correct predictions by confidence; equal on the diagonal."""
    left, top, side = 40.0, 8.0, 230.0
    parts = [
        '<svg class="chart reliability" viewBox="0 0 290 280" role="img" aria-label="reliability">'
    ]
    parts += _grid(left, top, side)
    most = max(int(classification.bin_count.max()), 1)
    width = side / CALIBRATION_BINS
    for index in range(CALIBRATION_BINS):
        count = int(classification.bin_count[index])
        if not count:
            continue
        correct = classification.bin_correct[index] / count
        confidence = classification.bin_confidence[index] / count
        x = left + index * width
        opacity = 0.35 + 0.65 * math.sqrt(count / most)
        parts.append(
            f'<rect class="bar" x="{x + 0.7:.1f}" width="{width - 1.4:.1f}" '
            f'y="{top + side * (1.0 - correct):.1f}" height="{side * correct:.1f}" '
            f'opacity="{opacity:.2f}"><title>confidence {100 * confidence:.0f} %: '
            f"{100 * correct:.0f} % right of {count}</title></rect>"
        )
        parts.append(
            f'<circle class="dot" cx="{left + side * confidence:.1f}" '
            f'cy="{top + side * (1.0 - correct):.1f}" r="3"/>'
        )
    parts.append(
        f'<line class="ideal" x1="{left}" y1="{top + side}" x2="{left + side}" y2="{top}"/>'
    )
    parts.append(f'<text x="{left + side / 2}" y="276" text-anchor="middle">confidence</text>')
    return _finished(parts)


def _grid(left: float, top: float, side: float) -> list[str]:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y, x = top + side * (1.0 - share), left + side * share
        parts.append(
            f'<line class="grid" x1="{left}" x2="{left + side}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{100 * share:.0f} %</text>'
            f'<text x="{x:.1f}" y="{top + side + 15}" text-anchor="middle">{share:g}</text>'
        )
    return parts


def latency_chart(
    bins: Sequence[tuple[float, float, int]], marks: Mapping[str, float | None]
) -> Markup:
    """Return a histogram of times.

    :param bins: (from, to, count), adjoining, of increasing width [s].
    :param marks: name -> time to mark [ms].
    """
    if not bins:
        return Markup("")
    left, width, top, height = 8.0, 474.0, 46.0, 178.0
    most = max(count for _, _, count in bins)
    low, high = math.log(bins[0][0]), math.log(bins[-1][1])

    def place(seconds: float) -> float:
        share = (math.log(seconds) - low) / (high - low)
        return left + width * min(max(share, 0.0), 1.0)

    parts = ['<svg class="chart wide" viewBox="0 0 490 260" role="img" aria-label="latency">']
    for start, end, count in bins:
        if count:
            bar = max(height * count / most, 1.0)
            parts.append(
                f'<rect class="bar" x="{place(start) + 0.5:.1f}" '
                f'width="{max(place(end) - place(start) - 1.0, 0.6):.1f}" '
                f'y="{top + height - bar:.1f}" height="{bar:.1f}"><title>{1e3 * start:.1f} to '
                f"{1e3 * end:.1f} ms: {count}</title></rect>"
            )
    base = top + height
    parts.append(f'<line class="grid" x1="{left}" x2="{left + width}" y1="{base}" y2="{base}"/>')
    for milliseconds in _round_times(bins[0][0], bins[-1][1]):
        x = place(1e-3 * milliseconds)
        parts.append(f'<text x="{x:.1f}" y="{base + 15}" text-anchor="middle">')
        parts.append(f"{milliseconds:g}</text>")
    for row, (name, marked) in enumerate(marks.items()):
        if marked is not None:
            x = place(1e-3 * marked)
            anchor = "end" if x > left + 0.75 * width else "start"
            offset = -4 if anchor == "end" else 4
            parts.append(
                f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{4 + 14 * row}" y2="{base}"/>'
                f'<text x="{x + offset:.1f}" y="{13 + 14 * row}" text-anchor="{anchor}">'
                f"{escape(name)} {marked:.1f}</text>"
            )
    parts.append(f'<text x="{left + width / 2}" y="256" text-anchor="middle">ms per frame</text>')
    return _finished(parts)


def _round_times(low_s: float, high_s: float) -> list[float]:
    powers = range(math.floor(math.log10(1e3 * low_s)), math.ceil(math.log10(1e3 * high_s)) + 1)
    times = [factor * 10.0**power for power in powers for factor in (1, 1.5, 2, 3, 5, 7)]
    return [t for t in times if 1e3 * low_s <= t <= 1e3 * high_s]
